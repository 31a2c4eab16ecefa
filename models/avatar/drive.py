"""From an ExpressionFrame to what a rig is driven by: values in range, eyes that agree, lids that meet.

The plain truth; kernels/decode/drive.h does the same for a frame of the live graph.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rtgraph.models.expression import ANGLES, ARKIT, INDEX

from .head import Corrective

Array = npt.NDArray[np.float64]

FULL_LOOK_RAD = np.pi / 6  # of an eyeLook shape at 1
HEAD_LIMIT_RAD = 1.2
EYE_LIMIT_RAD = 0.8
_SIDES = (("Left", 1.0), ("Right", -1.0))  # outward is +yaw for the left eye, -yaw for the right one


def rig_inputs(frame: npt.ArrayLike, correctives: list[Corrective]) -> npt.NDArray[np.float32]:
    """One finite ExpressionFrame [61] -> the rig's inputs [52 + C + 9]: weights, correctives, angles.

    Weights are taken to 0..1, angles to what a neck and an eye can do. An eye turns by its angle or by its
    eyeLook shapes, whichever says more, and its lids follow. A closing lid takes over from the gaze and from
    eyeWide and eyeSquint, so that lids meet and do not cross; mouthClose closes no more than jawOpen opens.
    """
    x = np.asarray(frame, np.float64)
    weights = np.clip(x[: len(ARKIT)], 0.0, 1.0)
    angles = np.clip(x[len(ARKIT) :], -EYE_LIMIT_RAD, EYE_LIMIT_RAD)
    angles[:3] = np.clip(x[len(ARKIT) : len(ARKIT) + 3], -HEAD_LIMIT_RAD, HEAD_LIMIT_RAD)
    for side, outward in _SIDES:
        yaw = ANGLES.index(f"{side.lower()}EyeYaw")
        _agree(weights, angles, yaw, f"eyeLookOut{side}", f"eyeLookIn{side}", outward)
        _agree(weights, angles, yaw + 1, f"eyeLookDown{side}", f"eyeLookUp{side}", 1.0)
        open_share = 1.0 - weights[INDEX[f"eyeBlink{side}"]]
        for shape in ("LookIn", "LookOut", "LookDown", "LookUp", "Wide", "Squint"):
            weights[INDEX[f"eye{shape}{side}"]] *= open_share
    close = INDEX["mouthClose"]
    weights[close] = min(weights[close], weights[INDEX["jawOpen"]])
    extra = [_corrective(weights, corrective) for corrective in correctives]
    return np.concatenate([weights, extra, angles]).astype(np.float32)


def _agree(weights: Array, angles: Array, angle: int, more: str, less: str, sign: float) -> None:
    """Two opposite eyeLook shapes and the angle that says the same: the larger one holds for both."""
    given = angles[angle]
    implied = sign * FULL_LOOK_RAD * (weights[INDEX[more]] - weights[INDEX[less]])
    taken = given if abs(given) >= abs(implied) else implied
    angles[angle] = taken
    share = sign * taken / FULL_LOOK_RAD
    weights[INDEX[more]] = min(max(weights[INDEX[more]], share), 1.0)
    weights[INDEX[less]] = min(max(weights[INDEX[less]], -share), 1.0)


def _corrective(weights: Array, corrective: Corrective) -> float:
    second = weights[INDEX[corrective.second]]
    return float(weights[INDEX[corrective.first]] * (1.0 - second if corrective.inverted else second))
