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
_LOOK_IN, _LOOK_OUT, _LOOK_DOWN, _LOOK_UP = (
    _columns(f"eyeLook{way}{{}}") for way in ("In", "Out", "Down", "Up")
)
_EYE_YAW, _EYE_PITCH = (
    np.array([INDEX[f"leftEye{angle}"], INDEX[f"rightEye{angle}"]]) for angle in ("Yaw", "Pitch")
)
_OUTWARD = np.array([1.0, -1.0], np.float32)  # the sign of a yaw away from the nose


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
    yaw, pitch = state[..., _YAW], state[..., _PITCH]
    outward = yaw * (_OUTWARD / EYE_REACH_RAD)
    downward = pitch / EYE_REACH_RAD
    frame[..., _BLINK] = 1 - state[..., _LID]
    frame[..., _EYE_SQUINT] = state[..., _SQUINT]
    frame[..., _EYE_WIDE] = state[..., _WIDE]
    frame[..., _LOOK_OUT], frame[..., _LOOK_IN] = outward, -outward
    frame[..., _LOOK_DOWN], frame[..., _LOOK_UP] = downward, -downward
    np.clip(frame, 0, 1, out=frame)
    frame[..., _EYE_YAW], frame[..., _EYE_PITCH] = yaw, pitch
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
