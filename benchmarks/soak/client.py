"""Who uses the graph, in a process of its own: a WebSocket client of the viewer, receivers of its senders.

Argument: JSON of what `main` takes. Prints a line of JSON with the UDP ports, then one every `every_s`.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import sys
import time
from dataclasses import dataclass, field

import aiohttp
import numpy as np

from rtgraph.nodes.sink._web_message import Kind

#: docs/viewer-messages.md: header up to the client's missed frames; kind, data bytes, time of capture.
_HEADER = struct.Struct("<4sHHIIq")
_SECTION = struct.Struct("<HHIIIq")


@dataclass
class Window:
    """What came since the last line."""

    latency_ms: list[float] = field(default_factory=list)  # of a face: from capture until it is here
    gap_ms: float = 0.0  # the longest time without a face
    datagrams: int = 0

    def line(self, skipped: int) -> str:
        p50, p99, most = np.quantile(self.latency_ms or [np.nan], [0.5, 0.99, 1.0]).round(3).tolist()
        told = {"faces": len(self.latency_ms), "p50_ms": p50, "p99_ms": p99, "max_ms": most}
        told |= {"gap_ms": round(self.gap_ms, 1), "skipped": skipped, "datagrams": self.datagrams}
        return json.dumps(told)


class Client(asyncio.DatagramProtocol):
    """Keeps the counts. The graph's clock is the system's monotonic one, which this process shares."""

    def __init__(self) -> None:
        self.window = Window()
        self.skipped = 0
        self._face_ns = 0

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.window.datagrams += 1

    def take(self, message: bytes, now_ns: int) -> int:
        """A binary message of the viewer. Returns its number."""
        magic, version, sections, seq, self.skipped, _ = _HEADER.unpack_from(message)
        if (magic, version) != (b"RTGV", 1):
            raise ValueError(f"expected RTGV version 1, got {magic!r} version {version}")
        at = _HEADER.size
        for _ in range(sections):
            kind, _, _, _, size, captured_ns = _SECTION.unpack_from(message, at)
            at += _SECTION.size + size + -size % 8
            if kind == Kind.FRAME:
                self.window.latency_ms.append((now_ns - captured_ns) / 1e6)
                if self._face_ns:
                    self.window.gap_ms = max(self.window.gap_ms, (now_ns - self._face_ns) / 1e6)
                self._face_ns = now_ns
        return int(seq)

    async def read(self, url: str) -> None:
        """Until the viewer closes; before that it is waited for."""
        async with aiohttp.ClientSession() as session:
            while True:
                try:
                    socket = await session.ws_connect(url, max_msg_size=0, compress=0)
                    break
                except aiohttp.ClientError:
                    await asyncio.sleep(0.02)
            async for message in socket:
                if message.type is aiohttp.WSMsgType.BINARY:
                    seq = self.take(message.data, time.monotonic_ns())
                    await socket.send_str(f'{{"type":"ack","seq":{seq}}}')

    async def tell(self, every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s - time.monotonic() % every_s)
            window, self.window = self.window, Window()
            print(window.line(self.skipped), flush=True)


async def run(url: str, senders: int, every_s: float) -> None:
    client = Client()
    ports = []
    for _ in range(senders):
        receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        receiver.bind(("127.0.0.1", 0))
        ports.append(receiver.getsockname()[1])
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: client, sock=receiver)
    print(json.dumps(ports), flush=True)
    telling = asyncio.create_task(client.tell(every_s))
    await client.read(url)
    telling.cancel()


def main(url: str, senders: int, every_s: float) -> None:
    asyncio.run(run(url, senders, every_s))


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
