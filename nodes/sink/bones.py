"""Rotations of head and eyes as quaternions, in the axes of glTF and of Unity."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rtgraph.models.expression import INDEX
from rtgraph.nodes.sink.face_frames import Frame

Quaternion = tuple[float, float, float, float]  # x, y, z, w

#: The bones that a face frame turns, by their names in Unity and VRM, and where their yaw, pitch, roll begin.
BONES: dict[str, int] = {
    "Head": INDEX["headYaw"],
    "LeftEye": INDEX["leftEyeYaw"],
    "RightEye": INDEX["rightEyeYaw"],
}


def quaternion(yaw: float, pitch: float, roll: float) -> Quaternion:
    """Of a rotation in glTF's axes, radians: roll about +Z first, then pitch about +X, then yaw about +Y."""
    cy, sy = math.cos(yaw / 2), math.sin(yaw / 2)
    cp, sp = math.cos(pitch / 2), math.sin(pitch / 2)
    cr, sr = math.cos(roll / 2), math.sin(roll / 2)
    return (
        cy * sp * cr + sy * cp * sr,
        sy * cp * cr - cy * sp * sr,
        cy * cp * sr - sy * sp * cr,
        cy * cp * cr + sy * sp * sr,
    )


def in_unity(q: Quaternion) -> Quaternion:
    """The same where +X points to the person's right: Unity is left-handed, its faces look along +Z."""
    x, y, z, w = q
    return x, -y, -z, w


def bone_rotation(frame: Frame, bone: str) -> Quaternion:
    """A bone's local rotation in glTF's axes."""
    yaw, pitch, roll = (float(frame[BONES[bone] + i]) for i in range(3))
    return quaternion(yaw, pitch, roll)


def quaternions(angles: NDArray[np.float64]) -> NDArray[np.float32]:
    """[N, 4] of [N, 3] yaw, pitch, roll; each on the same side as the one before, so that a player that goes
    from one to the next takes the short way."""
    out = np.array([quaternion(*row) for row in angles.tolist()]).reshape(-1, 4)
    flips = np.cumprod(np.where(np.sum(out[1:] * out[:-1], axis=1) < 0, -1, 1))
    out[1:] *= flips[:, None]
    return out.astype(np.float32)
