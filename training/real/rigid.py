"""The turn, scale and shift that lay one set of points onto another (Umeyama 1991), for many sets at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Rigid:
    """points -> scale * turn @ point + shift; one for each set, or a single one."""

    turn: Array  # [..., 3, 3]
    scale: Array  # [...]
    shift: Array  # [..., 3]

    def rotate(self, points: Array) -> Array:
        """[..., L, 3] turned only."""
        return points @ np.swapaxes(self.turn, -1, -2)

    def apply(self, points: Array) -> Array:
        """[..., L, 3] turned, scaled and shifted."""
        return self.scale[..., None, None] * self.rotate(points) + self.shift[..., None, :]


def rigid_fit(points: Array, onto: Array) -> Rigid:
    """Least squares from `points` [..., L, 3] onto `onto` [..., L, 3]."""
    centre, aim = points.mean(-2, keepdims=True), onto.mean(-2, keepdims=True)
    u, size, vt = np.linalg.svd(np.swapaxes(points - centre, -1, -2) @ (onto - aim))
    sign = np.ones_like(size)
    sign[..., 2] = np.sign(np.linalg.det(u @ vt))  # a turn, never a mirror
    turn = np.swapaxes((u * sign[..., None, :]) @ vt, -1, -2)
    scale = (size * sign).sum(-1) / ((points - centre) ** 2).sum((-1, -2))
    shift = aim[..., 0, :] - scale[..., None] * (turn @ centre[..., 0, :, None])[..., 0]
    return Rigid(turn, scale, shift)
