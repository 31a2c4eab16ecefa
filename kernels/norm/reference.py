"""RMSNorm with scale and shift in plain numpy, in the precision of its input."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def rms_norm(
    x: Array, gain: Array, scale: Array | None = None, shift: Array | None = None, epsilon: float = 1e-5
) -> Array:
    """x [..., width] -> x / sqrt(mean(x^2) + epsilon) * gain, then y * (1 + scale) + shift (Zhang & Sennrich
    2019).
    """
    y = x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + epsilon) * gain
    return y if scale is None or shift is None else y * (1 + scale) + shift
