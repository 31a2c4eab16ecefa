"""The fused product and its rounding of weights in plain numpy, in the precision of its inputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..norm.reference import rms_norm

Array = np.ndarray[Any, np.dtype[Any]]


def silu(x: Array) -> Array:
    return x / (1 + np.exp(-x))


def linear(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    activation: str = "none",
    gain: Array | None = None,
    scale: Array | None = None,
    shift: Array | None = None,
    epsilon: float = 1e-5,
    residual: Array | None = None,
) -> Array:
    """activation(norm(x) weight^T + bias) + residual; x [rows, inputs], weight [columns, inputs].

    activation: none, silu, or swiglu: the first half of the columns are gates, y = silu(gates) * the second
    half.
    """
    if gain is not None:
        x = rms_norm(x, gain, scale, shift, epsilon)
    y = x @ weight.T + (0 if bias is None else bias)
    if activation == "silu":
        y = silu(y)
    elif activation == "swiglu":
        gates, ups = np.split(y, 2, axis=-1)
        y = silu(gates) * ups
    return y if residual is None else y + residual


def round_bfloat16(x: Array) -> Array:
    """The nearest bfloat16 values, ties to even, as float32."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32).astype(np.uint64)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)


def quantise_rows(x: Array) -> tuple[Array, Array]:
    """Integers -127..127 and one scale a row, x ~ integers * scale; weights by output column, inputs by
    stream.
    """
    scale = np.abs(x).max(axis=-1, keepdims=True) / 127
    scale = np.where(scale > 0, scale, 1.0)
    return np.rint(x / scale), scale
