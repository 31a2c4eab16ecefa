"""What OSC messages say about eyes: Steam Link's, VRCFaceTracking's and VRChat's own."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from rtgraph.models.expression import EYE, EYE_STATE
from rtgraph.models.eye_lift import EYE_REACH_RAD, PUPIL_MM

_YAW, _PITCH, _LID, _SQUINT, _WIDE, _PUPIL, _CONFIDENCE = range(len(EYE))
_SIDES = {"L": 0, "R": 1}
_LONG_SIDES = {"Left": 0, "Right": 1}
_OPEN = 0.75  # of EyeLid: an open eye that is not wide
#: A gaze point tells more than the look weights beside it, until it has been silent for so long.
_POINT_HOLDS_NS = 500_000_000

Values = Sequence[float]


class EyeSignals:
    """The newest eye state, message by message. Unknown addresses are passed over.

    Steam Link: `/sl/eyeTrackedGazePoint fff` (a point before the head: metres to the right, up, back) and
    the weights `/sl/xrfb/facew/*` with their confidence. VRCFaceTracking: `.../v2/EyeLeftX` and the like;
    X and Y are the parts of the unit vector to the right and up, EyeLid is 0..0.75 closed to open, up to 1
    wide. VRChat's own: `/tracking/eye/*` in degrees or vectors. All of them give +yaw to the right.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.eyes: NDArray[np.float32] = np.zeros((2, len(EYE)), np.float32)
        self.eyes[:, _LID], self.eyes[:, _PUPIL], self.eyes[:, _CONFIDENCE] = 1.0, PUPIL_MM, 1.0
        self._weights: dict[str, float] = {}  # Steam Link's, by name
        self._axes = np.zeros((2, 2))  # VRCFaceTracking's, [eye, X and Y]
        self._point_until_ns = 0

    @property
    def state(self) -> NDArray[np.float32]:
        """An eye state [14], a copy."""
        state: NDArray[np.float32] = self.eyes.reshape(-1).copy()
        assert state.size == len(EYE_STATE)
        return state

    def take(self, address: str, values: Values, now_ns: int) -> bool:
        """Follow one message; whether it was about eyes. ValueError: it was, and made no sense."""
        handler, name = _handler(address)
        if handler is None:
            return False
        numbers = [float(v) for v in values if isinstance(v, (int, float))]
        if not numbers or not all(map(math.isfinite, numbers)):
            raise ValueError(f"{address} came with {list(values)[:4]}; expected finite numbers")
        try:
            handler(self, name, numbers, now_ns)
        except IndexError:
            raise ValueError(f"{address} came with {len(numbers)} numbers; expected more") from None
        return True

    def _steam_weight(self, name: str, values: Values, now_ns: int) -> None:
        self._weights[name] = min(max(values[0], 0.0), 1.0)
        w = self._weights.get
        side = name[-1]
        eye = self.eyes[_SIDES[side]]
        shut = w(f"EyesClosed{side}", 0.0)
        # A tightened lid covers more of an eye that closes.
        eye[_LID] = 1 - min(shut + shut * w(f"LidTightener{side}", 0.0), 1.0)
        eye[_SQUINT], eye[_WIDE] = w(f"LidTightener{side}", 0.0), w(f"UpperLidRaiser{side}", 0.0)
        if now_ns >= self._point_until_ns:
            eye[_YAW] = EYE_REACH_RAD * (w(f"EyesLookLeft{side}", 0.0) - w(f"EyesLookRight{side}", 0.0))
            eye[_PITCH] = EYE_REACH_RAD * (w(f"EyesLookDown{side}", 0.0) - w(f"EyesLookUp{side}", 0.0))

    def _steam_point(self, name: str, values: Values, now_ns: int) -> None:
        right, up, back = values[0], values[1], values[2]
        if right == up == back == 0:
            return  # sent while nothing is seen
        self._point_until_ns = now_ns + _POINT_HOLDS_NS
        self._look([0, 1], right, up, -back)

    def _steam_confidence(self, name: str, values: Values, now_ns: int) -> None:
        self.eyes[:, _CONFIDENCE] = min(max(values[0], 0.0), 1.0)

    def _unified(self, name: str, values: Values, now_ns: int) -> None:
        """EyeLeftX, EyeX, EyeLidRight, EyeSquintLeft, ...; without a side: both eyes."""
        what = name.removeprefix("Eyes").removeprefix("Eye").removeprefix("Pupil")
        sides = [0, 1]
        for side, number in _LONG_SIDES.items():
            if side in what:
                what, sides = what.replace(side, ""), [number]
        value = values[0]
        if what in ("X", "Y"):
            self._axes[sides, "XY".index(what)] = min(max(value, -1.0), 1.0)
            for side_number in sides:
                x, y = self._axes[side_number]
                ahead = math.sqrt(max(1 - x * x - y * y, 0.0))
                self._look([side_number], x, y, ahead)
        elif what == "Lid":
            value = min(max(value, 0.0), 1.0)
            self.eyes[sides, _LID] = min(value / _OPEN, 1.0)
            self.eyes[sides, _WIDE] = max(value - _OPEN, 0.0) / (1 - _OPEN)
        elif what in ("Open", "Closed"):
            value = min(max(value, 0.0), 1.0)
            self.eyes[sides, _LID] = value if what == "Open" else 1 - value
        elif what == "Squint":
            self.eyes[sides, _SQUINT] = min(max(value, 0.0), 1.0)
        elif what == "Wide":
            self.eyes[sides, _WIDE] = min(max(value, 0.0), 1.0)
        elif what == "Diameter":
            self.eyes[sides, _PUPIL] = min(max(value, 1.0), 10.0)

    def _vrchat(self, name: str, values: Values, now_ns: int) -> None:
        if name == "EyesClosedAmount":
            self.eyes[:, _LID] = 1 - min(max(values[0], 0.0), 1.0)
        elif name in ("CenterPitchYaw", "CenterPitchYawDist"):
            self._turn([0, 1], values[0], values[1])
        elif name == "LeftRightPitchYaw":
            left, right = values[0:2], values[2:4]
            self._turn([0], left[0], left[1])
            self._turn([1], right[0], right[1])
        elif name in ("CenterVec", "CenterVecFull"):
            self._look([0, 1], values[0], values[1], values[2])
        elif name == "LeftRightVec":
            self._look([0], values[0], values[1], values[2])
            self._look([1], values[3], values[4], values[5])

    def _look(self, eyes: list[int], right: float, up: float, ahead: float) -> None:
        """Towards a point, in the units of any vector."""
        self.eyes[eyes, _YAW] = -math.atan2(right, max(ahead, 1e-6))
        self.eyes[eyes, _PITCH] = -math.atan2(up, math.hypot(right, max(ahead, 1e-6)))

    def _turn(self, eyes: list[int], down_deg: float, right_deg: float) -> None:
        down_deg, right_deg = (min(max(angle, -90.0), 90.0) for angle in (down_deg, right_deg))
        self.eyes[eyes, _YAW], self.eyes[eyes, _PITCH] = -math.radians(right_deg), math.radians(down_deg)


Handler = Callable[[EyeSignals, str, Values, int], None]

_STEAM_WEIGHTS = {
    f"{name}{side}"
    for name in (
        *("EyesClosed", "EyesLookDown", "EyesLookLeft", "EyesLookRight", "EyesLookUp"),
        *("LidTightener", "UpperLidRaiser"),
    )
    for side in _SIDES
}
_ONE_OR_BOTH = ("", *_LONG_SIDES)
_UNIFIED = {
    *(f"Eye{side}{axis}" for side in _ONE_OR_BOTH for axis in "XY"),
    *(f"Eye{what}{side}" for what in ("Lid", "Open", "Closed", "Squint", "Wide") for side in _ONE_OR_BOTH),
    *(f"PupilDiameter{side}" for side in _LONG_SIDES),
}
_VRCHAT = {
    *("EyesClosedAmount", "CenterPitchYaw", "CenterPitchYawDist", "LeftRightPitchYaw"),
    *("CenterVec", "CenterVecFull", "LeftRightVec"),
}


def _handler(address: str) -> tuple[Handler | None, str]:
    head, _, name = address.rpartition("/")
    if head == "/sl/xrfb/facew" and name in _STEAM_WEIGHTS:
        return EyeSignals._steam_weight, name
    if address == "/sl/eyeTrackedGazePoint":
        return EyeSignals._steam_point, name
    if address == "/sl/xrfb/facec/UpperFace":
        return EyeSignals._steam_confidence, name
    if head == "/tracking/eye" and name in _VRCHAT:
        return EyeSignals._vrchat, name
    if head.startswith("/avatar/parameters") and head.endswith("v2") and name in _UNIFIED:
        return EyeSignals._unified, name
    return None, name
