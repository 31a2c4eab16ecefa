"""debug.print: what passes here, a line a packet."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field

from rtgraph import ANY_TENSOR, Input, Node, NodeConfig, register
from rtgraph.context import Context


@register("debug.print")
class Print(Node):
    """Prints number, age, dtype, shape, least, greatest and mean value of every N-th packet.

    It never holds the graph up: where the terminal is slow, packets are dropped, and counted at the edge.
    """

    class Config(NodeConfig):
        every: int = Field(1, ge=1, description="print one packet in so many")

    x = Input(ANY_TENSOR, overflow="drop_oldest")

    blocking = True

    def open(self, ctx: Context) -> None:
        self.reset()

    def process(self, x: Any, ctx: Context) -> None:
        if self._passed % self.config.every == 0:
            time_s, age_ms = ctx.timestamp_ns * 1e-9, (ctx.now_ns() - ctx.timestamp_ns) * 1e-6
            line = f"{self.name} #{ctx.seq}  t={time_s:.6f} s  age={age_ms:.2f} ms  {describe(np.asarray(x))}"
            print(line, flush=True)
        self._passed += 1

    def reset(self) -> None:
        self._passed = 0


def describe(x: np.ndarray[Any, Any]) -> str:
    """One array in one line."""
    text = f"{x.dtype} {list(x.shape)}"
    if x.size == 0 or x.dtype.kind not in "biuf":
        return text
    if x.size == 1:
        return f"{text}  {x.item():.6g}"
    finite = x[np.isfinite(x)]
    if finite.size < x.size:
        text += f"  {np.isnan(x).sum()} NaN, {np.isinf(x).sum()} Inf"
        if finite.size == 0:
            return text
        text += "; of the others"
    return f"{text}  min={finite.min():.4g} max={finite.max():.4g} mean={finite.mean():.4g}"
