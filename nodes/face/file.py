"""face.file: plays a recorded face."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from rtgraph import EndOfStream, InputFile, NodeConfig, Output, Source, register
from rtgraph.context import Context
from rtgraph.node import Outputs
from rtgraph.nodes.face.face_csv import read_face_csv
from rtgraph.nodes.face.types import Confidence, ExpressionFrame


@register("face.file")
class FaceFile(Source):
    """Plays a face from a CSV file, ours or one recorded by Live Link Face, at a rate of its own.

    A frame is the file's at that time, interpolated. Regions of which the file has no column have confidence
    0, the others 1. Counts `bad_values`: numbers that were NaN (the one before stands in) or out of range.
    """

    class Config(NodeConfig):
        path: InputFile = Field(
            min_length=1, description="beside the graph file, in the working directory, or `asset:`"
        )
        rate_hz: float = Field(50.0, gt=0, le=1000, description="frames a second of the output")
        loop: bool = Field(False, description="begin again at the end, without end")
        frame_rate_hz: float | None = Field(
            None,
            gt=0,
            le=1000,
            description="of a Live Link timecode; none: the usual rate above its largest FF",
        )

    frame = Output(ExpressionFrame, rate_hz=lambda c: c.rate_hz)
    confidence = Output(Confidence, rate_hz=lambda c: c.rate_hz)

    def rate_hz(self) -> float:
        return float(self.config.rate_hz)

    def first_tick_ns(self) -> int:
        hop_ns: int = round(1e9 / self.config.rate_hz)
        return hop_ns  # the face of the first 20 ms of sound

    def open(self, ctx: Context) -> None:
        self._clip = read_face_csv(ctx.find_file(self.config.path), self.config.frame_rate_hz)
        self._confidence = self._clip.regions.astype(np.float32)
        self._untold = self._clip.bad_values
        self.reset()

    def process(self, ctx: Context) -> Outputs:
        if self._untold:
            ctx.count("bad_values", self._untold)
            ctx.warn(f"{self.config.path} has {self._untold} numbers that are NaN or out of range")
            self._untold = 0
        self._sent += 1
        time_s = self._sent / self.config.rate_hz
        end_s = float(self._clip.times_s[-1])
        if self.config.loop and end_s > 0:
            time_s %= end_s
        elif time_s > end_s + 0.5 / self.config.rate_hz:
            raise EndOfStream
        return {"frame": self._clip.at(time_s), "confidence": self._confidence}

    def reset(self) -> None:
        self._sent = 0
