"""For tests of sink.viewer: a graph that runs, and pages as the protocol sees them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
from pathlib import Path

import numpy as np
import pytest

from rtgraph.models.expression import ARKIT
from rtgraph.nodes.sink._web_message import Kind
from rtgraph.planner import plan_text
from rtgraph.scheduler import Runner

aiohttp = pytest.importorskip("aiohttp")


def glb(names=ARKIT) -> bytes:
    """As much of a GLB as the server looks at."""
    text = json.dumps({"asset": {"version": "2.0"}, "meshes": [{"extras": {"targetNames": list(names)}}]})
    text += " " * (-len(text) % 4)
    return struct.pack("<4sIII4s", b"glTF", 2, 20 + len(text), len(text), b"JSON") + text.encode()


def plan(head: Path, *, source="{type: face.tour}", more="", **config):
    config = {"port": 0, "head": str(head), **config}
    return plan_text(
        f"""
version: 1
nodes:
  face: {source}
  viewer: {{type: sink.viewer, config: {json.dumps(config)}, inputs: {{frame: face.frame}}}}
{more}""",
        "<test>",
    )


@contextlib.contextmanager
def running(*args, **kwargs):
    """A graph that runs, and the address of its viewer."""
    made = plan(*args, **kwargs)
    with Runner(made) as runner:
        runner.start(duration_s=30)
        yield runner, made["viewer"].node.url
        runner.stop()
        while not runner.wait(0.1):
            pass
        runner.finish()


class Page:
    """A page as the protocol sees it."""

    def __init__(self, socket, acknowledge=True):
        self.socket, self.acknowledge = socket, acknowledge

    async def told(self, kind):
        """The next JSON message of that type."""
        while True:
            message = await asyncio.wait_for(self.socket.receive(), 5)
            assert message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY), message
            if message.type is aiohttp.WSMsgType.TEXT and (data := json.loads(message.data))["type"] == kind:
                return data

    async def message(self):
        """The next binary message: (seq, skipped, sent_ns, {kind: (timestamp_ns, array)})."""
        while True:
            message = await asyncio.wait_for(self.socket.receive(), 5)
            if message.type is aiohttp.WSMsgType.BINARY:
                break
            assert message.type is aiohttp.WSMsgType.TEXT, message
        seq, skipped, sent_ns, sections = decode(message.data)
        if self.acknowledge:
            await self.socket.send_str(json.dumps({"type": "ack", "seq": seq}))
        return seq, skipped, sent_ns, sections


@contextlib.asynccontextmanager
async def page(url, **kwargs):
    async with aiohttp.ClientSession() as session, session.ws_connect(socket_url(url), max_msg_size=0) as ws:
        yield Page(ws, **kwargs)


def socket_url(url: str) -> str:
    address, _, query = url.partition("?")
    return f"{address}socket" + (f"?{query}" if query else "")


def decode(data: bytes):
    """Written from docs/viewer-messages.md, apart from the encoder."""
    magic, version, count, seq, skipped, sent_ns = struct.unpack_from("<4sHHIIq", data)
    assert (magic, version) == (b"RTGV", 1)
    at, sections = 24, {}
    for _ in range(count):
        kind, element, rows, columns, size, timestamp_ns = struct.unpack_from("<HHIIIq", data, at)
        dtype = {1: np.float32, 2: np.uint8}[element]
        array = np.frombuffer(data, dtype, rows * columns, at + 24)
        assert array.nbytes == size
        sections[Kind(kind)] = timestamp_ns, array.reshape(rows, columns)
        at += 24 + size + -size % 8
    assert at == len(data)
    return seq, skipped, sent_ns, sections


async def take(page, count):
    for _ in range(count):
        yield await page.message()
