"""debug.pulse, debug.relay, debug.discard: native nodes that do nothing, for measuring what the runtime
costs."""

from __future__ import annotations

from pydantic import Field

from rtgraph import ANY_TENSOR, Input, NativeNode, NodeConfig, Output, Source, TensorType, register
from rtgraph.nodes import _native

Pulses = TensorType("Pulses", "float32", (None,), doc="the first element counts, the rest is ballast")


@register("debug.pulse")
class Pulse(NativeNode, Source):
    """Sends arrays whose first element counts up from 0: at a rate, or as fast as they are taken."""

    class Config(NodeConfig):
        size: int = Field(1024, ge=1, description="elements of an array")
        rate_hz: float | None = Field(None, gt=0, description="arrays a second; without it, no pause")
        count: int = Field(0, ge=0, description="how many arrays; 0: without end")

    out = Output(Pulses, shape=lambda c: (c.size,), rate_hz=lambda c: c.rate_hz)

    def rate_hz(self) -> float | None:
        return self.config.rate_hz

    def native(self) -> object:
        return _native.pulse(self.config.count)


@register("debug.relay")
class Relay(NativeNode):
    """Passes packets on without a copy."""

    x = Input(ANY_TENSOR)
    out = Output(like="x")

    def native(self) -> object:
        return _native.relay()


@register("debug.discard")
class Discard(NativeNode):
    """Takes packets and drops them."""

    x = Input(ANY_TENSOR)

    def native(self) -> object:
        return _native.discard()
