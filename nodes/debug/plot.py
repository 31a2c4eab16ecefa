"""debug.plot: a picture of what passed, as a PNG file."""

from __future__ import annotations

import importlib.util
import os
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from rtgraph import ANY_TENSOR, Input, Node, NodeConfig, NodeError, OutputFile, RtGraphError, register
from rtgraph.context import Context
from rtgraph.files import whole_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Kind = Literal["auto", "waveform", "lines", "heatmap", "image"]

#: Panels forget their oldest packets beyond this many values (64 MB of float32).
_MAX_VALUES = 16_000_000
#: Below this many elements a packet is drawn as lines when the kind is `auto`.
_MAX_LINES = 8
#: Points of a waveform that are drawn: more than twice the pixels across, as pairs of least and greatest.
_MAX_POINTS = 8192


@register("debug.plot")
class Plot(Node):
    """Draws the last `seconds` of `x`, and of `y` below it, when the run ends, also when it ends with an
    error.

    waveform: each element is a sample in time, as in a chunk of audio. lines: each element is a line over
    time. heatmap: each packet is a column. image: the newest packet, [H, W]. auto: waveform for what says how
    many samples a second it has, as sound does; else image for more than one dimension, lines for up to 8
    elements, heatmap for more. `y` is taken where its timestamp is that of a
    packet on `x`.
    """

    class Config(NodeConfig):
        path: OutputFile = Field(
            "out/plot.png",
            pattern=r"(?i)\.png$",
            description="the picture; its folder is made; relative to the working directory",
        )
        kind: Kind = Field("auto", description="how x is drawn")
        y_kind: Kind = Field("auto", description="how y is drawn")
        title: str = Field("", description="above the picture")
        x_label: str = Field("", description="what x is, beside its axis")
        y_label: str = Field("", description="what y is, beside its axis")
        seconds: float = Field(60.0, gt=0, description="how much of the end is kept")
        width_px: int = Field(1200, ge=200, le=8000, description="of the picture")
        height_px: int = Field(600, ge=150, le=8000, description="of the picture")

    x = Input(ANY_TENSOR, capacity=1024, overflow="drop_oldest")
    y = Input(
        ANY_TENSOR, edge="match", tolerance_ms=1.0, capacity=1024, overflow="drop_oldest", optional=True
    )

    blocking = True

    def open(self, ctx: Context) -> None:
        if importlib.util.find_spec("matplotlib") is None:
            raise RtGraphError(
                f"debug.plot ('{self.name}') draws with matplotlib, which is not installed: "
                "pip install 'rtgraph[plot]'"
            )
        path = Path(self.config.path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RtGraphError(f"{path} cannot be written: {error.strerror}; choose another `path`") from None
        if path.is_dir() or not os.access(path.parent, os.W_OK):
            raise RtGraphError(
                f"{path} cannot be written: it is a folder or lies in one without write permission; "
                "choose another `path`"
            )
        self._log = ctx.log
        self._sound = {port for port, signal in ctx.signals.items() if signal.sample_rate_hz}
        self.reset()

    def process(self, x: Any, y: Any, ctx: Context) -> None:
        for panel, value in zip(self._panels, (x, y), strict=True):
            if value is not None:
                panel.add(ctx.timestamp_ns, np.asarray(value))

    def reset(self) -> None:
        c = self.config
        self._panels = (
            Panel(self._kind("x", c.kind), c.x_label, c.seconds),
            Panel(self._kind("y", c.y_kind), c.y_label, c.seconds),
        )

    def _kind(self, port: str, wanted: Kind) -> Kind:
        return "waveform" if wanted == "auto" and port in self._sound else wanted

    def close(self) -> None:
        if not hasattr(self, "_panels"):
            return
        if not self._panels[0].packets:
            self._log.warning("%s: nothing passed, so no picture is drawn", self.name)
            return
        try:
            self._draw(Path(self.config.path))
        except OSError as error:
            raise NodeError(
                self.name, f"the picture {self.config.path} cannot be written: {error.strerror}"
            ) from None

    def _draw(self, path: Path) -> None:
        # The Agg canvas, used directly: pyplot would look for a display and keep global state.
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        c = self.config
        panels = [p for p in self._panels if p.packets]
        figure = Figure(figsize=(c.width_px / 100, c.height_px / 100), dpi=100, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(len(panels), squeeze=False)[:, 0]
        start_ns = min(p.packets[0][0] for p in panels)
        for panel, ax in zip(panels, axes, strict=True):
            panel.draw(ax, start_ns)
        if c.title:
            figure.suptitle(c.title)
        with whole_file(path) as part:
            figure.savefig(part, format="png")


class Panel:
    """The packets of one input, the oldest forgotten, and how they are drawn."""

    def __init__(self, kind: Kind, label: str, seconds: float) -> None:
        self.packets: deque[tuple[int, NDArray[Any]]] = deque()
        self._kind, self._label, self._keep_ns = kind, label, int(seconds * 1e9)
        self._values = 0

    def add(self, timestamp_ns: int, value: NDArray[Any]) -> None:
        self.packets.append((timestamp_ns, value))
        self._values += value.size
        only_newest = self._shown_as(value) == "image"
        while len(self.packets) > 1 and (
            only_newest or self._values > _MAX_VALUES or self.packets[0][0] < timestamp_ns - self._keep_ns
        ):
            self._values -= self.packets.popleft()[1].size

    def draw(self, ax: Axes, start_ns: int) -> None:
        kind = self._shown_as(self.packets[-1][1])
        times = np.array([t - start_ns for t, _ in self.packets]) * 1e-9  # [packets] s
        if kind == "image":
            ax.imshow(np.squeeze(self.packets[-1][1]), cmap="gray")
        elif kind == "waveform":
            ax.plot(*self._samples(times), linewidth=0.6)
        else:
            size = self.packets[-1][1].size
            rows = np.stack([v.reshape(-1) for _, v in self.packets if v.size == size])  # [packets, elements]
            times = times[[v.size == size for _, v in self.packets]]
            if kind == "lines":
                ax.plot(times, rows, linewidth=1.0)
            else:
                ax.imshow(
                    rows.T,
                    origin="lower",
                    aspect="auto",
                    interpolation="nearest",
                    extent=(times[0], max(times[-1], times[0] + 1e-9), 0, size),
                )
        if kind != "image":
            ax.set_xlabel("time, s")
            ax.margins(x=0)
        ax.set_ylabel(self._label)

    def _shown_as(self, value: NDArray[Any]) -> Kind:
        if self._kind != "auto":
            return self._kind
        if value.ndim > 1:
            return "image"
        return "lines" if value.size <= _MAX_LINES else "heatmap"

    def _samples(self, times: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any]]:
        """[points] s and values: every sample, or so many least and greatest ones that no peak is lost."""
        at, values = [], []
        before = times[0] - (np.median(np.diff(times)) if len(times) > 1 else 0.0)
        for time, (_, chunk) in zip(times, self.packets, strict=True):
            # A chunk is stamped with its last sample and reaches back to the chunk before, unless some are
            # missing.
            samples = chunk.reshape(-1)
            at.append(before + (time - before) * np.arange(1, samples.size + 1) / samples.size)
            values.append(samples)
            before = time
        t, v = np.concatenate(at), np.concatenate(values)
        step = v.size // (_MAX_POINTS // 2)
        if step < 2:
            return t, v
        whole = v.size // step * step
        v = v[:whole].reshape(-1, step)
        return np.repeat(t[:whole:step], 2), np.stack([v.min(axis=1), v.max(axis=1)], axis=1).reshape(-1)
