"""The web server of sink.viewer, on a thread and an event loop of its own."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hmac
import json
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from socket import SOCK_STREAM
from typing import Any

from aiohttp import web

from rtgraph import AssetError, RtGraphError
from rtgraph.errors import told
from rtgraph.nodes.sink._web_client import Client
from rtgraph.nodes.sink._web_head import ShownHead
from rtgraph.nodes.sink._web_looks import Looks
from rtgraph.nodes.sink._web_message import Kind
from rtgraph.nodes.sink._web_newest import Newest
from rtgraph.nodes.sink._web_settings import MAX_MESSAGE_BYTES, Settings
from rtgraph.nodes.sink.address import host_port, is_loopback, resolve

_COOKIE = "rtgraph_viewer"
_HEARTBEAT_S = 5.0  # a page that answers no ping for so long has gone
_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'self'; connect-src 'self' blob:; img-src 'self' data: blob:; "
    "worker-src 'self' blob:; style-src 'self' 'unsafe-inline'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ViewerServer:
    """Serves the page, the head and the newest values.

    `start`, `wake` and `stop` belong to the graph's side and do not wait for any page. `now_ns` tells the
    graph's time, `hello` is the first thing that a page is told.
    """

    def __init__(
        self,
        newest: Newest,
        looks: Looks,
        *,
        page: Path,
        head: ShownHead,
        host: str,
        port: int,
        token: str,
        fps: float,
        now_ns: Callable[[], int],
        hello: dict[str, Any],
        every_second: Callable[[], None],
    ) -> None:
        self.newest = newest
        self.looks = looks
        self.now_ns = now_ns
        self.least_s = 1.0 / fps
        self.nonsense = 0  # requests without meaning so far
        self.wanted: frozenset[Kind] = frozenset()  # of the large kinds, by any page
        self._page, self._head = page, head
        self._host, self._port, self._token = host, port, token
        self._hello, self._every_second = hello, every_second
        self._settings = Settings(identity=head.identity)
        self._one_person = asyncio.Lock()
        self._clients: set[Client] = set()
        self._sockets: set[web.WebSocketResponse] = set()
        self._wake_under_way = False
        self._started = threading.Event()
        self._failure: Exception | None = None  # of the start
        self._thread: threading.Thread | None = None

    def start(self) -> int:
        """The port, once the server listens. Raises RtGraphError where it cannot."""
        if not self._page.is_dir():
            raise AssetError(f"there is no page in {self._page}; install rtgraph again, or run `make viewer`")
        resolve(self._host, self._port, SOCK_STREAM)
        self._thread = threading.Thread(target=self._serve, name="viewer", daemon=True)
        self._thread.start()
        self._started.wait()
        if self._failure is None:
            return self._port
        self._thread.join()
        place, error = host_port(self._host, self._port), self._failure
        if not isinstance(error, OSError):
            raise RtGraphError(f"cannot serve the viewer on {place}: {told(error)}") from error
        reason = "that port is in use" if error.errno == errno.EADDRINUSE else error.strerror
        raise RtGraphError(
            f"cannot serve the viewer on {place}: {reason}; "
            "set `port` to another number, or to 0 for any that is free"
        )

    def wake(self) -> None:
        """There is a new frame. Any thread; costs nothing where no page is connected."""
        if self._clients and not self._wake_under_way:
            self._wake_under_way = True
            with contextlib.suppress(RuntimeError):  # the loop has just ended
                self._loop.call_soon_threadsafe(self._wake_clients)

    def stop(self) -> None:
        if self._thread is not None and self._thread.is_alive():
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join(timeout=5.0)

    # The rest runs on the server's thread.

    def complain(self) -> None:
        self.nonsense += 1

    def count_wanted(self) -> None:
        self.wanted = frozenset[Kind]().union(*(client.wanted for client in self._clients))

    async def change(self, settings: Settings, by: Client) -> None:
        """New settings from one page: all others are told."""
        self._settings = settings
        told = {"type": "settings", "settings": settings.model_dump()}
        for client in self._clients - {by}:
            with contextlib.suppress(ConnectionError):
                await client.say(told)

    def _wake_clients(self) -> None:
        self._wake_under_way = False
        for client in self._clients:
            client.wake()

    def _serve(self) -> None:
        try:
            asyncio.run(self._run())
        except Exception as error:
            if self._started.is_set():
                raise
            self._failure = error
        finally:
            self._started.set()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        app = web.Application(middlewares=[self._guard])
        app.router.add_get("/", self._index)
        app.router.add_get("/socket", self._connect)
        app.router.add_get("/head.glb", self._send_head)
        app.router.add_get("/person", self._send_person)
        app.router.add_static("/", self._page)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
            self._port = runner.addresses[0][1]
            self._started.set()
            ticking = asyncio.create_task(self._tick())
            await self._ended.wait()
            ticking.cancel()
            for socket in list(self._sockets):
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(socket.close(code=1001, message=b"the graph has ended"), 0.5)
        finally:
            await runner.cleanup()

    async def _tick(self) -> None:
        while True:
            if self._clients:
                self._every_second()
            await asyncio.sleep(1.0)

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Turns away whoever lacks the token, and pages of other sites in the user's own browser."""
        origin = request.headers.get("Origin")
        if origin is not None and origin.partition("://")[2] != request.host:
            raise web.HTTPForbidden(text="the viewer serves its own page only")
        if not self._token:
            name = request.url.host or ""
            if not is_loopback(name):  # a name that was made to lead here (DNS rebinding)
                raise web.HTTPForbidden(text=f"the viewer is not known as '{name}'; use 127.0.0.1")
            response = await handler(request)
        else:
            given = request.query.get("token") or request.cookies.get(_COOKIE, "")
            if not hmac.compare_digest(given.encode(), self._token.encode()):
                raise web.HTTPForbidden(text="the viewer needs its token: open the address that it printed")
            response = await handler(request)
            if not response.prepared:
                response.set_cookie(_COOKIE, self._token, httponly=True, samesite="Strict")
        if not response.prepared:
            response.headers.update(_HEADERS)
        return response

    async def _index(self, request: web.Request) -> web.StreamResponse:
        return web.FileResponse(self._page / "index.html")

    async def _send_head(self, request: web.Request) -> web.StreamResponse:
        return web.FileResponse(self._head.glb, headers={"Content-Type": "model/gltf-binary"})

    async def _send_person(self, request: web.Request) -> web.StreamResponse:
        """The head as another person: `?older=0.5&...`. One at a time, beside the loop: it takes 50 ms."""
        try:
            code = {name: float(value) for name, value in request.query.items() if name != "token"}
            async with self._one_person:
                data, tints = await asyncio.to_thread(self._head.person, code)
        except (ValueError, AssetError) as error:
            raise web.HTTPBadRequest(text=str(error)) from None
        return web.Response(body=data, headers={"Rtgraph-Tints": json.dumps(tints)})

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(
            heartbeat=_HEARTBEAT_S, max_msg_size=MAX_MESSAGE_BYTES, compress=False, timeout=1.0
        )
        await socket.prepare(request)
        client = Client(self, socket)
        await client.say({**self._hello, "settings": self._settings.model_dump()})
        self._clients.add(client)
        self._sockets.add(socket)
        sending = asyncio.create_task(client.send_newest())
        try:
            with contextlib.suppress(ConnectionError):  # it has gone in the middle of an answer
                await client.take_requests()
        finally:
            sending.cancel()
            self._clients.discard(client)
            self._sockets.discard(socket)
            self.looks.leave(client)
            self.count_wanted()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await sending
        return socket
