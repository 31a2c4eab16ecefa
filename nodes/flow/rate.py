"""flow.rate: turns packets that come when they like into packets at a steady rate."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from rtgraph import ANY_TENSOR, Input, NodeConfig, Output, Source, register
from rtgraph.context import Context
from rtgraph.node import Outputs


@register("flow.rate")
class Rate(Source):
    """Sends the newest value `rate_hz` times a second, from the first one on: repeated or left out as it
    falls.

    A packet is stamped with the moment for which it is sent; the path latencies in the profile count from the
    value's own capture.
    """

    class Config(NodeConfig):
        rate_hz: float = Field(gt=0, le=1e6, description="packets a second")

    x = Input(ANY_TENSOR, edge="latest")
    out = Output(like="x", rate_hz=lambda c: c.rate_hz)

    endless = True

    def rate_hz(self) -> float:
        return float(self.config.rate_hz)

    def process(self, x: Any, ctx: Context) -> Outputs:
        return {"out": x}
