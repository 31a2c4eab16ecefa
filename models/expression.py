"""What the numbers of a face are called: an expression frame, its regions, eye states and emotions."""

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
FRAME: tuple[str, ...] = ARKIT + ANGLES  # weights 0..1, then radians
INDEX: dict[str, int] = {name: i for i, name in enumerate(FRAME)}

#: The parts of a face that can come from different sources, in the order of a frame's six confidences.
REGIONS: tuple[str, ...] = ("brows", "lids", "gaze", "mouth", "jaw", "head")

#: An eye as a camera or a gaze source sees it; an eye state is these seven for the left eye, then the right.
EYE: tuple[str, ...] = ("gazeYaw", "gazePitch", "lid", "squint", "wide", "pupilMm", "confidence")
EYE_STATE: tuple[str, ...] = tuple(f"{name}{side}" for side in _SIDES for name in EYE)

#: Weights 0..1 of an emotion vector.
EMOTIONS: tuple[str, ...] = ("neutral", "happy", "sad", "angry", "fear", "disgust", "surprise", "contempt")


def both(name: str) -> tuple[str, ...]:
    """The columns of a name: itself, or its left and right."""
    return (name,) if name in INDEX else (f"{name}Left", f"{name}Right")


def region(name: str) -> str:
    """Which of REGIONS a number of the frame belongs to."""
    if name.startswith("brow"):
        return "brows"
    if name.startswith(("eyeBlink", "eyeSquint", "eyeWide")):
        return "lids"
    if name.startswith(("eyeLook", "leftEye", "rightEye")):
        return "gaze"
    if name.startswith("jaw"):
        return "jaw"
    if name.startswith("head"):
        return "head"
    return "mouth"  # mouth*, cheek*, nose*, tongueOut
