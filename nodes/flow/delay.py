"""flow.delay: yesterday's packet today; the one way to close a circle."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from pydantic import Field, field_validator

from rtgraph import ANY_TENSOR, Input, Node, NodeConfig, Output, Packet, register
from rtgraph.context import Context
from rtgraph.node import Outputs


@register("flow.delay")
class Delay(Node):
    """Sends each packet on, with its own timestamp, in a later round: first `initial`, `steps` times, then
    what came.

    What comes out first has to be there before anything came in, so its size is part of the configuration.
    """

    class Config(NodeConfig):
        steps: int = Field(
            1, ge=1, le=65536, description="rounds between a packet's arrival and its departure"
        )
        shape: tuple[int, ...] = Field(
            description="of the packets: [160] for a 10 ms chunk of audio at 16 kHz"
        )
        dtype: str = Field("float32", description="of the packets")
        initial: float | list[Any] = Field(
            0.0, description="what comes out first: a number for every element, or the array as a list"
        )

        @field_validator("dtype")
        @classmethod
        def _check_dtype(cls, dtype: str) -> str:
            try:
                return np.dtype(dtype).name
            except TypeError:
                raise ValueError(
                    f"numpy knows no dtype '{dtype}'; float32, int64 and uint8 are some"
                ) from None

        @field_validator("shape")
        @classmethod
        def _check_shape(cls, shape: tuple[int, ...]) -> tuple[int, ...]:
            if not shape or min(shape) < 1:
                raise ValueError("one size of 1 or more for each dimension")
            return shape

    x = Input(ANY_TENSOR, shape=lambda c: c.shape)
    out = Output(like="x", shape=lambda c: c.shape)

    breaks_cycle = True

    _waiting: deque[Packet] | None = None

    def open(self, ctx: Context) -> Outputs:
        c = self.config
        try:
            self._initial = np.array(np.broadcast_to(np.asarray(c.initial, c.dtype), c.shape))
        except (ValueError, TypeError) as error:
            raise ValueError(f"`initial` does not fill an array of shape {list(c.shape)}: {error}") from None
        if self._initial.dtype.kind == "f" and not np.isfinite(self._initial).all():
            raise ValueError("`initial` holds NaN or infinite numbers, which a circle never loses again")
        self._initial.flags.writeable = False
        self.reset()
        return {"out": self._initial}

    def process(self, x: Any, ctx: Context) -> Outputs:
        # One packet lies in the edge behind this node, put there by `open`; the others wait here.
        if self._waiting is None:
            # Initial values have no capture; the first packet's keeps timestamps in order.
            self._waiting = deque([Packet(self._initial, ctx.timestamp_ns)] * (self.config.steps - 1))
        self._waiting.append(Packet(x, ctx.timestamp_ns))
        return {"out": self._waiting.popleft()}

    def reset(self) -> None:
        self._waiting = None
