"""eye.osc: eyes that another program tracks and tells over OSC."""

from __future__ import annotations

import errno
import socket
import time
from typing import Any

from pydantic import Field

from rtgraph import DeviceError, NodeConfig, Output, Packet, RtGraphError, Source, register
from rtgraph.context import Context
from rtgraph.node import Outputs
from rtgraph.nodes.eye.osc_signals import EyeSignals
from rtgraph.nodes.face.types import EyeState

_WAIT_S = 0.05
_MOST_BYTES = 65536
_NOBODY_NS = 3_000_000_000  # after which it is said that nobody has sent anything yet
#: Datagrams taken before what they say is sent on, so that a flood cannot hold it back for ever.
_MOST_AT_ONCE = 256


@register("eye.osc")
class EyeOsc(Source):
    """Listens for gaze and lids: Steam Link (port 9015), VRCFaceTracking, and what VRChat takes (port 9000).

    All messages that have come are taken together, so that one packet goes out for each frame of the sender.
    When nothing has come for `lost_ms` the state is sent on with confidence 0. Counts `bad_messages`
    (damaged, NaN) and `other_messages` (none about eyes).
    """

    class Config(NodeConfig):
        host: str = Field("127.0.0.1", description="address to listen at; 0.0.0.0: from other machines, too")
        port: int = Field(9015, ge=0, le=65535, description="UDP port; 0: any free one")
        delay_ms: float = Field(20.0, ge=0, le=1000, description="from the middle of the exposure to arrival")
        lost_ms: float = Field(500.0, gt=0, description="a sender that is silent for so long is lost")

    state = Output(EyeState)

    endless = True

    _heard_ns: int | None  # when something about eyes came
    _lost: bool
    _told: bool  # that nothing comes
    _stamp_ns: int

    def open(self, ctx: Context) -> None:
        try:
            from pythonosc.osc_packet import OscPacket, ParseError
        except ImportError as error:
            raise RtGraphError(f"eye.osc needs python-osc ({error}): pip install 'rtgraph[vr]'") from None
        self._parse: Any = OscPacket
        self._broken: type[Exception] = ParseError
        c = self.config
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind((c.host, c.port))
        except OSError as error:
            self._socket.close()
            busy = error.errno == errno.EADDRINUSE
            remedy = (
                "another program listens there: end it, or choose another `port`" if busy else error.strerror
            )
            raise DeviceError(f"eye.osc cannot listen at {c.host}:{c.port}: {remedy}") from None
        #: Where it listens, also where `port` is 0.
        self.port: int = self._socket.getsockname()[1]
        ctx.log.info("%s: listens for OSC at %s:%d", self.name, c.host, self.port)
        self.reset()

    def process(self, ctx: Context) -> Outputs:
        if self._since_ns is None:
            self._since_ns = time.monotonic_ns()
        heard = self._receive(ctx)
        now_ns = time.monotonic_ns()
        if heard:
            if self._told:
                ctx.warn("eye signals come in")
            self._heard_ns, self._lost, self._told = now_ns, False, False
        elif self._heard_ns is None:
            if not self._told and now_ns - self._since_ns > _NOBODY_NS:
                self._told = True
                ctx.warn(
                    f"nobody sends eye signals to {self.config.host}:{self.port} yet; start the program that "
                    "tracks the eyes, or set `port` to where it sends"
                )
            return None
        elif now_ns - self._heard_ns < self.config.lost_ms * 1e6:
            return None
        elif not self._lost:
            self._lost = self._told = True
            ctx.warn("no eye signals come any more; is the sender running, and does it send to this port?")
        state = self._signals.state
        if self._lost:
            state[[6, 13]] = 0.0
        stamp_ns = ctx.now_ns() - (round(self.config.delay_ms * 1e6) if heard else 0)
        self._stamp_ns = max(stamp_ns, self._stamp_ns + 1)
        return {"state": Packet(state, self._stamp_ns)}

    def reset(self) -> None:
        self._signals = EyeSignals()
        self._since_ns: int | None = None
        self._heard_ns = None
        self._lost, self._told = True, False
        self._stamp_ns = -(2**62)

    def close(self) -> None:
        if hasattr(self, "_socket"):
            self._socket.close()

    def _receive(self, ctx: Context) -> bool:
        """Take what has come, or wait for something; whether there was a message about eyes."""
        heard = False
        self._socket.settimeout(_WAIT_S)
        for _ in range(_MOST_AT_ONCE):
            try:
                data = self._socket.recv(_MOST_BYTES)
            except (TimeoutError, BlockingIOError):
                break
            self._socket.setblocking(False)
            heard |= self._take(data, ctx)
        return heard

    def _take(self, data: bytes, ctx: Context) -> bool:
        heard = False
        try:
            messages = self._parse(data).messages
        except (self._broken, ValueError, IndexError) as error:
            ctx.count("bad_messages")
            ctx.warn(f"a datagram that is no OSC came ({error})")
            return False
        for timed in messages:
            try:
                known = self._signals.take(timed.message.address, timed.message.params, time.monotonic_ns())
            except ValueError as error:
                ctx.count("bad_messages")
                ctx.warn(str(error))
                continue
            heard |= known
            if not known:
                ctx.count("other_messages")
        return heard
