"""Windowed causal attention for new steps of many streams: rotary embedding and a ring of keys and values."""

from __future__ import annotations

from typing import Literal

import numpy as np

from .. import _cpu
from ..linear.check import Array, check_array, check_optional

__all__ = ["RingAttention"]


class RingAttention:
    """The streams of one attention layer: each has a position and a ring of its last `window` keys and
    values.

    cache: keys and values are kept as float32 or bfloat16. isa names an instruction set for tests; None takes
    the best.
    """

    def __init__(
        self,
        streams: int,
        heads: int,
        head_size: int,
        window: int,
        *,
        rotary_base: float = 10_000.0,
        cache: Literal["float32", "bfloat16"] = "float32",
        isa: str | None = None,
    ) -> None:
        for name, value in (("streams", streams), ("heads", heads), ("window", window)):
            if value < 1:
                raise ValueError(f"attention: {name}: expected at least 1, got {value}")
        if head_size % 16 or not 16 <= head_size <= 256:
            raise ValueError(
                f"attention: head_size: expected a multiple of 16 from 16 to 256, got {head_size}"
            )
        if cache not in ("float32", "bfloat16"):
            raise ValueError(f"attention: cache: expected float32 or bfloat16, got {cache!r}")
        self.streams, self.heads, self.head_size, self.window = streams, heads, head_size, window
        self._ring = _cpu.attention.RingAttention(
            streams, heads, head_size, window, rotary_base, cache == "bfloat16", isa
        )

    @property
    def positions(self) -> Array:
        """[streams] int64, the position of each stream's next step; a view that may be written."""
        positions: Array = self._ring.positions
        return positions

    def step(self, qkv: Array, *, reset: Array | None = None, out: Array | None = None) -> Array:
        """One step of every stream: qkv [streams, 3, heads, head_size] float32, finite, not rotated ->
        [streams, heads, head_size].

        reset [streams] bool: where true the stream begins anew with this step. Raises TypeError or ValueError
        where an array does not fit.
        """
        check_array("attention", "qkv", qkv, (self.streams, 3, self.heads, self.head_size))
        if out is None:
            out = np.empty((self.streams, self.heads, self.head_size), np.float32)
        check_array("attention", "out", out, (self.streams, self.heads, self.head_size))
        self.steps(qkv[:, None], reset=reset, out=out[:, None])
        return out

    def steps(self, qkv: Array, *, reset: Array | None = None, out: Array | None = None) -> Array:
        """T steps of every stream: qkv [streams, T, 3, heads, head_size] -> [streams, T, heads, head_size]; a
        reset applies to the first.
        """
        check_array("attention", "qkv", qkv, (self.streams, None, 3, self.heads, self.head_size))
        check_optional("attention", "reset", reset, (self.streams,), np.bool_)
        shape = (self.streams, qkv.shape[1], self.heads, self.head_size)
        out = np.empty(shape, np.float32) if out is None else check_array("attention", "out", out, shape)
        self._ring.steps(qkv, reset, out)
        return out
