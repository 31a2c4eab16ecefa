"""sink.viewer: its messages byte by byte, and what pages and graph feel of each other."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import json
import re
import socket
import struct
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from rtgraph import AssetError, GraphError, NodeError, RtGraphError
from rtgraph.files import bundled
from rtgraph.models.expression import ARKIT, FRAME
from rtgraph.nodes.sink._web_head import ShownHead
from rtgraph.nodes.sink._web_message import Kind, Section, encode
from rtgraph.nodes.sink._web_newest import Newest, Seen
from rtgraph.nodes.sink._web_settings import Change, parse
from rtgraph.planner import plan_text
from rtgraph.scheduler import Runner

aiohttp = pytest.importorskip("aiohttp")

GOLDEN = (
    "52544756" "0100" "0200" "07000000" "03000000" "00ca9a3b00000000"  # seq 7, 3 skipped, sent at 1 s
    "0200" "0100" "02000000" "01000000" "08000000" "40420f0000000000"  # confidence: 2 x 1 float32, at 1 ms
    "0000803f" "0000003f"
    "0700" "0200" "02000000" "03000000" "06000000" "feffffffffffffff"  # left eye: 2 x 3 uint8, at -2 ns
    "000102030405" "0000"
)  # fmt: skip


def glb(names=ARKIT) -> bytes:
    """As much of a GLB as the server looks at."""
    text = json.dumps({"asset": {"version": "2.0"}, "meshes": [{"extras": {"targetNames": list(names)}}]})
    text += " " * (-len(text) % 4)
    return struct.pack("<4sIII4s", b"glTF", 2, 20 + len(text), len(text), b"JSON") + text.encode()


@pytest.fixture
def head(tmp_path) -> Path:
    path = tmp_path / "head.glb"
    path.write_bytes(glb())
    return path


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


def test_a_message_is_as_documented():
    sections = [
        Section(Kind.CONFIDENCE, 1_000_000, np.array([1.0, 0.5], np.float32)),
        Section(Kind.LEFT_EYE, -2, np.arange(6, dtype=np.uint8).reshape(2, 3)),
    ]
    data = encode(sections, seq=7, skipped=3, sent_ns=1_000_000_000)
    assert data.hex() == GOLDEN
    _, _, _, got = decode(data)
    assert got[Kind.LEFT_EYE][1].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_the_newest_wins_and_sound_is_whole():
    newest, seen = Newest(), Seen()
    for i in range(3):
        newest.put(Kind.FRAME, np.full(61, i, np.float32), i)
        newest.put_sound(np.full(4, i, np.float32), i)
    sections, missed = newest.since(seen)
    assert {s.kind: s.data.tolist() for s in sections} == {
        Kind.FRAME: [2.0] * 61,
        Kind.AUDIO: [0.0] * 4 + [1.0] * 4 + [2.0] * 4,
    }
    assert missed == 0  # what was before a page came is not missed
    assert newest.since(seen) == ([], 0)
    for i in range(3, 6):
        newest.put(Kind.FRAME, np.full(61, i, np.float32), i)
    (section,), missed = newest.since(seen)
    assert (section.data[0], section.timestamp_ns, missed) == (5.0, 5, 2)


def test_sound_that_nobody_fetches_is_forgotten():
    newest = Newest()
    for _ in range(1000):
        newest.put_sound(np.zeros(160, np.float32), 0)
    (section,), _ = newest.since(Seen())
    assert 8000 <= section.data.size < 8160 + 160


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("no json", "Invalid JSON"),
        ("[]", "object"),
        ('{"type": "dance"}', "dance"),
        ('{"type": "ack", "seq": -1}', "seq"),
        ('{"type": "settings", "settings": {"weights": {"jawOpn": 1}}}', "did you mean 'jawOpen'"),
        ('{"type": "settings", "settings": {"weights": {"jawOpen": 1.5}}}', "less than or equal to 1"),
        ('{"type": "settings", "settings": {"light": {"key": NaN}}}', "finite"),
        ('{"type": "settings", "settings": {"ligth": {}}}', "ligth"),
    ],
)
def test_requests_without_meaning_are_told_why(text, answer):
    with pytest.raises(ValueError, match=answer):
        parse(text)


def test_a_request_with_meaning():
    request = parse('{"type": "settings", "settings": {"weights": {"jawOpen": 0.5}, "light": {"key": 2}}}')
    assert isinstance(request, Change)
    assert request.settings.weights == {"jawOpen": 0.5}
    assert (request.settings.light.key, request.settings.light.fill) == (2.0, 1.0)


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


async def take(page, count):
    for _ in range(count):
        yield await page.message()


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


def test_strangers_are_turned_away(head):
    token = "0123456789abcdef"

    async def status(url, **headers):
        async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
            return response.status

    async def visit(url, secret):
        assert await status(url) == 200
        assert await status(f"{url}socket", Origin="http://elsewhere.example") == 403
        assert await status(url, Host="elsewhere.example") == 403
        bare = secret.partition("?")[0]
        for place in ("", "head.glb", "socket", "viewer.js", "?token=0123456789abcdeF"):
            assert await status(f"{bare}{place}") == 403
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            async with session.get(secret) as response:
                assert response.status == 200
            async with session.get(f"{bare}viewer.js") as response:  # the cookie opens the rest
                assert response.status == 200
        async with page(secret) as a:
            assert (await a.message())[0] == 1

    with running(head) as (_, url), running(head, token=token, host="0.0.0.0") as (_, secret):
        assert secret.endswith(f"?token={token}")
        asyncio.run(visit(url, secret.replace("0.0.0.0", "127.0.0.1")))


@pytest.mark.parametrize(("config", "message"), [({"host": "0.0.0.0"}, "token"), ({"token": "short"}, "16")])
def test_an_open_door_needs_a_good_lock(head, config, message):
    with pytest.raises(GraphError, match=message):
        plan(head, **config)


def test_a_port_in_use_is_said_with_the_remedy(head):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(RtGraphError, match=rf"127.0.0.1:{port}: that port is in use; set `port`"):
            Runner(plan(head, port=port)).open()
    assert not any(t.name == "viewer" for t in threading.enumerate())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a GLB"),
        (b"PNG" * 20, "not a GLB"),
        (glb()[:-8], "cut short"),
        (glb()[:20] + b"?" * (len(glb()) - 20), "damaged"),
    ],
)
def test_a_broken_head_is_found_before_the_run(head, data, message):
    head.write_bytes(data)
    with pytest.raises(AssetError, match=message):
        Runner(plan(head)).open()


def test_missing_shapes_are_named(head, caplog):
    head.write_bytes(glb([n for n in ARKIT if n != "tongueOut"]))
    with Runner(plan(head)):
        assert "no morph targets tongueOut" in caplog.text


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


def test_the_page_is_built_from_these_sources():
    viewer = Path(__file__).parents[2] / "viewer"
    sums = json.loads((viewer / "dist" / "sources.json").read_text())
    sources = [p.relative_to(viewer).as_posix() for p in (viewer / "src").rglob("*") if p.is_file()]
    assert sorted(sums) == sorted([*sources, "build.mjs", "package-lock.json"]), "run `make viewer`"
    for name, checksum in sums.items():
        assert hashlib.sha256((viewer / name).read_bytes()).hexdigest() == checksum, (
            f"{name}: run `make viewer`"
        )


def test_the_page_is_small_and_needs_nobody_else():
    dist = Path(__file__).parents[2] / "viewer" / "dist"
    scripts = {p.name: p.read_bytes() for p in dist.glob("*.js")}
    at_once = [data for name, data in scripts.items() if not name.startswith(("splats", "sorter"))]
    assert sum(len(gzip.compress(data)) for data in at_once) < 500_000
    html = (dist / "index.html").read_text()
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', html)


def test_the_head_becomes_another_person():
    path = bundled("assets") / "heads" / "default.glb"
    shown = ShownHead(path, "", None)
    assert set(ARKIT) <= shown.shapes
    assert {"older", "noseWidth"} <= {number["name"] for number in shown.numbers}
    default, _ = shown.person({})
    other, _ = shown.person({"noseWidth": 1.0})
    moved = np.abs(np.frombuffer(other, np.float32) - np.frombuffer(default, np.float32))
    assert len(other) == len(default)
    assert 0.0005 < moved.max() < 2.0
    with pytest.raises(AssetError, match="did you mean 'noseWidth'"):
        shown.person({"noseWdth": 1.0})


def test_a_glb_alone_stays_who_it_is(head):
    shown = ShownHead(head, "", None)
    assert shown.numbers == []
    with pytest.raises(AssetError, match="cannot become another person"):
        shown.person({"older": 1.0})
    with pytest.raises(AssetError, match="cannot become another person; give"):
        ShownHead(head, "elena", None)


def test_vertices_go_to_pages_that_draw_them(head):
    from rtgraph import Input, Node, Output, register
    from rtgraph.nodes.face.avatar_decoder import Vertices
    from rtgraph.nodes.face.types import ExpressionFrame

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
