"""sink.viewer: what pages and graph feel of each other."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
import time

import numpy as np
import pytest
from viewer_page import aiohttp, page, plan, running, take

from rtgraph import NodeError, RtGraphError
from rtgraph.models.expression import FRAME
from rtgraph.nodes.sink._web_message import Kind
from rtgraph.planner import plan_text
from rtgraph.scheduler import Runner


def test_a_page_gets_the_head_and_frames(head):
    async def visit(url):
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{url}head.glb") as response:
                assert response.headers["Content-Type"] == "model/gltf-binary"
                assert await response.read() == head.read_bytes()
            async with session.get(url) as response:
                assert "viewer.js" in await response.text()
                assert "default-src 'self'" in response.headers["Content-Security-Policy"]
        async with page(url) as a:
            hello = await a.told("hello")
            assert hello["version"] == 1
            assert hello["frame"] == list(FRAME)
            assert hello["head"] == hashlib.sha256(head.read_bytes()).hexdigest()
            frames = [m async for m in take(a, 20)]
            await a.socket.send_str('{"type": "ping", "at_ms": 12.5}')
            pong = await a.told("pong")
            assert pong["at_ms"] == 12.5
            assert pong["now_ns"] > frames[-1][2]
        return frames

    with running(head, source="{type: face.tour, config: {station: smile}}") as (_, url):
        frames = asyncio.run(visit(url))
    assert [seq for seq, *_ in frames] == list(range(1, 21))
    stamps = [s[Kind.FRAME][0] for *_, s in frames if Kind.FRAME in s]
    assert len(stamps) >= 15
    assert stamps == sorted(set(stamps))
    assert all(0 < sent - s[Kind.FRAME][0] < 1e9 for _, _, sent, s in frames if Kind.FRAME in s)
    smile = frames[0][3][Kind.FRAME][1][:, 0]
    assert smile[FRAME.index("mouthSmileLeft")] == np.float32(0.85)


def test_a_page_that_does_not_read_stops_nobody_and_sees_nothing_old(head):
    async def visit(url):
        async with page(url, acknowledge=False) as slow, page(url) as quick:
            count = [m async for m in take(quick, 40)]
            waiting = [await slow.message() for _ in range(4)]
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(slow.socket.receive(), 0.3)
            await slow.socket.send_str('{"type": "ack", "seq": 4}')
            fresh = await slow.message()
        return count, waiting, fresh

    with running(head) as (runner, url):
        quick, waiting, (seq, skipped, _, sections) = asyncio.run(visit(url))
    assert (seq, [m[0] for m in waiting]) == (5, [1, 2, 3, 4])
    # It missed what went by, and begins again at the newest, not where it stopped.
    assert skipped > 0
    assert sections[Kind.FRAME][0] >= max(m[3][Kind.FRAME][0] for m in quick if Kind.FRAME in m[3])
    assert runner.profile().nodes["face"].errors == 0


def test_nonsense_is_answered_counted_and_in_the_end_sent_away(head):
    async def visit(url):
        async with page(url) as a:
            await a.socket.send_bytes(b"\0" * 100)
            assert "binary" in (await a.told("error"))["message"]
            for _ in range(99):
                await a.socket.send_str("x")
            while not a.socket.closed:
                await asyncio.wait_for(a.socket.receive(), 5)
            assert a.socket.close_code == 1008
        async with page(url) as b:
            await b.socket.send_str("x" * 100_000)
            while not b.socket.closed:
                await asyncio.wait_for(b.socket.receive(), 5)
            assert b.socket.close_code in (1009, 1006)  # too big, or gone before the reason arrived
        async with page(url) as c:
            assert (await c.message())[0] == 1
        await asyncio.sleep(0.1)

    with running(head) as (runner, url):
        asyncio.run(visit(url))
    assert runner.profile().nodes["viewer"].counters["bad_requests"] == 101


def test_pages_share_sliders_and_light(head):
    async def visit(url):
        async with page(url) as a, page(url) as b:
            await b.told("hello")
            settings = {"weights": {"jawOpen": 0.25}, "light": {"key": 0.5}}
            await a.socket.send_str(json.dumps({"type": "settings", "settings": settings}))
            told = (await b.told("settings"))["settings"]
            assert told["weights"] == {"jawOpen": 0.25}
            assert told["light"]["key"] == 0.5
        async with page(url) as c:
            assert (await c.told("hello"))["settings"] == told

    with running(head) as (_, url):
        asyncio.run(visit(url))


def test_vertices_go_to_pages_that_draw_them(head):
    from rtgraph import Input, Node, Output, register
    from rtgraph.nodes.face.types import ExpressionFrame, Vertices

    @register("test.viewer_vertices")
    class Decode(Node):
        frame = Input(ExpressionFrame)
        vertices = Output(Vertices, shape=(5, 3))

        def process(self, frame, ctx):
            return np.full((5, 3), frame[0], np.float32)

    made = plan_text(
        f"""
version: 1
nodes:
  face: {{type: face.tour}}
  decode: {{type: test.viewer_vertices, inputs: {{frame: face.frame}}}}
  viewer:
    type: sink.viewer
    config: {{port: 0, head: {head}}}
    inputs: {{frame: face.frame, vertices: decode.vertices}}
""",
        "<test>",
    )

    async def visit(url):
        async with page(url) as a, page(url) as b:
            await a.socket.send_str('{"type": "show", "surface": "vertices"}')
            got = [m async for m in take(a, 10)]
            others = [m async for m in take(b, 10)]
            await a.socket.send_str('{"type": "show", "surface": "morphs"}')
            await asyncio.sleep(0.3)
            later = [m async for m in take(a, 12)]
        return got, others, later[8:]

    with Runner(made) as runner:
        runner.start(duration_s=30)
        got, others, later = asyncio.run(visit(made["viewer"].node.url))
        runner.stop()
        while not runner.wait(0.1):
            pass
        runner.finish()
    vertices = [m[3][Kind.VERTICES][1] for m in got if Kind.VERTICES in m[3]]
    assert vertices
    assert vertices[0].shape == (5, 3)
    assert not any(Kind.VERTICES in m[3] for m in others + later)


def test_numbers_that_are_none_are_not_shown(head):
    from rtgraph import EndOfStream, Output, Source, register
    from rtgraph.nodes.face.types import ExpressionFrame

    @register("test.viewer_bad_frames")
    class Bad(Source):
        frame = Output(ExpressionFrame, rate_hz=100.0)

        def rate_hz(self):
            return 100.0

        def open(self, ctx):
            self.sent = 0

        def process(self, ctx):
            if self.sent == 60:
                raise EndOfStream
            self.sent += 1
            return {"frame": np.full(61, [np.nan, 2.0, -1.0][self.sent % 3], np.float32)}

    async def visit(url):
        async with page(url) as a:
            return [m async for m in take(a, 6)]

    with running(head, source="{type: test.viewer_bad_frames}") as (runner, url):
        got = asyncio.run(visit(url))
        while not runner.wait(0.1):
            time.sleep(0.01)
    for *_, sections in got:
        if Kind.FRAME in sections:
            weights = sections[Kind.FRAME][1][:52]
            assert np.isfinite(weights).all()
            assert ((weights == 0) | (weights == 1)).all()
    profile = runner.profile()
    counters, dropped = profile.nodes["viewer"].counters, profile.edges["face.frame -> viewer.frame"].dropped
    # A third of the frames is NaN, the others are out of range; a busy machine drops some on the way.
    assert counters["bad_frames"] > 0
    assert counters["bad_frames"] + counters["clamped"] + sum(dropped.values()) == 60


def test_nodes_errors_do_not_leave_threads(head):
    with pytest.raises((NodeError, RtGraphError)):
        Runner(plan(head.with_name("nothing.glb"))).open()
    with running(head):
        pass
    assert not any(t.name == "viewer" for t in threading.enumerate())
