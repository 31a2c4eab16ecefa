"""eye.one_euro: smooths an eye state, signal by signal."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field

from rtgraph import Input, Node, NodeConfig, Output, register
from rtgraph.context import Context
from rtgraph.models.expression import EYE, EYE_STATE
from rtgraph.node import Outputs
from rtgraph.nodes.face.last_good import LastGood
from rtgraph.nodes.face.one_euro import OneEuro, Smoothing, by_number
from rtgraph.nodes.face.types import EyeState


@register("eye.one_euro")
class EyeOneEuro(Node):
    """Smooths gaze, lids, squint, wide and pupils with the real time between packets; confidence passes.

    `raw` sends what came in, at the same time, for those that want it unfiltered.
    """

    class Config(NodeConfig):
        gaze: Smoothing | None = Field(Smoothing(cutoff_hz=3.0, beta=6.0), description="none: as it comes")
        lid: Smoothing | None = Field(Smoothing(cutoff_hz=6.0, beta=4.0), description="blinks want much beta")
        squint: Smoothing | None = Field(Smoothing(cutoff_hz=3.0, beta=1.0), description="none: as it comes")
        wide: Smoothing | None = Field(Smoothing(cutoff_hz=3.0, beta=1.0), description="none: as it comes")
        pupil: Smoothing | None = Field(Smoothing(cutoff_hz=1.0, beta=0.1), description="none: as it comes")

    state = Input(EyeState)
    out = Output(EyeState)
    raw = Output(EyeState)

    def open(self, ctx: Context) -> None:
        self.reset()

    def process(self, state: Any, ctx: Context) -> Outputs:
        good = self._good.of(state, ctx)
        return {"out": self._filter(good, ctx.timestamp_ns), "raw": good}

    def reset(self) -> None:
        c = self.config
        one_eye: list[Smoothing | None] = [c.gaze, c.gaze, c.lid, c.squint, c.wide, c.pupil, None]
        assert len(one_eye) == len(EYE)
        self._filter = OneEuro(*by_number(one_eye * 2))
        self._good = LastGood("state", np.zeros(len(EYE_STATE), np.float32))
