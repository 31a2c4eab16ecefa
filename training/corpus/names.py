"""The 61 numbers of an expression frame: ARKit-52 in Live Link's order, then the head's and the eyes'
angles.
"""

from __future__ import annotations

_SIDES = ("Left", "Right")
_EYE = ("Blink", "LookDown", "LookIn", "LookOut", "LookUp", "Squint", "Wide")
ARKIT: tuple[str, ...] = (
    *(f"eye{shape}Left" for shape in _EYE),
    *(f"eye{shape}Right" for shape in _EYE),
    "jawForward", "jawLeft", "jawRight", "jawOpen",
    "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight",
    *(f"mouth{shape}{side}" for shape in ("Smile", "Frown", "Dimple", "Stretch") for side in _SIDES),
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    *(f"mouth{shape}{side}" for shape in ("Press", "LowerDown", "UpperUp") for side in _SIDES),
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip
ANGLES: tuple[str, ...] = (
    "headYaw", "headPitch", "headRoll",
    "leftEyeYaw", "leftEyePitch", "leftEyeRoll", "rightEyeYaw", "rightEyePitch", "rightEyeRoll",
)  # fmt: skip
FRAME: tuple[str, ...] = ARKIT + ANGLES
INDEX: dict[str, int] = {name: i for i, name in enumerate(FRAME)}


def both(name: str) -> tuple[str, ...]:
    """The columns of a name: itself, or its left and right."""
    return (name,) if name in INDEX else (f"{name}Left", f"{name}Right")
