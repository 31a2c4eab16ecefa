"""face.gain: how strongly each shape moves, fitted to a person; a mouth at rest where nobody speaks."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field, field_validator, model_validator

from rtgraph import ANY_TENSOR, Input, Node, NodeConfig, Output, register
from rtgraph.context import Context
from rtgraph.models.expression import ARKIT, FRAME
from rtgraph.node import Outputs
from rtgraph.nodes.face.columns import HIGH, LOW, NEUTRAL, columns
from rtgraph.nodes.face.last_good import LastGood
from rtgraph.nodes.face.types import ExpressionFrame

#: What speech moves; a smile, a frown or a sneer stays when the gate closes.
SPOKEN = (
    *("jaw", "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight", "mouthRollLower"),
    *("mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthLowerDown", "mouthUpperUp", "tongueOut"),
)


class Adjust(NodeConfig):
    """offset + gain * ((x - low) / (high - low)) ** curve, the bracket held in 0..1 where x is a weight.

    Angles take gain and offset alone.
    """

    gain: float = Field(1.0, ge=-10, le=10, description="factor")
    offset: float = Field(0.0, ge=-4, le=4, description="what is added: a weight, or radians")
    curve: float = Field(1.0, gt=0, le=10, description="exponent; above 1 small motions get smaller")
    low: float = Field(0.0, ge=0, le=1, description="what this person's face at rest gives: it becomes 0")
    high: float = Field(1.0, ge=0, le=1, description="what their fullest motion gives: it becomes 1")

    @model_validator(mode="after")
    def _check(self) -> Adjust:
        if self.low >= self.high:
            raise ValueError(f"low ({self.low:g}) must be below high ({self.high:g})")
        return self


@register("face.gain")
class Gain(Node):
    """Scales, shifts and bends the numbers of a face, and calibrates it.

    `shapes` names what is changed: a shape, a pair without its side, an angle, a region or `all`; later
    entries overrule earlier ones, whole. With `rest_s` the face is watched for so long at the beginning,
    while the person rests; the mean of that is taken off the weights and the head's angles from then on.
    With `speech` connected the shapes that speech moves fade to 0 where there is none.
    """

    class Config(NodeConfig):
        shapes: dict[str, Adjust] = Field(
            {}, description="such as {jawOpen: {gain: 1.3}, eyeBlink: {high: 0.8}}"
        )
        rest_s: float = Field(0.0, ge=0, le=60, description="seconds of rest to calibrate with; 0: none")
        open_ms: float = Field(40.0, ge=0, description="how fast the mouth is freed when speech begins")
        close_ms: float = Field(200.0, ge=0, description="how fast it comes to rest when speech has ended")

        @field_validator("shapes")
        @classmethod
        def _check_names(cls, shapes: dict[str, Adjust]) -> dict[str, Adjust]:
            for name in shapes:
                columns(name)
            return shapes

    frame = Input(ExpressionFrame)
    speech = Input(ANY_TENSOR, shape=(1,), edge="latest", optional=True, doc="presence of speech, 0..1")
    out = Output(like="frame")

    _last_ns: int | None  # the packet before

    def open(self, ctx: Context) -> None:
        n = len(FRAME)
        self._gain, self._curve = np.ones(n, np.float32), np.ones(n, np.float32)
        self._offset, self._low = np.zeros(n, np.float32), np.zeros(n, np.float32)
        self._span = np.ones(n, np.float32)
        for name, a in self.config.shapes.items():
            of = columns(name)
            self._gain[of], self._offset[of] = a.gain, a.offset
            weights = of[of < len(ARKIT)]
            self._curve[weights], self._low[weights], self._span[weights] = a.curve, a.low, a.high - a.low
        self._bent = bool((self._curve != 1).any())
        self._spoken = np.unique(np.concatenate([columns(name) for name in SPOKEN]))
        self._resting = np.concatenate([columns("head"), np.arange(len(ARKIT))])
        self.reset()

    def process(self, frame: Any, speech: Any, ctx: Context) -> Outputs:
        passed_ms = 0.0 if self._last_ns is None else (ctx.timestamp_ns - self._last_ns) * 1e-6
        self._last_ns = ctx.timestamp_ns
        y = self._good.of(frame, ctx) - self._rest_of(frame, passed_ms)
        y -= self._low
        y /= self._span
        weights = y[: len(ARKIT)]
        np.clip(weights, 0, 1, out=weights)
        if self._bent:
            np.power(weights, self._curve[: len(ARKIT)], out=weights)
        y *= self._gain
        y += self._offset
        if speech is not None:
            y[self._spoken] *= self._gate(float(speech[0]), passed_ms)
        np.clip(y, LOW, HIGH, out=y)
        return {"out": y}

    def reset(self) -> None:
        self._good = LastGood("frame", NEUTRAL)
        self._last_ns = None
        self._watched_s, self._watched = 0.0, 0
        self._sum = np.zeros(len(FRAME))
        self._rest = np.zeros(len(FRAME), np.float32)
        self._open = 0.0

    def _rest_of(self, frame: Any, passed_ms: float) -> np.ndarray[Any, np.dtype[np.float32]]:
        """The face at rest as far as it is known."""
        if self._watched_s < self.config.rest_s and np.isfinite(frame).all():
            self._watched_s += passed_ms * 1e-3
            self._watched += 1
            self._sum += frame
            if self._watched_s >= self.config.rest_s:
                self._rest[self._resting] = self._sum[self._resting] / self._watched
        return self._rest

    def _gate(self, speech: float, passed_ms: float) -> float:
        goal = min(max(speech, 0.0), 1.0) if np.isfinite(speech) else 0.0
        time_ms = self.config.open_ms if goal > self._open else self.config.close_ms
        step = passed_ms / time_ms if time_ms > 0 else 1.0
        self._open += min(max(goal - self._open, -step), step)
        return self._open
