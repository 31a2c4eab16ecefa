"""face.one_euro: smooths a face, region by region; and the One-Euro filter itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from rtgraph import Input, Node, NodeConfig, Output, register
from rtgraph.context import Context
from rtgraph.models.expression import REGIONS
from rtgraph.node import Outputs
from rtgraph.nodes.face.columns import NEUTRAL, REGION_OF
from rtgraph.nodes.face.last_good import LastGood
from rtgraph.nodes.face.types import ExpressionFrame

Floats = NDArray[np.float32]


class Smoothing(NodeConfig):
    """Of one kind of signal: first lower `cutoff_hz` until it rests, then raise `beta` until it follows."""

    cutoff_hz: float = Field(2.0, gt=0, le=1000, description="cutoff at rest; lower: calmer")
    beta: float = Field(0.5, ge=0, le=1000, description="hertz of cutoff for a unit a second of speed")


def by_number(chosen: Sequence[Smoothing | None]) -> tuple[Floats, Floats]:
    """Cutoffs in Hz and betas [N] for a filter; an infinite cutoff where none is chosen."""
    cutoff_hz = np.array([s.cutoff_hz if s else np.inf for s in chosen], np.float32)
    return cutoff_hz, np.array([s.beta if s else 0.0 for s in chosen], np.float32)


class OneEuro:
    """The One-Euro filter (Casiez, Roussel & Vogel 2012) on a vector, with the real time between samples."""

    SPEED_CUTOFF_HZ = 1.0

    def __init__(self, cutoff_hz: Floats, beta: Floats) -> None:
        """cutoff_hz, beta: [N]; an infinite cutoff lets a number pass as it is."""
        self._cutoff_hz, self._beta = cutoff_hz, beta
        # In double precision no speed overflows, as long as what comes is a finite float32.
        self._y: NDArray[np.float64] | None = None
        self._x: NDArray[np.float64] | None = None
        self._speed = np.zeros(len(cutoff_hz))
        self._last_ns = 0

    def __call__(self, x: Floats, timestamp_ns: int) -> Floats:
        """The filtered [N], a new array; x must be finite."""
        now = x.astype(np.float64)
        dt_s = (timestamp_ns - self._last_ns) * 1e-9
        if self._y is None or self._x is None:
            self._y = now
        elif dt_s > 0:
            self._speed += _share(self.SPEED_CUTOFF_HZ, dt_s) * ((now - self._x) / dt_s - self._speed)
            cutoff_hz = self._cutoff_hz + self._beta * np.abs(self._speed)
            y = self._y + _share(cutoff_hz, dt_s) * (now - self._y)
            self._y = np.where(np.isinf(self._cutoff_hz), now, y)
        self._x, self._last_ns = now, timestamp_ns
        return self._y.astype(np.float32)


def _share(cutoff_hz: Any, dt_s: float) -> Any:
    """Of the new value in a one-pole low-pass: alpha in the paper."""
    return 1 / (1 + 1 / (2 * np.pi * cutoff_hz * dt_s))


@register("face.one_euro")
class FaceOneEuro(Node):
    """Smooths the regions that are given a filter; the others, by default all, pass as they are.

    Filtering is delay: some 1 / (2 pi cutoff) seconds for slow motion, less the faster it is. What came in
    is the raw signal: connect it elsewhere, too, where that is wanted. Times are those of the packets.
    """

    class Config(NodeConfig):
        brows: Smoothing | None = Field(None, description="such as {cutoff_hz: 2, beta: 0.5}")
        lids: Smoothing | None = Field(None, description="blinks want a large beta")
        gaze: Smoothing | None = Field(None, description="saccades want a large beta")
        mouth: Smoothing | None = Field(None, description="speech suffers first: leave it off")
        jaw: Smoothing | None = Field(None, description="speech suffers first: leave it off")
        head: Smoothing | None = Field(None, description="such as {cutoff_hz: 1, beta: 2}")

    frame = Input(ExpressionFrame)
    out = Output(like="frame")

    def open(self, ctx: Context) -> None:
        self.reset()

    def process(self, frame: Any, ctx: Context) -> Outputs:
        good = self._good.of(frame, ctx)
        return {"out": good if self._off else self._filter(good, ctx.timestamp_ns)}

    def reset(self) -> None:
        chosen: list[Smoothing | None] = [getattr(self.config, name) for name in REGIONS]
        self._off = not any(chosen)
        cutoff_hz, beta = by_number(chosen)
        self._filter = OneEuro(cutoff_hz[REGION_OF], beta[REGION_OF])
        self._good = LastGood("frame", NEUTRAL)
