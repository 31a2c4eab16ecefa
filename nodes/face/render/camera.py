"""Where the picture is taken from, and the matrices of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Camera:
    """Looks at `target` from `distance_m` away, turned by yaw and pitch (radians) about it."""

    target: tuple[float, float, float] = (0.0, -0.012, 0.02)  # metres: head and shoulders in the picture
    distance_m: float = 0.92
    yaw: float = 0.0  # positive: from the person's left
    pitch: float = 0.0  # positive: from above
    field_of_view: float = 0.40  # radians, of the picture's height

    @property
    def position(self) -> Floats:
        """[3] metres."""
        horizontal = np.cos(self.pitch)
        back = np.array([np.sin(self.yaw) * horizontal, np.sin(self.pitch), np.cos(self.yaw) * horizontal])
        return (np.array(self.target) + self.distance_m * back).astype(np.float32)

    def view(self) -> Floats:
        """[4, 4]: from the head's space to the camera's, which looks along -Z."""
        return look_at(self.position, np.array(self.target, np.float32))

    def projection(self, width: int, height: int) -> Floats:
        """[4, 4] to clip space."""
        near, far = 0.05, 5.0
        focal = 1.0 / np.tan(self.field_of_view / 2)
        return np.array(
            [
                [focal * height / width, 0, 0, 0],
                [0, focal, 0, 0],
                [0, 0, -(far + near) / (far - near), -2 * far * near / (far - near)],
                [0, 0, -1, 0],
            ],
            np.float32,
        )


def look_at(position: Floats, target: Floats) -> Floats:
    """[4, 4] view from one point to another, upright."""
    back = (position - target) / np.linalg.norm(position - target)
    right = np.cross([0.0, 1.0, 0.0], back)
    right /= np.linalg.norm(right)
    view = np.eye(4)
    view[:3, :3] = right, np.cross(back, right), back
    view[:3, 3] = -view[:3, :3] @ position
    return view.astype(np.float32)


def orthographic(radius: float, depth: float) -> Floats:
    """[4, 4]: a box of this half width and height, `depth` metres ahead."""
    return np.array(
        [[1 / radius, 0, 0, 0], [0, 1 / radius, 0, 0], [0, 0, -2 / depth, -1], [0, 0, 0, 1]], np.float32
    )
