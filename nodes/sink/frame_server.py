"""FrameServer: a WebSocket server on a thread of its own, whose clients each get the newest message."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from rtgraph import DeviceError, RtGraphError
from rtgraph.errors import told
from rtgraph.nodes.sink.address import host_port, resolve

#: A client that takes no byte for so long is gone.
_CLOSE_S = 2.0


class _Client:
    """What one client waits for: the newest message of its form."""

    def __init__(self, form: str) -> None:
        self.form = form
        self.message: str | bytes | None = None
        self.arrived = asyncio.Event()


class FrameServer:
    """`publish`, `wanted` and `take_counts` may be called from any thread and never wait for a client."""

    def __init__(
        self, host: str, port: int, form_of: Callable[[str], str | None], origins: Sequence[Any]
    ) -> None:
        """form_of: the form that a client of this path gets, None to refuse it. origins: as of websockets.

        Raises DeviceError where the port is taken or the host means nothing.
        """
        try:
            import websockets  # noqa: F401
        except ImportError:
            raise RtGraphError(
                "sink.websocket needs the package websockets: pip install 'rtgraph[vr]'"
            ) from None
        resolve(host, port, socket.SOCK_STREAM)
        self._place = host, port
        self._form_of, self._origins = form_of, list(origins)
        self._clients: set[_Client] = set()
        self._counts: Counter[str] = Counter()
        self._counts_lock = threading.Lock()
        self._started = threading.Event()
        self._failure: Exception | None = None  # of the start
        self._loop = asyncio.new_event_loop()
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name=f"websocket:{port}", daemon=True)
        self._thread.start()
        self._started.wait()
        if self._failure is not None:
            self._thread.join()
            place = host_port(host, port)
            if not isinstance(self._failure, OSError):
                raise RtGraphError(f"cannot listen at {place}: {told(self._failure)}") from self._failure
            raise DeviceError(
                f"cannot listen at {place}: {self._failure.strerror}; choose another `port`, or "
                "end the program that has it"
            )

    def wanted(self) -> set[str]:
        """The forms for which there is a client."""
        return {client.form for client in tuple(self._clients)}

    def publish(self, messages: dict[str, str | bytes]) -> None:
        """Hand out a message by form; it replaces one that a client has not had yet."""
        try:
            self._loop.call_soon_threadsafe(self._hand_out, messages)
        except RuntimeError:  # the loop is closed: the run ends
            return

    def take_counts(self) -> Counter[str]:
        """What happened since the last call."""
        with self._counts_lock:
            counts, self._counts = self._counts, Counter()
        return counts

    def close(self) -> None:
        if self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(timeout=_CLOSE_S + 1.0)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except Exception as error:
            if self._started.is_set():
                raise
            self._failure = error
        finally:
            self._started.set()
            self._loop.close()

    async def _serve(self) -> None:
        from websockets.asyncio.server import serve

        self._stop = asyncio.Event()
        host, port = self._place
        async with serve(
            self._attend, host, port, origins=self._origins, max_size=1024, compression=None,
            close_timeout=_CLOSE_S,
        ):  # fmt: skip
            self._started.set()
            await self._stop.wait()

    async def _attend(self, connection: Any) -> None:
        """One client, from its arrival to its end."""
        form = self._form_of(connection.request.path)
        if form is None:
            await connection.close(1008, "there is /json and /binary")
            return
        client = _Client(form)
        self._clients.add(client)
        self._count("clients_joined")
        sending = asyncio.create_task(self._send(connection, client))
        try:
            async for _ in connection:  # what clients say is not listened to
                pass
        finally:
            self._clients.discard(client)
            sending.cancel()

    async def _send(self, connection: Any, client: _Client) -> None:
        while True:
            await client.arrived.wait()
            client.arrived.clear()
            message, client.message = client.message, None
            if message is not None:
                await connection.send(message)  # waits while the client does not read
                self._count("messages")

    def _hand_out(self, messages: dict[str, str | bytes]) -> None:
        for client in self._clients:
            if client.form in messages:
                if client.message is not None:
                    self._count("skipped")
                client.message = messages[client.form]
                client.arrived.set()

    def _count(self, what: str) -> None:
        with self._counts_lock:
            self._counts[what] += 1
