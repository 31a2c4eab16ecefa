"""The 15 visemes: which ARKit shapes make each, and how much of each is in a face."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rtgraph.models.expression import INDEX
from rtgraph.nodes.sink.face_frames import Frame

VISEMES = ("sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "ih", "oh", "ou")

#: What a viseme looks like at its fullest, in ARKit shapes; one that has two sides stands for both.
#: Drawn up by hand after the viseme reference pictures of Oculus and the descriptions of ARKit's shapes.
SHAPES: dict[str, dict[str, float]] = {
    "PP": {"mouthRollLower": 0.35, "mouthRollUpper": 0.35, "mouthPress": 0.5, "mouthClose": 0.1},
    "FF": {"jawOpen": 0.06, "mouthRollLower": 0.55, "mouthUpperUp": 0.25, "mouthShrugUpper": 0.15},
    "TH": {"jawOpen": 0.14, "mouthLowerDown": 0.22, "mouthUpperUp": 0.10, "tongueOut": 0.45},
    "DD": {"jawOpen": 0.12, "mouthLowerDown": 0.28, "mouthUpperUp": 0.12, "mouthShrugLower": 0.08},
    "kk": {"jawOpen": 0.20, "mouthLowerDown": 0.22, "mouthUpperUp": 0.18, "mouthStretch": 0.06},
    "CH": {"jawOpen": 0.08, "mouthFunnel": 0.50, "mouthLowerDown": 0.22, "mouthUpperUp": 0.22},
    "SS": {"jawOpen": 0.04, "mouthStretch": 0.30, "mouthLowerDown": 0.30, "mouthUpperUp": 0.15},
    "nn": {"jawOpen": 0.10, "mouthLowerDown": 0.16, "mouthUpperUp": 0.10, "mouthShrugLower": 0.20},
    "RR": {"jawOpen": 0.12, "mouthFunnel": 0.30, "mouthPucker": 0.25, "mouthLowerDown": 0.12},
    "aa": {"jawOpen": 0.60, "mouthLowerDown": 0.35, "mouthUpperUp": 0.20},
    "E": {"jawOpen": 0.30, "mouthStretch": 0.30, "mouthSmile": 0.15, "mouthLowerDown": 0.30},
    "ih": {"jawOpen": 0.18, "mouthSmile": 0.35, "mouthStretch": 0.20, "mouthLowerDown": 0.22},
    "oh": {"jawOpen": 0.40, "mouthFunnel": 0.50, "mouthPucker": 0.20},
    "ou": {"jawOpen": 0.16, "mouthFunnel": 0.30, "mouthPucker": 0.75},
}  # fmt: skip

#: The shapes that tell visemes apart, each as the mean of its sides.
_SEEN = tuple(dict.fromkeys(name for shapes in SHAPES.values() for name in shapes))
#: Pulls towards no weight at all, so that visemes that look alike share instead of taking turns.
_RIDGE = 0.002
_NOTHING = 1e-9

_BASIS = np.array([[shapes.get(name, 0.0) for name in _SEEN] for shapes in SHAPES.values()])  # [14, seen]
_GRAM = _BASIS @ _BASIS.T + _RIDGE * np.eye(len(_BASIS))


def _reader() -> NDArray[np.float64]:
    """[seen, 61] takes the shapes out of a frame."""
    out = np.zeros((len(_SEEN), len(INDEX)))
    for row, name in enumerate(_SEEN):
        sides = [name] if name in INDEX else [f"{name}Left", f"{name}Right"]
        for side in sides:
            out[row, INDEX[side]] = 1 / len(sides)
    return out


_TO_BASIS = _BASIS @ _reader()  # [14, 61]


def viseme_weights(frame: Frame) -> NDArray[np.float32]:
    """[15] weights 0..1 that add up to 1, in the order of VISEMES, from a frame [61].

    The sum of visemes that comes nearest to the face, none negative; what is missing to 1 is silence. So a
    mouth half open for "aa" is half aa and half sil.
    """
    w = _nonnegative(_TO_BASIS @ frame)
    total = float(w.sum())
    if total > 1:
        w /= total
    return np.concatenate([[max(0.0, 1.0 - total)], w]).astype(np.float32)


def _nonnegative(target: NDArray[np.float64]) -> NDArray[np.float64]:
    """[14] the w >= 0 with the least w G w / 2 - target w, G being _GRAM.

    The active set method of Lawson and Hanson (1974): visemes come in one by one while that brings the sum
    nearer to the face, and go out where their weight would turn negative. G is positive definite, so that the
    answer is one, and no set comes twice.
    """
    w = np.zeros(len(target))
    active: list[int] = []
    for _ in range(3 * len(target)):
        pull = target - _GRAM @ w
        pull[active] = 0.0
        best = int(pull.argmax())
        if pull[best] < _NOTHING:
            break
        active.append(best)
        while active:
            solved = np.linalg.solve(_GRAM[np.ix_(active, active)], target[active])
            if solved.min() > 0:
                w[:] = 0.0
                w[active] = solved
                break
            now = w[active]
            falling = solved <= 0
            step = float(np.min(now[falling] / (now[falling] - solved[falling])))
            w[active] = now + step * (solved - now)
            active = [i for i in active if w[i] > _NOTHING]
            w[[i for i in range(len(w)) if i not in active]] = 0.0
    return w
