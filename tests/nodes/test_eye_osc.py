"""eye.osc: what Steam Link, VRCFaceTracking and VRChat's own messages say, sent by python-osc over loopback."""

from __future__ import annotations

import math
import socket
import threading
import time

import numpy as np
import pytest

pytest.importorskip("pythonosc")

from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder

from rtgraph.errors import RtGraphError
from rtgraph.models.expression import EYE_STATE
from rtgraph.models.eye_lift import EYE_REACH_RAD
from rtgraph.nodes.eye import osc
from rtgraph.nodes.eye.osc import EyeOsc
from rtgraph.nodes.eye.osc_signals import EyeSignals
from rtgraph.planner import plan_text
from rtgraph.testing import record

NOW = 10**12


def after(*messages):
    """The state after these messages, by name."""
    signals = EyeSignals()
    for address, *values in messages:
        assert signals.take(address, values, NOW)
    return dict(zip(EYE_STATE, signals.state.tolist(), strict=True))


def test_nothing_said_is_two_open_eyes_ahead():
    state = dict(zip(EYE_STATE, EyeSignals().state.tolist(), strict=True))
    assert state["lidLeft"] == state["lidRight"] == state["confidenceLeft"] == 1
    assert state["gazeYawLeft"] == state["gazePitchRight"] == state["squintLeft"] == 0


def test_steam_link_weights():
    state = after(
        ("/sl/xrfb/facew/EyesClosedL", 0.5),
        ("/sl/xrfb/facew/LidTightenerL", 0.4),
        ("/sl/xrfb/facew/UpperLidRaiserR", 0.3),
        ("/sl/xrfb/facew/EyesLookLeftR", 0.5),
        ("/sl/xrfb/facew/EyesLookUpR", 0.25),
        ("/sl/xrfb/facec/UpperFace", 0.8),
    )
    assert state["lidLeft"] == pytest.approx(1 - 0.5 * 1.4)
    assert state["squintLeft"] == pytest.approx(0.4)
    assert state["wideRight"] == pytest.approx(0.3)
    assert state["gazeYawRight"] == pytest.approx(EYE_REACH_RAD / 2)  # positive: to the person's left
    assert state["gazePitchRight"] == pytest.approx(-EYE_REACH_RAD / 4)  # negative: up
    assert state["confidenceLeft"] == state["confidenceRight"] == pytest.approx(0.8)


def test_steam_link_gaze_point_goes_before_its_weights():
    # OpenXR: +x right, +y up, -z ahead
    state = after(("/sl/eyeTrackedGazePoint", 1.0, -1.0, -1.0), ("/sl/xrfb/facew/EyesLookLeftL", 1.0))
    assert state["gazeYawLeft"] == state["gazeYawRight"] == pytest.approx(-math.radians(45))
    assert state["gazePitchLeft"] == pytest.approx(math.atan(1 / math.sqrt(2)))
    later = EyeSignals()
    later.take("/sl/eyeTrackedGazePoint", [1.0, 0.0, -1.0], NOW)
    later.take("/sl/xrfb/facew/EyesLookLeftL", [1.0], NOW + 10**9)
    assert later.state[0] == pytest.approx(EYE_REACH_RAD)


def test_unified_expressions():
    root = "/avatar/parameters/FT/v2/"
    state = after(
        (root + "EyeLeftX", 0.5),
        (root + "EyeLeftY", -0.3),
        (root + "EyeLidLeft", 0.75),
        (root + "EyeLidRight", 0.875),
        (root + "EyeSquintRight", 0.6),
        ("/avatar/parameters/v2/PupilDiameterLeft", 5.0),
    )
    yaw, pitch = state["gazeYawLeft"], state["gazePitchLeft"]
    assert (-math.sin(yaw) * math.cos(pitch), -math.sin(pitch)) == pytest.approx((0.5, -0.3), abs=1e-6)
    assert yaw < 0 < pitch  # to the right, down
    assert (state["lidLeft"], state["wideLeft"]) == (1, 0)
    assert (state["lidRight"], state["wideRight"]) == pytest.approx((1, 0.5))
    assert state["squintRight"] == pytest.approx(0.6)
    assert state["pupilMmLeft"] == 5
    both = after((root + "EyeX", -0.2), (root + "EyeClosed", 0.25), (root + "EyeWide", 0.1))
    assert both["gazeYawLeft"] == both["gazeYawRight"] == pytest.approx(math.asin(0.2))
    assert both["lidRight"] == pytest.approx(0.75)
    assert both["wideLeft"] == pytest.approx(0.1)


def test_vrchats_own():
    state = after(
        ("/tracking/eye/LeftRightPitchYaw", 10.0, 20.0, -5.0, -30.0), ("/tracking/eye/EyesClosedAmount", 0.3)
    )
    degrees = {k: math.degrees(v) for k, v in state.items() if k.startswith("gaze")}
    assert degrees == pytest.approx(
        {"gazeYawLeft": -20, "gazePitchLeft": 10, "gazeYawRight": 30, "gazePitchRight": -5}, abs=1e-4
    )
    assert state["lidLeft"] == pytest.approx(0.7)
    straight = after(("/tracking/eye/CenterVec", 0.0, 0.5, 0.5))
    assert straight["gazePitchRight"] == pytest.approx(-math.radians(45))


def test_nonsense_is_refused_and_the_rest_passed_over():
    signals = EyeSignals()
    assert not signals.take("/sl/xrfb/facew/JawDrop", [1.0], NOW)
    assert not signals.take("/avatar/parameters/v2/JawOpen", [1.0], NOW)
    for address, values in (
        ("/sl/eyeTrackedGazePoint", [1.0, 2.0]),
        ("/sl/xrfb/facew/EyesClosedL", [math.nan]),
        ("/tracking/eye/LeftRightPitchYaw", [1.0]),
        ("/sl/xrfb/facew/EyesClosedL", ["shut"]),
    ):
        with pytest.raises(ValueError, match="expected"):
            signals.take(address, values, NOW)
    assert np.isfinite(signals.state).all()


@pytest.mark.parametrize("value", [3e38, -3e38, 1e300, -1e300])
def test_absurd_numbers_leave_a_gaze_that_eyes_can_have(value):
    state = after(
        ("/tracking/eye/CenterPitchYaw", value, value),
        ("/tracking/eye/LeftRightPitchYaw", value, -value, 0.0, value),
    )
    assert state["gazeYawLeft"] == pytest.approx(math.copysign(math.pi / 2, value))
    assert state["gazePitchLeft"] == pytest.approx(math.copysign(math.pi / 2, value))
    assert state["gazeYawRight"] == pytest.approx(-math.copysign(math.pi / 2, value))
    assert np.isfinite(list(state.values())).all()


def bundle(*messages):
    builder = OscBundleBuilder(IMMEDIATELY)
    for address, *values in messages:
        message = OscMessageBuilder(address=address)
        for value in values:
            message.add_arg(float(value))
        builder.add_content(message.build())
    return builder.build().dgram


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def test_bundles_over_udp_become_states_and_a_lost_sender_loses_confidence():
    port = free_port()

    def send():
        time.sleep(0.3)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"nonsense", ("127.0.0.1", port))
            for k in range(30):
                closed = bundle(("/sl/xrfb/facew/EyesClosedL", k / 30), ("/sl/xrfb/facew/JawDrop", 0.5))
                s.sendto(closed, ("127.0.0.1", port))
                time.sleep(0.01)

    plan = plan_text(
        f"version: 1\nnodes:\n  eyes: {{type: eye.osc, config: {{port: {port}, lost_ms: 200}}}}\n"
        "  end: {type: debug.discard, inputs: {x: eyes.state}}\n",
        "<osc>",
    )
    thread = threading.Thread(target=send)
    thread.start()
    got = record(plan, {"state": "eyes.state"}, clock="system", duration_s=1.4)
    thread.join()
    got.assert_like("state", shape=(14,), dtype="float32")
    states = got.stacked("state")
    lid, confidence = states[:, 2], states[:, 6]
    assert 15 <= np.count_nonzero(confidence) <= 30
    assert (np.diff(lid) <= 0).all()
    assert lid[-1] == pytest.approx(1 - 29 / 30)
    assert confidence[-1] == 0
    assert (np.diff(got.timestamps_ns["state"]) > 0).all()
    counters = got.profile.nodes["eyes"].counters
    assert counters["bad_messages"] == 1
    assert counters["other_messages"] == 30


def test_it_is_said_that_nobody_sends_and_when_somebody_does(monkeypatch, caplog):
    monkeypatch.setattr(osc, "_NOBODY_NS", 200_000_000)
    port = free_port()

    def send():
        time.sleep(0.6)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            for k in range(5):
                s.sendto(bundle(("/sl/xrfb/facew/EyesClosedL", k / 5)), ("127.0.0.1", port))
                time.sleep(0.02)

    plan = plan_text(
        f"version: 1\nnodes:\n  eyes: {{type: eye.osc, config: {{port: {port}}}}}\n"
        "  end: {type: debug.discard, inputs: {x: eyes.state}}\n",
        "<osc>",
    )
    thread = threading.Thread(target=send)
    thread.start()
    got = record(plan, {"state": "eyes.state"}, clock="system", duration_s=1.0)
    thread.join()
    assert caplog.text.count(f"nobody sends eye signals to 127.0.0.1:{port} yet") == 1
    assert caplog.text.count("eye signals come in") == 1
    assert len(got.outputs["state"]) >= 3


def test_a_port_in_use_is_said():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        node = EyeOsc(EyeOsc.Config(port=s.getsockname()[1]))
        with pytest.raises(RtGraphError, match="another program listens there"):
            node.open(None)
