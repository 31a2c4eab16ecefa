"""What eye cameras have in common, however they are attached: two readers, or one of a double image."""

from __future__ import annotations

import time
from typing import Any

from numpy.typing import NDArray
from pydantic import Field

from rtgraph import Output, Packet, Source
from rtgraph.context import Context
from rtgraph.node import Outputs
from rtgraph.nodes.eye.image import BadImageError, EyeImageConfig, blank, halves, to_eye_image
from rtgraph.nodes.eye.pairs import Frame, Pair, Pairs
from rtgraph.nodes.eye.reader import Camera, Inbox, Reader
from rtgraph.nodes.face.types import EyeImage

_WAIT_S = 0.05
_EYES = ("left", "right")


class LiveConfig(EyeImageConfig):
    """What every live source of eye images lets choose."""

    delay_ms: float = Field(
        10.0, ge=0, le=1000, description="from the middle of the exposure to the arrival of the image"
    )
    pair_ms: float = Field(10.0, ge=0, le=100, description="how far apart a left and a right image may be")
    lost_ms: float = Field(300.0, gt=0, description="a camera that is silent for so long is lost")


class LiveCameras(Source):
    """Base of sources of live eye images: a subclass opens the cameras."""

    left = Output(EyeImage, shape=lambda c: c.shape, doc="the person's left eye; black while it is lost")
    right = Output(EyeImage, shape=lambda c: c.shape, doc="their right eye; black while it is lost")

    endless = True

    def cameras(self, ctx: Context) -> list[Camera]:
        """The left and the right camera, one of these, or one that shows both eyes."""
        raise NotImplementedError

    def open(self, ctx: Context) -> None:
        self._inbox = Inbox()
        self._readers = [Reader(camera, self._inbox) for camera in self.cameras(ctx)]
        self._blank = blank(self.config)
        self._told: dict[str, tuple[int, int, str | None]] = {}
        self._stamp_ns = -(2**62)
        self._started = False
        self.reset()

    def process(self, ctx: Context) -> Outputs:
        if not self._started:  # not in `open`: images would be old before they are wanted
            self._started = True
            for reader in self._readers:
                reader.start()
        wait_ns = self._pairs.wait_ns(time.monotonic_ns())
        with ctx.waiting():
            images = self._inbox.take(_WAIT_S if wait_ns is None else min(_WAIT_S, wait_ns * 1e-9))
        for eye, (raw, time_ns, arrived_ns) in images.items():
            self._add(eye, raw, time_ns - round(self.config.delay_ms * 1e6), arrived_ns, ctx)
        self._report(ctx)
        pairs = []
        while (pair := self._pairs.take(time.monotonic_ns())) is not None:
            pairs.append(self._packets(pair, ctx))
        return pairs or None

    def reset(self) -> None:
        c = self.config
        self._pairs = Pairs(round(c.pair_ms * 1e6), round(c.lost_ms * 1e6))
        self._dropped = 0

    def close(self) -> None:
        readers = getattr(self, "_readers", [])
        for reader in readers:
            reader.stop()
        for reader in readers:
            reader.join(1.0)

    def _add(self, of: int | None, raw: NDArray[Any], exposed_ns: int, arrived_ns: int, ctx: Context) -> None:
        c = self.config
        try:
            raws = list(enumerate(halves(raw))) if of is None else [(of, raw)]
            for came_as, one in raws:
                eye = 1 - came_as if c.swap else came_as
                image = to_eye_image(one, c.views[eye], c)
                self._pairs.add(eye, Frame(image, exposed_ns, arrived_ns))
        except BadImageError as error:
            ctx.count("bad_images")
            ctx.warn(str(error))

    def _packets(self, pair: Pair, ctx: Context) -> dict[str, Packet]:
        # Packets are stamped on the graph's clock, which is not the system's where a device drives it.
        to_graph_ns = 0 if ctx.clock == "system" else ctx.now_ns() - time.monotonic_ns()
        self._stamp_ns = max(pair.exposed_ns + to_graph_ns, self._stamp_ns + 1)
        packets = {}
        for eye, (name, image) in enumerate(zip(_EYES, pair.images, strict=True)):
            if image is None:
                ctx.count(f"{name}_missing")
            elif eye in pair.held:
                ctx.count(f"{name}_held")
            packets[name] = Packet(self._blank if image is None else image, self._stamp_ns)
        return packets

    def _report(self, ctx: Context) -> None:
        """Tells of what happened on the readers' threads, once."""
        for reader in self._readers:
            damaged, opened, trouble = self._told.get(reader.name, (0, 0, None))
            now = (reader.damaged, reader.opened, reader.trouble)
            if now == (damaged, opened, trouble):
                continue
            self._told[reader.name] = now
            if now[0] > damaged:
                ctx.count("damaged_images", now[0] - damaged)
            if now[1] > max(opened, 1):
                ctx.count("reopened", now[1] - max(opened, 1))
            if now[2] != trouble:
                ctx.warn(
                    f"{reader.name} is back"
                    if now[2] is None
                    else f"{reader.name} is not there ({now[2]}); trying again, more seldom in time"
                )
        if self._pairs.dropped > self._dropped:
            ctx.count("unpaired", self._pairs.dropped - self._dropped)
            self._dropped = self._pairs.dropped
