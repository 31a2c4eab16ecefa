"""RMSNorm over rows, with the scale and shift that a condition gives."""

from __future__ import annotations

import numpy as np

from .. import _cpu
from ..linear.check import Array, check_array, check_optional

__all__ = ["rms_norm"]


def rms_norm(
    x: Array,
    gain: Array,
    *,
    scale: Array | None = None,
    shift: Array | None = None,
    epsilon: float = 1e-5,
    out: Array | None = None,
    isa: str | None = None,
) -> Array:
    """x [rows, width] float32 -> [rows, width]: x / sqrt(mean(x^2) + epsilon) * gain, then y * (1 + scale) +
    shift.

    gain [width]; scale and shift [rows, width], both or neither; out may be x; isa names an instruction set
    for tests. Raises TypeError or ValueError where an array does not fit.
    """
    check_array("rms_norm", "x", x, (None, None))
    check_array("rms_norm", "gain", gain, (x.shape[1],))
    check_optional("rms_norm", "scale", scale, x.shape)
    check_optional("rms_norm", "shift", shift, x.shape)
    if (scale is None) != (shift is None):
        raise ValueError(
            "rms_norm: scale and shift: expected both or neither, got one; pass zeros for the other"
        )
    out = np.empty_like(x) if out is None else check_array("rms_norm", "out", out, x.shape)
    _cpu.norm.rms_norm(x, gain, scale, shift, epsilon, out, isa)
    return out
