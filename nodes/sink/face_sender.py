"""FaceSender: what every sender of faces has in common: choice, rate, and staying out of the graph's way."""

from __future__ import annotations

import threading
import time
from typing import ClassVar

import numpy as np
from pydantic import Field, model_validator

from rtgraph import Input, Node, NodeConfig
from rtgraph.context import Context
from rtgraph.models.expression import REGIONS
from rtgraph.nodes.face.types import ExpressionFrame
from rtgraph.nodes.sink.face_frames import MAX_GAP_NS, Frame, Interpolator, check_selection, clipped, selected
from rtgraph.nodes.sink.udp import UdpTarget

#: A face that has not come for so long is not repeated any more: receivers have their own idea of rest.
_STALE_NS = 500_000_000
#: How much of a delay that is no longer needed is given back with each frame.
_RELAX = 0.01


class SenderConfig(NodeConfig):
    """What all senders can be told."""

    rate_hz: float | None = Field(
        None,
        gt=0,
        le=1000,
        description="packets a second, interpolated between frames; without it each frame as it comes",
    )
    regions: tuple[str, ...] = Field(REGIONS, description="the parts of the face that are sent")
    leave_out: tuple[str, ...] = Field((), description="names of single numbers that are not sent")

    @model_validator(mode="after")
    def _check_selection(self) -> SenderConfig:
        check_selection(self.regions, self.leave_out)
        return self


class UdpConfig(SenderConfig):
    """Senders over UDP: each fixes `port` to its format's own."""

    host: str = Field("127.0.0.1", min_length=1, description="name or address of the receiver")
    port: int = Field(ge=1, le=65535, description="UDP port of the receiver")


class FaceSender(Node):
    """Base of the senders. They implement `connect`, `send`, and, where needed, `report` and `disconnect`.

    What `send` raises is an error of the packet, also where the second thread calls it: then of the next one.

    It runs on a thread of its own, and the newest frames push out old ones that wait before it. With
    `rate_hz` a second thread sends at that rate, live: the face as it was one frame and the greatest recent
    age of a frame ago, since only then both frames around that moment are there. At 50 frames a second that
    is 10 ms more on average than sending each frame at once. On a manual clock the moments are multiples of
    1 / rate_hz.

    Counts `bad_frames`: frames with NaN or infinite numbers, in place of which the last good one is sent.
    """

    Config: ClassVar[type[SenderConfig]] = SenderConfig  # type: ignore[assignment]

    frame = Input(ExpressionFrame, overflow="drop_oldest", capacity=8, doc="the face to send")

    blocking = True

    _last_good: Frame | None
    _failure: Exception | None  # of the pacing thread, until `process` raises it

    def connect(self, ctx: Context) -> None:
        """Acquire the target; raises DeviceError or RtGraphError where it can never work."""
        raise NotImplementedError

    def send(self, frame: Frame, timestamp_ns: int) -> None:
        """Send one face, [61] with weights in 0..1 and zeros for what is not selected. Must not wait."""
        raise NotImplementedError

    def report(self, ctx: Context) -> None:
        """Count and warn, on the graph's thread."""

    def disconnect(self) -> None:
        """Release what `connect` acquired."""

    def open(self, ctx: Context) -> None:
        self._mask = selected(self.config.regions, self.config.leave_out)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._pacer: threading.Thread | None = None
        self.reset()
        self.connect(ctx)
        if self.config.rate_hz is not None and ctx.live:
            self._pacer = threading.Thread(target=self._pace, name=self.name, daemon=True)
            self._pacer.start()

    def process(self, frame: Frame, ctx: Context) -> None:
        if not np.isfinite(frame).all():
            ctx.count("bad_frames")
            ctx.warn("frames with NaN or infinite numbers come in; the last good one is sent in their place")
            if self._last_good is None:
                return
            frame = self._last_good
        self._last_good = frame
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        face, now_ns = clipped(frame, self._mask), ctx.timestamp_ns
        if self.config.rate_hz is None:
            self.send(face, now_ns)
        elif self._pacer is None:
            self._send_due(face, now_ns)
        else:
            self._hand_over(face, ctx)
        self.report(ctx)

    def reset(self) -> None:
        with self._lock:
            self._last_good = self._failure = None
            self._frames = Interpolator()
            self._delay_ns = 0.0
            self._to_graph_ns = 0

    def close(self) -> None:
        if getattr(self, "_pacer", None) is not None:
            self._stop.set()
            self._pacer.join(timeout=1.0)  # type: ignore[union-attr]
        self.disconnect()

    def _send_due(self, face: Frame, timestamp_ns: int) -> None:
        """Manual clock: what falls on multiples of the period since the frame before."""
        rate_hz = self.config.rate_hz
        before = self._frames.newest_ns
        step = self._frames.add(timestamp_ns, face)
        first = timestamp_ns - 1 if step is None or before is None else before
        k = int(first * rate_hz // 1_000_000_000)
        while (due_ns := round(k * 1e9 / rate_hz)) <= timestamp_ns:
            if due_ns > first:  # a moment may have been rounded down to that of the frame before
                self.send(self._frames.at(due_ns), due_ns)
            k += 1

    def _hand_over(self, face: Frame, ctx: Context) -> None:
        """Live: the pacing thread takes it from here."""
        age_ns = ctx.now_ns() - ctx.timestamp_ns
        with self._lock:
            self._to_graph_ns = ctx.now_ns() - time.monotonic_ns()
            step_ns = self._frames.add(ctx.timestamp_ns, face) or 0
            needed_ns = min(age_ns + step_ns, 2 * MAX_GAP_NS)
            self._delay_ns = max(needed_ns, self._delay_ns - _RELAX * (self._delay_ns - needed_ns))

    def _pace(self) -> None:
        period_s = 1.0 / self.config.rate_hz
        due_s = time.monotonic()
        last_ns = 0
        while not self._stop.wait(max(0.0, due_s - time.monotonic())):
            now_s = time.monotonic()
            with self._lock:
                newest_ns = self._frames.newest_ns
                moment_ns = int(now_s * 1e9) + self._to_graph_ns - int(self._delay_ns)
                fresh = newest_ns is not None and moment_ns - newest_ns < _STALE_NS
                if newest_ns is not None:
                    # When frames come later than before, the face stands still; it never goes back.
                    moment_ns = min(max(moment_ns, last_ns), newest_ns)
                face = self._frames.at(moment_ns) if fresh else None
            if face is not None:
                try:
                    self.send(face, moment_ns)
                except Exception as error:
                    self._failure = error
                last_ns = moment_ns
            # A thread that was held up goes on from now and does not send what it missed all at once.
            due_s = max(due_s + period_s, now_s)


class UdpSender(FaceSender):
    """Base of senders whose packets are UDP datagrams. They implement `prepare` and `datagrams`.

    Counts `datagrams` and `datagrams_lost`. Nobody listening is no error: it is said once.
    """

    def prepare(self, ctx: Context) -> None:
        """Build what stays the same in every packet."""
        raise NotImplementedError

    def datagrams(self, frame: Frame, timestamp_ns: int) -> list[bytearray] | list[bytes]:
        """The packets of one face."""
        raise NotImplementedError

    def connect(self, ctx: Context) -> None:
        self._target: UdpTarget | None = None
        self.prepare(ctx)
        self._target = UdpTarget(self.config.host, self.config.port)

    def send(self, frame: Frame, timestamp_ns: int) -> None:
        assert self._target is not None
        for datagram in self.datagrams(frame, timestamp_ns):
            self._target.send(datagram)

    def report(self, ctx: Context) -> None:
        assert self._target is not None
        self._target.report(ctx)

    def _send_to(self, host: str, port: int) -> None:
        """From now on to another receiver; on the sending thread. An unknown host changes nothing."""
        assert self._target is not None
        self._target.move(host, port)

    def disconnect(self) -> None:
        if getattr(self, "_target", None) is not None:
            self._target.close()  # type: ignore[union-attr]
