"""One page that is connected: sends it the newest, takes its requests."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

from rtgraph import RtGraphError
from rtgraph.nodes.sink._web_message import LARGE, Kind, encode
from rtgraph.nodes.sink._web_newest import Seen
from rtgraph.nodes.sink._web_settings import Ack, Calibrate, Change, LookAt, Ping, Show, parse

if TYPE_CHECKING:
    from aiohttp import web

    from rtgraph.nodes.sink._web_server import ViewerServer

#: Messages on their way, not yet taken in by the page. More would only wait in buffers and be old when seen.
_IN_FLIGHT = 4
#: What has no frame to ride on (sound, pictures, timing) leaves after so long.
_IDLE_S = 0.1
#: The large kinds that a page needs for the surface that it draws.
_SURFACES = {
    "morphs": frozenset[Kind](),
    "vertices": frozenset({Kind.VERTICES, Kind.NORMALS}),
    "gaussians": frozenset({Kind.GAUSSIANS}),
}
#: A page that has sent so much nonsense is let go.
_MAX_NONSENSE = 100


class Client:
    """Lives on the server's thread. The page acknowledges each message, and no more than a few are on their
    way: a slow page gets fewer messages, but never old ones."""

    def __init__(self, server: ViewerServer, socket: web.WebSocketResponse) -> None:
        self._server = server
        self._socket = socket
        self._seen = Seen()
        self._sent = 0
        self._acknowledged = 0
        self._skipped = 0
        self._nonsense = 0
        self.wanted: frozenset[Kind] = frozenset()  # of the large kinds
        self._fresh = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    def wake(self) -> None:
        """There is a new frame."""
        self._fresh.set()

    async def say(self, message: dict[str, Any]) -> None:
        await self._socket.send_str(json.dumps(message, separators=(",", ":")))

    async def send_newest(self) -> None:
        """Until cancelled: whatever is new, whenever the page has room for it."""
        loop = asyncio.get_running_loop()
        while True:
            await self._room.wait()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._fresh.wait(), _IDLE_S)
            self._fresh.clear()
            begun = loop.time()
            sections, missed = self._server.newest.since(self._seen, LARGE - self.wanted)
            self._skipped += missed
            if sections:
                self._sent += 1
                if self._sent - self._acknowledged >= _IN_FLIGHT:
                    self._room.clear()
                await self._socket.send_bytes(
                    encode(sections, seq=self._sent, skipped=self._skipped, sent_ns=self._server.now_ns())
                )
            await asyncio.sleep(max(0.0, begun + self._server.least_s - loop.time()))

    async def take_requests(self) -> None:
        """Until the page has gone."""
        from aiohttp import WebSocketError, WSMsgType

        async for message in self._socket:
            if message.type is WSMsgType.ERROR:
                # aiohttp has closed the connection: a message too large, or the line is dead.
                if isinstance(message.data, WebSocketError):
                    self._server.complain()
                return
            problem = "expected JSON text, got a binary message"
            if message.type is WSMsgType.TEXT:
                try:
                    await self._answer(message.data)
                    continue
                except ValueError as error:
                    problem = str(error)
            self._nonsense += 1
            self._server.complain()
            await self.say({"type": "error", "message": problem})
            if self._nonsense >= _MAX_NONSENSE:
                await self._socket.close(code=1008, message=b"too many messages without meaning")

    async def _answer(self, text: str) -> None:
        request = parse(text)
        if isinstance(request, Ack):
            if not self._acknowledged < request.seq <= self._sent:
                raise ValueError(f"seq: {request.seq} is not a message under way")
            self._acknowledged = request.seq
            if self._sent - self._acknowledged < _IN_FLIGHT:
                self._room.set()
        elif isinstance(request, Ping):
            await self.say({"type": "pong", "at_ms": request.at_ms, "now_ns": self._server.now_ns()})
        elif isinstance(request, Show):
            self.wanted = _SURFACES[request.surface]
            self._server.count_wanted()
        elif isinstance(request, Change):
            await self._server.change(request.settings, by=self)
        elif isinstance(request, LookAt):
            self._server.looks.look(self, request.target)
        elif isinstance(request, Calibrate):
            await self._calibrate(request.step)

    async def _calibrate(self, step: str) -> None:
        looks = self._server.looks
        if step == "begin":
            looks.begin(self)
        elif step == "cancel":
            looks.leave(self)
        else:
            left, right, targets = looks.end(self)
            try:
                await asyncio.to_thread(looks.write, left, right, targets)
            except RtGraphError as error:
                await self.say({"type": "error", "message": str(error)})
                return
            counts = {"looks": len(targets), "points": len({tuple(row) for row in targets.tolist()})}
            await self.say({"type": "looks", "path": str(looks.path), **counts})
