"""From tracked landmarks to expression frames: the pose of the head, the lids, and the shapes that fit best.

A person is first described by his own landmarks at rest, lips closed and eyes open (`Neutral`). A frame is
that rest plus the default head's shapes, turned and scaled. So nothing of the identity enters the weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, percentile_filter
from scipy.spatial.transform import Rotation

from rtgraph.models.expression import ARKIT, FRAME, INDEX

from . import landmarks
from .clip import Mask, RealDataError
from .least_squares import fit
from .rigid import rigid_fit

Array = NDArray[np.float64]

#: Solved shapes, and how strongly each is held at 0, IOD^2: the less a frontal camera sees of it, the more.
_RIDGE = {
    "jawOpen": 1e-3, "jawLeft": 2e-2, "jawRight": 2e-2,
    "mouthClose": 2e-3, "mouthFunnel": 2e-3, "mouthPucker": 2e-3, "mouthLeft": 2e-2, "mouthRight": 2e-2,
    "mouthSmile": 3e-3, "mouthFrown": 6e-3, "mouthDimple": 6e-3, "mouthStretch": 3e-3,
    "mouthRollLower": 6e-3, "mouthRollUpper": 6e-3, "mouthShrugLower": 6e-3, "mouthShrugUpper": 6e-3,
    "mouthPress": 6e-3, "mouthLowerDown": 4e-3, "mouthUpperUp": 4e-3,
    "browDown": 4e-3, "browInnerUp": 4e-3, "browOuterUp": 4e-3,
}  # fmt: skip
_ASYMMETRY = 2e-2  # on the difference of left and right: speech is nearly symmetric, a tracker's noise is not
_STEADINESS = 1e-3  # on second differences
_LIPS_DEPTH, _CHIN_DEPTH = 0.15, 0.01  # weight of z: the tracker guesses it
_CHIN = (152, 148, 377, 176, 400, 199, 175, 200, 18)
_JAW_LINE = (149, 150, 136, 378, 379, 365)
#: Pairs whose distance counts by itself: inner lips (height), mouth corners (breadth).
_GAPS = ((13, 14, 20.0), (312, 317, 2.0), (82, 87, 2.0), (311, 402, 0.5), (81, 178, 0.5))
_CORNERS, _CORNERS_WEIGHT = (291, 61), 20.0

_SOLVED = tuple(name for name in ARKIT if name in _RIDGE or name.removesuffix("Left") in _RIDGE
                or name.removesuffix("Right") in _RIDGE)  # fmt: skip

#: The numbers of a frame that the landmarks tell.
KNOWN: Mask = np.array([n in _SOLVED or n.startswith(("eyeBlink", "head")) for n in FRAME])


@dataclass(frozen=True)
class Neutral:
    """A person at rest, facing ahead, by MediaPipe's numbers."""

    index: tuple[int, ...]
    rest: Array  # [L, 3] IOD, outer eye corners around the origin
    shut: float  # the distance between the lids of a shut eye, IOD

    def rows(self, numbers: tuple[int, ...]) -> list[int]:
        return [self.index.index(n) for n in numbers]


@dataclass(frozen=True)
class Solved:
    """What `solve` answers, frame for frame."""

    frames: NDArray[np.float32]  # [T, 61]
    error: float  # root mean square distance of lip landmarks from where the face puts them, IOD, x and y


def neutral(index: tuple[int, ...], tracked: Array) -> Neutral:
    """The person of `tracked` [T, L, 3], all of his frames, in IOD, axes as in landmarks.py.

    Rest are frames with the lips closed, hardly moving, and the eyes open. RealDataError below 10 of them.
    """
    rows = [index.index(n) for n in (13, 14, 152)]
    gap = np.linalg.norm(tracked[:, rows[0]] - tracked[:, rows[1]], axis=1)
    lids = _lid_gaps(index, tracked).mean(1)
    speed = np.linalg.norm(np.gradient(tracked[:, rows[1:]], axis=0), axis=2).max(1)
    at_rest = (gap < np.percentile(gap, 30)) & (speed < np.percentile(speed, 30))
    at_rest &= lids > np.percentile(lids, 60)
    if at_rest.sum() < 10:
        raise RealDataError(
            f"only {at_rest.sum()} of {len(tracked)} frames show the face at rest, expected 10 or more; "
            "give more of this person"
        )
    chosen = tracked[at_rest]
    rigid = [index.index(n) for n in landmarks.RIGID]
    mean = chosen.mean(0)
    for _ in range(3):
        mean = rigid_fit(chosen[:, rigid], mean[rigid]).apply(chosen).mean(0)
    head = landmarks.default()
    mean = rigid_fit(mean[[index.index(n) for n in head.index]], head.rest.astype(np.float64)).rotate(mean)
    mean -= mean[[index.index(n) for n in landmarks.EYE_CORNERS]].mean(0)
    return Neutral(index, mean, float(np.percentile(lids, 0.5)))


def solve(person: Neutral, tracked: Array, rate_hz: float) -> Solved:
    """The expression frames [T, 61] of one clip `tracked` [T, L, 3], in IOD, axes as in landmarks.py."""
    frames = np.zeros((len(tracked), len(FRAME)), np.float32)
    facing, angles = _without_pose(person, tracked)
    frames[:, [INDEX[n] for n in ("headYaw", "headPitch", "headRoll")]] = angles
    frames[:, [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]] = _blinks(person, facing, rate_hz)[:, None]
    head = landmarks.default()
    moved = facing[:, person.rows(head.index)] - person.rest[person.rows(head.index)]
    weights, error = _shapes(head, moved)
    frames[:, [INDEX[n] for n in _SOLVED]] = weights
    return Solved(frames, error)


def _without_pose(person: Neutral, tracked: Array) -> tuple[Array, Array]:
    """[T, L, 3] turned to face ahead, and [T, 3] yaw, pitch, roll of the head."""
    rigid = person.rows(landmarks.RIGID)
    found = rigid_fit(tracked[:, rigid], person.rest[rigid])
    turn = Rotation.from_rotvec(
        gaussian_filter1d(Rotation.from_matrix(found.turn).as_rotvec(), 1.0, axis=0, mode="nearest")
    )
    scale = gaussian_filter1d(found.scale, 3.0, mode="nearest")
    facing = scale[:, None, None] * (tracked @ np.swapaxes(turn.as_matrix(), 1, 2))
    facing += (person.rest[rigid] - facing[:, rigid]).mean(1)[:, None]
    return facing, turn.inv().as_euler("YXZ")


def _blinks(person: Neutral, facing: Array, rate_hz: float) -> Array:
    """[T] 0..1: how far the lids are from where they were in the last seconds; real blinks are symmetric."""
    gap = _lid_gaps(person.index, facing).mean(1)
    span = round(1.5 * rate_hz) | 1
    open_gap = gaussian_filter1d(
        percentile_filter(gap, 85, size=span, mode="nearest"), span / 6, mode="nearest"
    )
    open_gap = np.maximum(open_gap, person.shut + 0.02)
    shut = (open_gap - gap) / (open_gap - person.shut)
    return np.asarray(np.clip((shut - 0.15) / 0.85, 0, 1))  # below is the tracker's noise


def _lid_gaps(index: tuple[int, ...], tracked: Array) -> Array:
    """[T, 2] heights of the left and the right eye's opening, IOD."""
    pairs = [[index.index(n) for n in pair] for pair in landmarks.LID_GAPS]
    return np.stack([tracked[:, upper, 1] - tracked[:, lower, 1] for upper, lower in pairs], axis=1)


def _shapes(head: landmarks.Landmarks, moved: Array) -> tuple[Array, float]:
    """[T, len(_SOLVED)] weights for displacements `moved` [T, L, 3], and the error of the lips."""
    shapes = np.stack([head.shapes[INDEX[name]] for name in _SOLVED]).astype(np.float64)
    jaw, close = _SOLVED.index("jawOpen"), _SOLVED.index("mouthClose")
    shapes[close] += shapes[
        jaw
    ]  # solve for "jaw open behind closed lips": lips are never closed beyond the jaw
    design = _measurements(head, shapes)
    normal = design @ design.T + np.diag([_ridge(name) for name in _SOLVED])
    for left, name in enumerate(_SOLVED):
        if name.endswith("Left") and name not in ("jawLeft", "mouthLeft"):
            difference = np.zeros(len(_SOLVED))
            difference[[left, _SOLVED.index(name.removesuffix("Left") + "Right")]] = 1, -1
            normal += _ASYMMETRY * np.outer(difference, difference)
    weights = fit(normal, _measurements(head, moved) @ design.T, _STEADINESS)
    lips = head.rows(landmarks.LIPS)
    missed = moved[:, lips, :2] - np.tensordot(weights, shapes[:, lips, :2], axes=1)
    weights[:, jaw] += weights[:, close]
    return np.clip(weights, 0, 1), float(np.sqrt((missed**2).sum(-1).mean()))


def _ridge(name: str) -> float:
    return _RIDGE.get(name) or _RIDGE[name.removesuffix("Left").removesuffix("Right")]


def _measurements(head: landmarks.Landmarks, moved: Array) -> Array:
    """[N, M] what is compared: weighted coordinates, and the distances that count by themselves."""
    weight = np.zeros((len(head.index), 3))
    weight[head.rows(landmarks.LIPS + landmarks.BROWS)] = 1, 1, _LIPS_DEPTH
    weight[head.rows((50, 280, 205, 425, 187, 411))] = 0.1, 0.1, 0.01
    weight[head.rows((98, 327))] = 0.2, 0.2, 0.02
    weight[head.rows(_CHIN)] = 1.5, 1.5, _CHIN_DEPTH
    weight[head.rows(_JAW_LINE)] = 0.1, 0.1, 0.001
    columns = [(moved * np.sqrt(weight)).reshape(len(moved), -1)]
    for upper, lower, gap_weight in _GAPS:
        a, b = head.rows((upper, lower))
        columns.append(np.sqrt(gap_weight) * (moved[:, a, 1] - moved[:, b, 1])[:, None])
    a, b = head.rows(_CORNERS)
    columns.append(np.sqrt(_CORNERS_WEIGHT) * (moved[:, a, 0] - moved[:, b, 0])[:, None])
    return np.concatenate(columns, axis=1)
