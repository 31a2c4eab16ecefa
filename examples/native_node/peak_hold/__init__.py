"""example.peak_hold: Python declares the ports and options, C++ does the work."""

from __future__ import annotations

from pydantic import Field

from peak_hold import _peak_hold
from rtgraph import ANY_TENSOR, Input, NativeNode, NodeConfig, Output, TensorType, register

Level = TensorType("Level", "float32", (1,), unit="full scale")


@register("example.peak_hold")
class PeakHold(NativeNode):
    """The largest magnitude of each array, held and let fall like the needle of a level meter."""

    class Config(NodeConfig):
        fall_per_s: float = Field(
            3.0, gt=0, description="how fast the level falls: by the factor e in 1/fall_per_s s"
        )

    x = Input(ANY_TENSOR)
    level = Output(Level)

    def native(self) -> object:
        return _peak_hold.peak_hold(self.config.fall_per_s)
