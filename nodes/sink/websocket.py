"""sink.websocket: the face to any number of WebSocket clients, as JSON or as bytes."""

from __future__ import annotations

import json
import re
import struct
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from rtgraph import register
from rtgraph.context import Context
from rtgraph.models.expression import FRAME
from rtgraph.nodes.sink.face_frames import Frame, columns, selected
from rtgraph.nodes.sink.face_sender import FaceSender, SenderConfig

if TYPE_CHECKING:
    from rtgraph.nodes.sink.frame_server import FrameServer

MAGIC = b"RTGF"
VERSION = 1

#: magic, version, how many numbers follow, number of the packet, capture time (ns); then float32.
HEADER = struct.Struct("<4sHHIq")

#: Web pages that may connect without being named: those of this machine. Programs send no origin.
_LOCAL_PAGES = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")


@register("sink.websocket")
class WebSocketSender(FaceSender):
    """Serves ws://host:port/json and ws://host:port/binary; the bare address is `format`.

    JSON: {"seq", "time_s", "weights": {name: number}}. Bytes: a header of 20 (magic RTGF, u16 version, u16
    count, u32 seq, i64 capture time in ns), then count float32 in the order of the frame, all little-endian.
    Time is on the graph's clock. A client that is slow skips to the newest face; it slows down nobody else.

    Counts `clients_joined`, `messages` and `skipped` (faces that a slow client did not get).
    """

    class Config(SenderConfig):
        host: str = Field(
            "127.0.0.1", min_length=1, description="address to listen at; 0.0.0.0: all networks"
        )
        port: int = Field(8790, ge=1, le=65535, description="TCP port to listen at")
        format: Literal["json", "binary"] = Field("json", description="what clients of the bare address get")
        origins: tuple[str, ...] = Field(
            (), description="web pages of other machines that may connect, such as https://example.org"
        )

    def connect(self, ctx: Context) -> None:
        # asyncio is of no use to graphs without it, and a large part of their start
        from rtgraph.nodes.sink.frame_server import FrameServer

        c = self.config
        self._server: FrameServer | None = None
        mask = selected(c.regions, c.leave_out)
        self._names = [name for name, on in zip(FRAME, mask, strict=True) if on]
        self._columns = columns(self._names)
        self._seq = 0
        self._server = FrameServer(c.host, c.port, self._encoder, [*c.origins, None, _LOCAL_PAGES])

    def _encoder(self, path: str) -> Literal["json", "binary"] | None:
        """What a client that asks for this path gets; None: there is no such path."""
        forms: dict[str, Literal["json", "binary"]] = {
            "": self.config.format, "json": "json", "binary": "binary"
        }  # fmt: skip
        return forms.get(path.strip("/"))

    def send(self, frame: Frame, timestamp_ns: int) -> None:
        assert self._server is not None
        wanted = self._server.wanted()
        messages: dict[str, str | bytes] = {}
        if "json" in wanted:
            messages["json"] = self.as_json(frame, timestamp_ns)
        if "binary" in wanted:
            messages["binary"] = self.as_bytes(frame, timestamp_ns)
        self._seq = (self._seq + 1) & 0xFFFFFFFF
        if messages:
            self._server.publish(messages)

    def as_json(self, frame: Frame, timestamp_ns: int) -> str:
        weights = dict(
            zip(self._names, np.round(frame[self._columns].astype(np.float64), 5).tolist(), strict=True)
        )
        return json.dumps(
            {"seq": self._seq, "time_s": round(timestamp_ns * 1e-9, 6), "weights": weights},
            separators=(",", ":"),
        )

    def as_bytes(self, frame: Frame, timestamp_ns: int) -> bytes:
        """All 61, with zeros for what is not selected."""
        return (
            HEADER.pack(MAGIC, VERSION, len(FRAME), self._seq, timestamp_ns) + frame.astype("<f4").tobytes()
        )

    def report(self, ctx: Context) -> None:
        assert self._server is not None
        for name, n in self._server.take_counts().items():
            ctx.count(name, n)

    def disconnect(self) -> None:
        if getattr(self, "_server", None) is not None:
            self._server.close()  # type: ignore[union-attr]
