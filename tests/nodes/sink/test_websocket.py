"""sink.websocket: clients of the library websockets, slow ones, strangers, and a port that is taken."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time

import numpy as np
import pytest
from faces import free_port, random_face
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from rtgraph import DeviceError, NodeError, RtGraphError, Source, register
from rtgraph.models.expression import FRAME
from rtgraph.nodes.face.types import ExpressionFrame
from rtgraph.nodes.sink.websocket import WebSocketSender
from rtgraph.planner import plan_text
from rtgraph.port import Output
from rtgraph.scheduler import Runner


@register("test.live_face")
class LiveFace(Source):
    """Random faces, 100 a second, without an end."""

    frame = Output(ExpressionFrame, rate_hz=100.0)
    endless = True

    def rate_hz(self):
        return 100.0

    def process(self, ctx):
        return random_face(8)


@pytest.fixture
def served():
    """The port of a running graph with a sender; and what it counted, after the test."""
    port = free_port(socket.SOCK_STREAM)
    plan = plan_text(f"""
version: 1
nodes:
  face: {{type: test.live_face}}
  sender: {{type: sink.websocket, config: {{port: {port}, regions: [jaw]}}, inputs: {{frame: face.frame}}}}
""")
    with Runner(plan) as runner:
        thread = threading.Thread(target=runner.run, kwargs={"duration_s": 60})
        thread.start()
        until = time.monotonic() + 5
        while time.monotonic() < until:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    break
        yield port, runner
        runner.stop()
        thread.join(10)
        assert not thread.is_alive()


def test_json(served):
    port, _ = served
    with connect(f"ws://127.0.0.1:{port}/json") as client:
        messages = [json.loads(client.recv(timeout=2)) for _ in range(3)]
    face = dict(zip(FRAME, random_face(8).tolist(), strict=True))
    jaw = {name: pytest.approx(face[name], abs=1e-5) for name in FRAME if name.startswith("jaw")}
    for message in messages:
        assert set(message) == {"seq", "time_s", "weights"}
        assert message["weights"] == jaw
    assert messages[0]["seq"] < messages[1]["seq"] < messages[2]["seq"]
    assert messages[2]["time_s"] - messages[0]["time_s"] == pytest.approx(
        0.01 * (messages[2]["seq"] - messages[0]["seq"]), abs=1e-4
    )


def test_bytes(served):
    port, _ = served
    with connect(f"ws://127.0.0.1:{port}/binary") as client:
        data = client.recv(timeout=2)
    magic, version, count, _, timestamp_ns = struct.unpack_from("<4sHHIq", data)
    assert (magic, version, count, len(data)) == (b"RTGF", 1, 61, 20 + 61 * 4)
    assert abs(time.monotonic_ns() - timestamp_ns) < 5e9
    numbers = np.frombuffer(data, "<f4", offset=20)
    jaw = np.array([name.startswith("jaw") for name in FRAME])
    np.testing.assert_array_equal(numbers, np.where(jaw, random_face(8), 0))


def test_a_client_that_does_not_read_holds_nobody_up(served):
    port, runner = served
    with (
        connect(f"ws://127.0.0.1:{port}/json", max_queue=1, close_timeout=0.1) as asleep,
        connect(f"ws://127.0.0.1:{port}/") as awake,
    ):
        start = time.monotonic()
        for _ in range(50):
            awake.recv(timeout=2)
        assert time.monotonic() - start < 3
        assert asleep.recv(timeout=2)
    assert not any(edge.dropped for edge in runner.profile().edges.values())


def test_strangers_are_turned_away(served):
    port, _ = served
    with pytest.raises(InvalidStatus, match="403"):
        connect(f"ws://127.0.0.1:{port}/", origin="https://elsewhere.example")
    with connect(f"ws://127.0.0.1:{port}/", origin="http://localhost:8080") as page:
        assert page.recv(timeout=2)
    with connect(f"ws://127.0.0.1:{port}/video") as client, pytest.raises(ConnectionClosed, match="/binary"):
        client.recv(timeout=2)


def test_it_is_counted(served):
    port, runner = served
    with connect(f"ws://127.0.0.1:{port}/") as client:
        for _ in range(10):
            client.recv(timeout=2)
    until = time.monotonic() + 2
    while runner.profile().nodes["sender"].counters.get("messages", 0) < 10 and time.monotonic() < until:
        time.sleep(0.02)
    counters = runner.profile().nodes["sender"].counters
    assert counters["messages"] >= 10
    assert counters["clients_joined"] == 1


def test_a_port_that_is_taken():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        sender = WebSocketSender(WebSocketSender.Config(port=other.getsockname()[1]))
        with pytest.raises((RtGraphError, NodeError), match=r"cannot listen at .*choose another `port`"):
            sender.connect(None)
        sender.disconnect()


def test_a_server_that_cannot_start_is_told(monkeypatch):
    """Whatever keeps it from it: nothing is opened that serves nobody."""
    with pytest.raises(DeviceError, match=r"host 'a\.\.b' is not known"):
        WebSocketSender(WebSocketSender.Config(host="a..b")).connect(None)

    def serve(*args, **options):
        raise ValueError("not today")

    monkeypatch.setattr("websockets.asyncio.server.serve", serve)
    with pytest.raises(RtGraphError, match=r"cannot listen at 127\.0\.0\.1:8790: ValueError: not today"):
        WebSocketSender(WebSocketSender.Config()).connect(None)
