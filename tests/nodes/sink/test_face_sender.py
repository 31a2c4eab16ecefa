"""What all senders share: rates, interpolation, bad frames, and targets that are not there."""

from __future__ import annotations

import errno
import socket
import time

import numpy as np
import pytest
from faces import face, free_port, udp_socket

from rtgraph import DeviceError, EndOfStream, NodeError, Output, Packet, RtGraphError, Source, register
from rtgraph.models.expression import INDEX
from rtgraph.nodes.face.types import ExpressionFrame
from rtgraph.nodes.sink.face_frames import Interpolator
from rtgraph.nodes.sink.face_sender import FaceSender, SenderConfig
from rtgraph.nodes.sink.live_link import LiveLinkSender
from rtgraph.nodes.sink.udp import UdpTarget
from rtgraph.planner import plan_text
from rtgraph.scheduler import Runner
from rtgraph.testing import run_node

JAW = INDEX["jawOpen"]


@register("test.kept")
class Kept(FaceSender):
    """Keeps what it is to send."""

    class Config(SenderConfig):
        pass

    def connect(self, ctx):
        Kept.sent = []

    def send(self, frame, timestamp_ns):
        Kept.sent.append((timestamp_ns, frame, time.monotonic()))


@register("test.ramping_face")
class RampingFace(Source):
    """jawOpen rises evenly with time, by 1 in ten seconds, 50 times a second for half a second."""

    frame = Output(ExpressionFrame, rate_hz=50.0)

    def rate_hz(self):
        return 50.0

    def open(self, ctx):
        self.start_ns, self.count = None, 0

    def process(self, ctx):
        if self.count == 25:
            raise EndOfStream
        self.count += 1
        self.start_ns = self.start_ns or ctx.timestamp_ns
        return face(jawOpen=(ctx.timestamp_ns - self.start_ns) * 1e-10)


def test_each_frame_as_it_comes():
    frames = [face(jawOpen=i / 10) for i in range(5)]
    run_node(Kept, {"frame": frames}, rate_hz=50)
    assert [t for t, *_ in Kept.sent] == [i * 20_000_000 for i in range(5)]
    assert [f[JAW] for _, f, _ in Kept.sent] == [pytest.approx(i / 10) for i in range(5)]


@pytest.mark.parametrize("rate_hz", [10, 50, 60, 72.5, 144])
def test_a_rate_of_its_own_is_interpolated_by_time(rate_hz):
    run_node(
        Kept, {"frame": [face(jawOpen=i / 50) for i in range(51)]}, config={"rate_hz": rate_hz}, rate_hz=50
    )
    times = np.array([t for t, *_ in Kept.sent]) * 1e-9
    np.testing.assert_allclose(times, np.arange(int(rate_hz) + 1) / rate_hz, atol=1e-9)
    np.testing.assert_allclose([f[JAW] for _, f, _ in Kept.sent], times, atol=1e-6)


@pytest.mark.parametrize("rate_hz", [24, 30, 60])
def test_at_the_rate_of_the_frames_each_is_sent_once(rate_hz):
    """Though the moments are rounded to whole nanoseconds, some down and some up."""
    times_ns = [round(i * 1e9 / rate_hz) for i in range(1, 101)]
    frames = [Packet(face(jawOpen=i / 100), t) for i, t in enumerate(times_ns)]
    run_node(Kept, {"frame": frames}, config={"rate_hz": rate_hz})
    assert [t for t, *_ in Kept.sent] == times_ns


def test_frames_that_come_when_they_like_are_interpolated_by_time():
    at_ms = [0, 13, 40, 41, 95, 130]
    frames = [Packet(face(jawOpen=t / 200), t * 1_000_000) for t in at_ms]
    run_node(Kept, {"frame": frames}, config={"rate_hz": 100})
    assert [(t // 1_000_000, round(float(f[JAW]) * 200)) for t, f, _ in Kept.sent] == [
        (t, t) for t in range(0, 131, 10)
    ]


def test_nothing_is_made_up_across_a_gap():
    frames = [Packet(face(jawOpen=t), t * 1_000_000_000) for t in (0, 1)]
    run_node(Kept, {"frame": frames}, config={"rate_hz": 100})
    assert [(t, f[JAW]) for t, f, _ in Kept.sent] == [(0, 0), (1_000_000_000, 1)]


def test_a_live_rate_is_kept_and_smooth():
    """Faces at 50 Hz, packets at up to 80 Hz: never faster, forward in time, each as the face was then."""
    plan = plan_text("""
version: 1
nodes:
  face: {type: test.ramping_face}
  sender: {type: test.kept, config: {rate_hz: 80}, inputs: {frame: face.frame}}
""")
    with Runner(plan) as runner:
        runner.run(duration_s=0.5)
    start_ns = plan["face"].node.start_ns
    moments = (np.array([t for t, *_ in Kept.sent]) - start_ns) * 1e-10
    jaws = np.array([f[JAW] for _, f, _ in Kept.sent], np.float64)
    assert 10 < len(Kept.sent) <= 80 * (Kept.sent[-1][2] - Kept.sent[0][2]) + 5
    assert (np.diff(moments) >= 0).all()
    np.testing.assert_allclose(jaws, moments, atol=1e-6)
    # Most lie between the faces, which are multiples of 20 ms, and not on them.
    off = np.abs(moments * 500 - np.rint(moments * 500))
    assert (off > 0.01).mean() > 0.5


@register("test.fails_once")
class FailsOnce(Kept):
    """The third face cannot be sent."""

    def send(self, frame, timestamp_ns):
        super().send(frame, timestamp_ns)
        if len(Kept.sent) == 3:
            raise ValueError("the wire is cut")


@pytest.mark.parametrize("on_error", ["stop", "skip"])
def test_an_error_of_a_paced_packet_is_one_of_the_node(on_error):
    plan = plan_text(f"""
version: 1
nodes:
  face: {{type: test.ramping_face}}
  sender:
    type: test.fails_once
    config: {{rate_hz: 80}}
    inputs: {{frame: face.frame}}
    on_error: {on_error}
""")
    with Runner(plan) as runner:
        if on_error == "stop":
            with pytest.raises(NodeError, match=r"node 'sender'.*the wire is cut"):
                runner.run(duration_s=0.5)
        else:
            runner.run(duration_s=0.5)
            assert runner.profile().nodes["sender"].errors == 1
            assert len(Kept.sent) > 5, "the others are sent"


def test_bad_numbers_are_replaced_by_the_last_good_frame():
    broken = face(jawOpen=np.nan)
    recording = run_node(Kept, {"frame": [broken, face(jawOpen=0.5), broken, face(jawOpen=np.inf), face()]})
    assert [f[JAW] for _, f, _ in Kept.sent] == [0.5, 0.5, 0.5, 0]
    assert recording.profile.nodes["node"].counters["bad_frames"] == 3


def test_weights_are_kept_in_range_and_angles_are_not():
    run_node(Kept, {"frame": [face(jawOpen=1.5, jawLeft=-0.5, headYaw=1.5)]})
    ((_, sent, _),) = Kept.sent
    assert (sent[JAW], sent[INDEX["jawLeft"]], sent[INDEX["headYaw"]]) == (1, 0, 1.5)


def test_interpolation_knows_its_ends():
    frames = Interpolator()
    assert frames.newest_ns is None
    assert frames.add(100, face(jawOpen=0.2)) is None
    assert frames.at(0)[JAW] == frames.at(500)[JAW] == np.float32(0.2)
    assert frames.add(200, face(jawOpen=0.4)) == 100
    assert [round(float(frames.at(t)[JAW]), 6) for t in (0, 100, 150, 200, 900)] == [0.2, 0.2, 0.3, 0.4, 0.4]
    assert frames.add(150, face(jawOpen=0.9)) is None  # time went back: a new beginning
    assert frames.at(120)[JAW] == np.float32(0.9)


def test_nobody_listens(caplog):
    recording = run_node(LiveLinkSender, {"frame": [face()] * 50}, config={"port": free_port()})
    counters = recording.profile.nodes["node"].counters
    assert counters["datagrams"] == 50
    assert counters["datagrams_lost"] > 0
    assert len([r for r in caplog.records if "nothing listens on that port" in r.message]) == 1


def test_a_receiver_may_come_late():
    """What was refused before costs nothing of what is sent after."""
    port = free_port()
    target = UdpTarget("127.0.0.1", port)
    for _ in range(5):
        target.send(b"early")
    assert target.lost > 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", port))
        receiver.settimeout(2)
        target.send(b"late")
        assert receiver.recv(64) == b"late"
    target.close()


def test_a_full_network_is_counted_and_never_waited_for(monkeypatch):
    with udp_socket() as receiver:
        target = UdpTarget("127.0.0.1", receiver.getsockname()[1])

        class Full:
            def send(self, data):
                raise BlockingIOError(errno.EAGAIN, "full")

            def close(self):
                pass

        real, target._socket = target._socket, Full()
        assert not target.send(b"x")
        assert (target.sent, target.lost) == (0, 1)
        target._socket = real
        assert target.send(b"y")
        target.close()


def test_an_unknown_host():
    with pytest.raises((DeviceError, NodeError), match=r"'no such host' is not known.*127\.0\.0\.1"):
        run_node(LiveLinkSender, {"frame": []}, config={"host": "no such host"})


@pytest.mark.parametrize("host", ["no such host", "a..b", "a\0b"])
def test_what_is_no_host_changes_nothing(host):
    with pytest.raises(DeviceError, match="is not known"):
        UdpTarget(host, 9)
    with udp_socket() as receiver:
        target = UdpTarget("127.0.0.1", receiver.getsockname()[1])
        target.move(host, 9)
        target.send(b"still here")
        assert receiver.recv(64) == b"still here"
        target.close()


def test_a_wrong_rate():
    with pytest.raises(RtGraphError, match="rate_hz"):
        run_node(Kept, {"frame": []}, config={"rate_hz": 0})
