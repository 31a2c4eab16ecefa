"""Unified Expressions v2: a face frame as the parameters that face-tracked VRChat avatars listen to.

Source: VRCFaceTracking's documentation of its v2 parameters, and how it maps ARKit faces. Left out are
parameters that nothing in a frame of ARKit shapes can move: CheekSuck, JawClench, pupils and others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rtgraph.models.expression import FRAME, INDEX
from rtgraph.nodes.sink.face_frames import Frame

Terms = dict[str, float]

#: Quantities that are no sum of numbers of a frame, computed first. Gaze: parts of the unit vector of the
#: direction, positive to the person's right and up.
_DERIVED = (
    "one",
    "gazeRightLeft", "gazeUpLeft", "gazeRightRight", "gazeUpRight",
    "sadLeft", "sadRight", "squint", "wide",
)  # fmt: skip
_COLUMN = {name: i for i, name in enumerate((*FRAME, *_DERIVED))}


def _both(unified: str, arkit: str | None = None) -> dict[str, Terms]:
    """A shape of two sides: left, right, and their mean under the bare name."""
    left, right = f"{arkit or unified}Left", f"{arkit or unified}Right"
    left, right = left[0].lower() + left[1:], right[0].lower() + right[1:]
    return {
        f"{unified}Left": {left: 1},
        f"{unified}Right": {right: 1},
        unified: {left: 0.5, right: 0.5},
    }


def _same(arkit: str, *unified: str) -> dict[str, Terms]:
    return {name: {arkit: 1} for name in unified}


def _sided(stem: str, arkit: str) -> dict[str, Terms]:
    """A shape that ARKit has once, and Unified Expressions for upper and lower, left and right."""
    parts = ("", "Upper", "Lower", "UpperLeft", "UpperRight", "LowerLeft", "LowerRight")
    return _same(arkit, *(f"{stem}{part}" for part in parts))


def _parameters() -> dict[str, Terms]:
    p: dict[str, Terms] = {
        "EyeLeftX": {"gazeRightLeft": 1},
        "EyeLeftY": {"gazeUpLeft": 1},
        "EyeRightX": {"gazeRightRight": 1},
        "EyeRightY": {"gazeUpRight": 1},
        "EyeX": {"gazeRightLeft": 0.5, "gazeRightRight": 0.5},
        "EyeY": {"gazeUpLeft": 0.5, "gazeUpRight": 0.5},
        # 0 closed, 0.75 open, 1 wide.
        "EyeLidLeft": {"one": 0.75, "eyeBlinkLeft": -0.75, "eyeWideLeft": 0.25},
        "EyeLidRight": {"one": 0.75, "eyeBlinkRight": -0.75, "eyeWideRight": 0.25},
        "EyeLid": {
            "one": 0.75, "eyeBlinkLeft": -0.375, "eyeBlinkRight": -0.375,
            "eyeWideLeft": 0.125, "eyeWideRight": 0.125,
        },
        "EyeOpenLeft": {"one": 1, "eyeBlinkLeft": -1},
        "EyeOpenRight": {"one": 1, "eyeBlinkRight": -1},
        "EyeOpen": {"one": 1, "eyeBlinkLeft": -0.5, "eyeBlinkRight": -0.5},
        **_both("EyeClosed", "eyeBlink"),
        **_both("EyeWide"),
        **_both("EyeSquint"),
        "EyeWide": {"wide": 1},
        "EyeSquint": {"squint": 1},
        "EyesSquint": {"squint": 1},
        **_same("browInnerUp", "BrowInnerUp", "BrowInnerUpLeft", "BrowInnerUpRight"),
        **_both("BrowOuterUp"),
        **_both("BrowDown"),
        **_both("BrowPinch", "browDown"),
        **_both("BrowLowerer", "browDown"),
        "BrowUpLeft": {"browOuterUpLeft": 0.6, "browInnerUp": 0.4},
        "BrowUpRight": {"browOuterUpRight": 0.6, "browInnerUp": 0.4},
        "BrowUp": {"browOuterUpLeft": 0.3, "browOuterUpRight": 0.3, "browInnerUp": 0.4},
        "BrowExpressionLeft": {"browInnerUp": 0.5, "browOuterUpLeft": 0.5, "browDownLeft": -1},
        "BrowExpressionRight": {"browInnerUp": 0.5, "browOuterUpRight": 0.5, "browDownRight": -1},
        "BrowExpression": {
            "browInnerUp": 0.5, "browOuterUpLeft": 0.25, "browOuterUpRight": 0.25,
            "browDownLeft": -0.5, "browDownRight": -0.5,
        },
        **_same("jawOpen", "JawOpen"),
        **_same("jawForward", "JawForward", "JawZ"),
        **_same("jawLeft", "JawLeft"),
        **_same("jawRight", "JawRight"),
        "JawX": {"jawRight": 1, "jawLeft": -1},
        **_same("mouthClose", "MouthClosed"),
        **_same("mouthLeft", "MouthUpperLeft", "MouthLowerLeft"),
        **_same("mouthRight", "MouthUpperRight", "MouthLowerRight"),
        **{name: {"mouthRight": 1, "mouthLeft": -1} for name in ("MouthX", "MouthUpperX", "MouthLowerX")},
        **_sided("LipFunnel", "mouthFunnel"),
        **_sided("LipPucker", "mouthPucker"),
        **_same("mouthPucker", "LipPuckerLeft", "LipPuckerRight"),
        **_same("mouthRollUpper", "LipSuckUpper", "LipSuckUpperLeft", "LipSuckUpperRight"),
        **_same("mouthRollLower", "LipSuckLower", "LipSuckLowerLeft", "LipSuckLowerRight"),
        "LipSuck": {"mouthRollUpper": 0.5, "mouthRollLower": 0.5},
        **_both("MouthUpperUp"),
        **_both("MouthUpperDeepen", "mouthUpperUp"),
        **_both("MouthLowerDown"),
        "MouthOpen": {
            "mouthUpperUpLeft": 0.25, "mouthUpperUpRight": 0.25,
            "mouthLowerDownLeft": 0.25, "mouthLowerDownRight": 0.25,
        },
        **_both("MouthSmile"),
        **_both("MouthCornerPull", "mouthSmile"),
        **_both("MouthCornerSlant", "mouthSmile"),
        **_both("MouthFrown"),
        **_both("MouthStretch"),
        **_both("MouthDimple"),
        **_both("MouthPress"),
        **_same("mouthShrugUpper", "MouthRaiserUpper"),
        **_same("mouthShrugLower", "MouthRaiserLower"),
        "MouthSadLeft": {"sadLeft": 1},
        "MouthSadRight": {"sadRight": 1},
        **_same("cheekPuff", "CheekPuffLeft", "CheekPuffRight"),
        **_same("cheekPuff", "CheekPuffSuck", "CheekPuffSuckLeft", "CheekPuffSuckRight"),
        **_both("CheekSquint"),
        **_both("NoseSneer"),
        **_same("tongueOut", "TongueOut"),
        # VRCFaceTracking's head: radians, positive to the left, up, and where the left side rises.
        "Head/Yaw": {"headYaw": 1},
        "Head/Pitch": {"headPitch": -1},
        "Head/Roll": {"headRoll": 1},
    }  # fmt: skip
    for stem, negative in (
        ("SmileFrown", "mouthFrown{}"),
        ("SmileSad", "sad{}"),
        ("MouthCornerY", "mouthFrown{}"),
    ):
        for side in ("Left", "Right"):
            p[f"{stem}{side}"] = {f"mouthSmile{side}": 1, negative.format(side): -1}
        p[stem] = {name: w / 2 for side in ("Left", "Right") for name, w in p[f"{stem}{side}"].items()}
    return p


#: Every parameter as a weighted sum.
PARAMETERS: dict[str, Terms] = _parameters()

#: What the derived quantities are made of.
_INGREDIENTS = {
    "gazeRightLeft": ("leftEyeYaw", "leftEyePitch"),
    "gazeUpLeft": ("leftEyePitch",),
    "gazeRightRight": ("rightEyeYaw", "rightEyePitch"),
    "gazeUpRight": ("rightEyePitch",),
    "sadLeft": ("mouthFrownLeft", "mouthStretchLeft"),
    "sadRight": ("mouthFrownRight", "mouthStretchRight"),
    "squint": ("eyeSquintLeft", "eyeSquintRight"),
    "wide": ("eyeWideLeft", "eyeWideRight"),
}


def needs(parameter: str) -> set[str]:
    """The numbers of a frame that move a parameter."""
    terms = set(PARAMETERS[parameter]) - {"one"}
    return {name for term in terms for name in _INGREDIENTS.get(term, (term,))}


class UnifiedExpressions:
    """Maps frames to chosen parameters."""

    def __init__(self, names: Sequence[str]) -> None:
        self._weights = np.zeros((len(names), len(_COLUMN)), np.float32)
        for row, name in enumerate(names):
            for term, weight in PARAMETERS[name].items():
                self._weights[row, _COLUMN[term]] = weight

    def __call__(self, frame: Frame) -> NDArray[np.float32]:
        """[n] parameters in -1..1 from a frame [61]."""
        out: NDArray[np.float32] = np.clip(self._weights @ _features(frame), -1.0, 1.0)
        return out


def gaze_vector(yaw: float, pitch: float) -> tuple[float, float, float]:
    """Unit vector of a gaze (radians) as Unity has it: to the person's right, up, forward."""
    return -np.sin(yaw) * np.cos(pitch), -np.sin(pitch), np.cos(yaw) * np.cos(pitch)


def _features(frame: Frame) -> NDArray[np.float32]:
    """[61 + derived] the frame, then what _DERIVED names."""

    def of(name: str) -> float:
        return float(frame[INDEX[name]])

    left = gaze_vector(of("leftEyeYaw"), of("leftEyePitch"))
    right = gaze_vector(of("rightEyeYaw"), of("rightEyePitch"))
    derived = [
        1.0, left[0], left[1], right[0], right[1],
        max(of("mouthFrownLeft"), of("mouthStretchLeft")),
        max(of("mouthFrownRight"), of("mouthStretchRight")),
        max(of("eyeSquintLeft"), of("eyeSquintRight")),
        max(of("eyeWideLeft"), of("eyeWideRight")),
    ]  # fmt: skip
    return np.concatenate([frame, np.array(derived, np.float32)])
