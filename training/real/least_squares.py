"""Bounded least squares over the frames of a clip, steady in time: accelerated projected gradients."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def fit(
    normal: Array,  # [K, K] design' design + ridge, positive definite
    target: Array,  # [F, K] residual @ design
    steadiness: float,
    rounds: int = 300,
) -> Array:
    """[F, K] x >= 0 with the least sum over f of x_f' normal x_f - 2 x_f target_f, plus `steadiness` times
    the squared second differences.

    FISTA (Beck and Teboulle 2009) with its restart (O'Donoghue and Candes 2015).
    """
    step = 1.0 / (np.linalg.eigvalsh(normal)[-1] + 16 * steadiness)
    x = np.zeros_like(target)
    ahead, momentum = x, 1.0
    for _ in range(rounds):
        gradient = ahead @ normal - target
        if len(x) > 2:
            bend = steadiness * (ahead[:-2] - 2 * ahead[1:-1] + ahead[2:])
            gradient[:-2] += bend
            gradient[1:-1] -= 2 * bend
            gradient[2:] += bend
        moved = np.maximum(ahead - step * gradient, 0.0)
        if np.vdot(ahead - moved, moved - x) > 0:
            momentum = 1.0
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = moved + (momentum - 1) / following * (moved - x)
        x, momentum = moved, following
    return x
