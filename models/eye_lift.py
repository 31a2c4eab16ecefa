"""How an eye state becomes numbers of the face: those of an expression frame, and the encoder's eye input."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .expression import EYE, EYE_STATE, FRAME, INDEX

Floats = NDArray[np.float32]

#: An ARKit look shape is 1 at this angle.
EYE_REACH_RAD = float(np.radians(30.0))
#: Width of the encoder's eye input.
EYE_INPUT = 160
#: What the eye state of a face that says nothing about its pupils gets.
PUPIL_MM = 4.0

# An element of the lift is (number of the state - offset) * scale: all of them about -1..1.
_OFFSET = np.array([0.0, 0.0, 0.5, 0.0, 0.0, PUPIL_MM, 0.0] * 2, np.float32)
_SCALE = np.array([1 / EYE_REACH_RAD, 1 / EYE_REACH_RAD, 2.0, 1.0, 1.0, 0.5, 1.0] * 2, np.float32)

_YAW, _PITCH, _LID, _SQUINT, _WIDE, _PUPIL, _CONFIDENCE = (
    np.array([i, i + len(EYE)]) for i in range(len(EYE))
)


def _columns(name: str) -> NDArray[np.intp]:
    return np.array([INDEX[name.format(side)] for side in ("Left", "Right")])


_BLINK, _EYE_SQUINT, _EYE_WIDE = (_columns(f"eye{shape}{{}}") for shape in ("Blink", "Squint", "Wide"))
_EYE_YAW, _EYE_PITCH = (
    np.array([INDEX[f"leftEye{angle}"], INDEX[f"rightEye{angle}"]]) for angle in ("Yaw", "Pitch")
)

# What eyes show, as (shape, number of the state, gain, shape at 0): number * gain + shape at 0, in 0..1.
_SHOWN = [
    (f"{shape}{side}", EYE.index(number) + eye * len(EYE), gain, at_zero)
    for eye, side, outward in ((0, "Left", 1.0), (1, "Right", -1.0))  # the sign of a yaw away from the nose
    for shape, number, gain, at_zero in (
        ("eyeBlink", "lid", -1.0, 1.0),
        ("eyeSquint", "squint", 1.0, 0.0),
        ("eyeWide", "wide", 1.0, 0.0),
        ("eyeLookOut", "gazeYaw", outward / EYE_REACH_RAD, 0.0),
        ("eyeLookIn", "gazeYaw", -outward / EYE_REACH_RAD, 0.0),
        ("eyeLookDown", "gazePitch", 1 / EYE_REACH_RAD, 0.0),
        ("eyeLookUp", "gazePitch", -1 / EYE_REACH_RAD, 0.0),
    )
]
_SHAPES = np.array([INDEX[shape] for shape, *_ in _SHOWN])
_NUMBERS = np.array([number for _, number, *_ in _SHOWN])
_GAINS, _AT_ZERO = np.array([numbers for _, _, *numbers in _SHOWN], np.float32).T


def lift(state: Floats) -> Floats:
    """The encoder's eye input [..., 160] of an eye state [..., 14]: its normalised numbers, then zeros.

    Fixed, so that networks trained with it stay right. Normalised: gaze / 30 degrees, 2 lid - 1, squint,
    wide, (pupil - 4 mm) / 2, confidence; left eye first.
    """
    out = np.zeros((*state.shape[:-1], EYE_INPUT), np.float32)
    out[..., : len(EYE_STATE)] = (state - _OFFSET) * _SCALE
    return out


def to_frame(state: Floats) -> Floats:
    """The lids and the gaze of an eye state [..., 14] in expression frames [..., 61]; all else is 0.

    eyeBlink is 1 - lid, in 0..1; eyeLook* is the angle over 30 degrees, up to 1.
    """
    frame = np.zeros((*state.shape[:-1], len(FRAME)), np.float32)
    shapes = state[..., _NUMBERS] * _GAINS + _AT_ZERO
    # For one frame faster than np.clip.
    frame[..., _SHAPES] = np.minimum(np.maximum(shapes, 0.0), 1.0)
    frame[..., _EYE_YAW], frame[..., _EYE_PITCH] = state[..., _YAW], state[..., _PITCH]
    return frame


def from_frame(frame: Floats) -> Floats:
    """The eye state [..., 14] that expression frames [..., 61] show: the inverse of `to_frame`, with a pupil
    of 4 mm and confidence 1."""
    state = np.empty((*frame.shape[:-1], len(EYE_STATE)), np.float32)
    state[..., _YAW], state[..., _PITCH] = frame[..., _EYE_YAW], frame[..., _EYE_PITCH]
    state[..., _LID] = 1 - frame[..., _BLINK]
    state[..., _SQUINT], state[..., _WIDE] = frame[..., _EYE_SQUINT], frame[..., _EYE_WIDE]
    state[..., _PUPIL], state[..., _CONFIDENCE] = PUPIL_MM, 1.0
    return state
