"""face.eyes, face.eye_features and face.mix: eyes become a face, and regions come from where they should."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rtgraph import EndOfStream, Output, Source, register
from rtgraph.files import bundled
from rtgraph.models.expression import ARKIT, EYE, EYE_STATE, FRAME, INDEX, REGIONS, region
from rtgraph.models.eye_adapter import load
from rtgraph.models.eye_lift import EYE_REACH_RAD, from_frame, lift, to_frame
from rtgraph.nodes.face.eye_features import FaceEyeFeatures
from rtgraph.nodes.face.eyes import Eyes
from rtgraph.nodes.face.mix import Mix
from rtgraph.nodes.face.one_euro import FaceOneEuro
from rtgraph.nodes.face.types import Confidence, ExpressionFrame
from rtgraph.planner import plan_text
from rtgraph.testing import record, run_node

COLUMNS = {name: [i for i, n in enumerate(FRAME) if region(n) == name] for name in REGIONS}
SURE = np.ones(6, np.float32)


def state(yaw=0.0, pitch=0.0, lid=1.0, squint=0.0, wide=0.0, confidence=1.0):
    return np.array([yaw, pitch, lid, squint, wide, 4.0, confidence] * 2, np.float32)


def full(value):
    """A frame with this value everywhere."""
    return np.full(61, value, np.float32)


def test_eyes_that_look_left_and_down_and_close_halfway():
    frame = to_frame(state(yaw=EYE_REACH_RAD / 2, pitch=EYE_REACH_RAD / 4, lid=0.4, squint=0.3, wide=0.2))
    shown = {name: round(float(frame[i]), 4) for name, i in INDEX.items() if frame[i] != 0}
    assert shown == {
        **{f"eyeBlink{s}": 0.6 for s in ("Left", "Right")},
        **{f"eyeSquint{s}": 0.3 for s in ("Left", "Right")},
        **{f"eyeWide{s}": 0.2 for s in ("Left", "Right")},
        **{f"eyeLookDown{s}": 0.25 for s in ("Left", "Right")},
        # The person's left is away from the nose for the left eye, towards it for the right.
        "eyeLookOutLeft": 0.5,
        "eyeLookInRight": 0.5,
        **{f"{s}EyeYaw": round(EYE_REACH_RAD / 2, 4) for s in ("left", "right")},
        **{f"{s}EyePitch": round(EYE_REACH_RAD / 4, 4) for s in ("left", "right")},
    }
    assert all(region(name) in ("lids", "gaze") for name in shown)


def test_a_state_survives_the_way_through_a_frame():
    rng = np.random.default_rng(0)
    states = rng.uniform(0, 1, (40, 2, 7)).astype(np.float32)
    states[..., :2] = rng.uniform(-0.5, 0.5, (40, 2, 2))
    states[..., 5:] = (4.0, 1.0)
    states = states.reshape(40, 14)
    np.testing.assert_allclose(from_frame(to_frame(states)), states, atol=1e-6)
    one = to_frame(states)
    np.testing.assert_array_equal(one[7], to_frame(states[7]))


def test_lift_is_normalised_and_fixed():
    lifted = lift(state(yaw=EYE_REACH_RAD, pitch=-EYE_REACH_RAD, lid=0.0, squint=0.5, wide=1.0))
    assert lifted.shape == (160,)
    assert lifted.dtype == np.float32
    np.testing.assert_allclose(lifted[:7], [1, -1, -1, 0.5, 1, 0, 1], atol=1e-6)
    np.testing.assert_array_equal(lifted[7:14], lifted[:7])
    assert not lifted[14:].any()


def test_face_eyes_sends_only_lids_and_gaze_with_their_confidence():
    good, bad = state(lid=0.5, confidence=0.7), np.full(len(EYE_STATE), np.nan, np.float32)
    got = run_node(Eyes, {"state": [good, bad]})
    got.assert_like("frame", count=2, shape=(61,), dtype="float32")
    np.testing.assert_array_equal(*got.outputs["frame"])  # the last good one stands in
    assert dict(zip(REGIONS, got.outputs["confidence"][0].round(4).tolist(), strict=True)) == pytest.approx(
        {"brows": 0, "lids": 0.7, "gaze": 0.7, "mouth": 0, "jaw": 0, "head": 0}
    )
    assert got.profile.nodes["node"].counters["bad_packets"] == 1


def test_eye_features_come_from_the_state_or_the_camera_or_both():
    one = state(yaw=0.2)
    camera = np.linspace(-1, 1, 160).astype(np.float32)
    lifted = run_node(FaceEyeFeatures, {"state": [one]}).outputs["features"][0]
    np.testing.assert_array_equal(lifted, lift(one))
    seen = load(bundled("assets") / "weights/eye-adapter.safetensors")(camera)
    for share, expected in ((0.0, lifted), (1.0, seen), (0.25, 0.75 * lifted + 0.25 * seen)):
        got = run_node(
            FaceEyeFeatures,
            {"state": [one] * 3, "camera": [camera] * 3, "camera_share": [np.array([share], np.float32)] * 3},
        )
        np.testing.assert_allclose(got.outputs["features"][-1], expected, atol=1e-6)


def feed(name, kind, values, hop_ms, first_ns):
    """A source of its own type that sends one of the values, or nothing for None, every `hop_ms`."""

    class Feed(Source):
        out = Output(kind, rate_hz=1000 / hop_ms)

        def rate_hz(self):
            return 1000 / hop_ms

        def first_tick_ns(self):
            return first_ns

        def open(self, ctx):
            self.left = list(values)

        def process(self, ctx):
            if not self.left:
                raise EndOfStream
            value = self.left.pop(0)
            return None if value is None else {"out": value}

    return register(f"test.mix_{name}")(Feed).type_name


def mix(sources, config=None, hop_ms=20):
    """Frames, confidences and counters of {input: values}; each voice frame meets what the others have sent."""
    nodes = {"mix": {"type": "face.mix", "config": config or {}, "inputs": {}}}
    for name, values in sources.items():
        kind = Confidence if name.endswith("confidence") else ExpressionFrame
        late_ns = 1_000_000 if name == "voice" else 0
        nodes[name] = {"type": feed(name, kind, values, hop_ms, late_ns)}
        nodes["mix"]["inputs"][name] = f"{name}.out"
    plan = plan_text(json.dumps({"version": 1, "clock": "manual", "nodes": nodes}), "<mix>")
    got = record(plan, {"frame": "mix.frame", "confidence": "mix.confidence"})
    n = len(sources["voice"])
    got.assert_like("frame", count=n, shape=(61,), dtype="float32")
    got.assert_like("confidence", count=n, shape=(6,), dtype="float32")
    return got.stacked("frame"), got.stacked("confidence"), got.profile.nodes["mix"].counters


LID = INDEX["eyeBlinkLeft"]
HEAD_YAW = INDEX["headYaw"]


def test_each_region_comes_from_where_the_config_says():
    values = {"voice": 0.1, "eyes": 0.2, "other": 0.3}
    inputs = {port: [full(value)] * 3 for port, value in values.items()}
    config = {"brows": "other", "head": "other", "mouth": "voice", "jaw": "eyes"}
    shown = mix(inputs, config)[0][-1]
    sources = {"brows": 0.3, "lids": 0.2, "gaze": 0.2, "mouth": 0.1, "jaw": 0.2, "head": 0.3}
    for name, value in sources.items():
        np.testing.assert_allclose(shown[COLUMNS[name]], value, atol=1e-6, err_msg=name)


def test_voice_alone_passes_and_gains_are_held_in_range():
    frames, confidences, _ = mix(
        {"voice": [full(0.4)] * 2}, {"gains": {"mouth": 0.5, "jaw": 5.0, "head": 2.0}}
    )
    expected = {"mouth": 0.2, "jaw": 1.0, "head": 0.8, "brows": 0.4}
    for name, value in expected.items():
        np.testing.assert_allclose(frames[:, COLUMNS[name]], value, atol=1e-6, err_msg=name)
    np.testing.assert_array_equal(confidences, 1)


def test_an_unsure_source_fades_to_the_voice_and_back():
    sure = [SURE * np.float32(1.0 if k < 20 or k >= 40 else 0.1) for k in range(60)]
    inputs = {"voice": [full(0.0)] * 60, "eyes": [full(0.8)] * 60, "eyes_confidence": sure}
    lid = mix(inputs, {"fade_ms": 200.0})[0][:, LID]
    np.testing.assert_allclose(lid[:20], 0.8, atol=1e-5)
    np.testing.assert_allclose(lid[30:40], 0.0, atol=1e-5)
    np.testing.assert_allclose(lid[50:], 0.8, atol=1e-5)
    assert np.abs(np.diff(lid)).max() < 0.8 * 20 / 200 + 1e-3  # a frame's share of the fade
    halfway = mix({"voice": [full(0.0)], "eyes": [full(1.0)], "eyes_confidence": [SURE * np.float32(0.4)]})[0]
    assert halfway[0, LID] == pytest.approx(0.5, abs=1e-6)


def test_a_source_that_falls_silent_is_left_and_one_that_stands_still_is_not():
    voice = [full(0.0)] * 100
    silent = [full(0.8) if k < 20 else None for k in range(100)]
    config = {"silent_ms": 300.0, "fade_ms": 100.0}
    lid = mix({"voice": voice, "eyes": silent}, config)[0][:, LID]
    np.testing.assert_allclose(lid[:35], 0.8, atol=1e-6)
    np.testing.assert_allclose(lid[42:], 0.0, atol=1e-6)
    lid = mix({"voice": voice, "eyes": [full(0.8)] * 100}, config)[0][:, LID]
    np.testing.assert_allclose(lid, 0.8, atol=1e-6)


def test_nan_never_passes():
    bad = full(np.nan)
    inputs = {
        "voice": [full(0.3), bad, bad],
        "eyes": [full(0.6), full(0.6), bad],
        "eyes_confidence": [SURE, bad[:6], SURE],
    }
    frames, _, counters = mix(inputs, {"fade_ms": 0.0})
    np.testing.assert_allclose(frames[:, INDEX["jawOpen"]], 0.3)
    np.testing.assert_allclose(frames[:, LID], [0.6, 0.3, 0.6], atol=1e-6)
    assert counters["bad_packets"] == 3


@pytest.mark.parametrize("hop_ms", [5, 10, 40])
def test_time_counts_and_not_the_number_of_frames(hop_ms):
    inputs = {"voice": [full(0.2)] * 2, "eyes": [full(0.9)] * 2, "eyes_confidence": [0 * SURE, SURE]}
    lid = mix(inputs, {"fade_ms": 200.0}, hop_ms)[0][:, LID]
    np.testing.assert_allclose(lid, [0.2, 0.2 + 0.7 * hop_ms / 200], atol=1e-6)


def test_the_voices_head_is_smoothed_as_face_one_euro_does_and_the_rest_is_not():
    noisy = list(np.random.default_rng(3).uniform(0.4, 0.6, (60, 61)).astype(np.float32))
    shown = mix({"voice": noisy}, {"smooth": {"head": {"cutoff_hz": 0.8, "beta": 3.0}}})[0]
    python = run_node(
        FaceOneEuro, {"frame": noisy}, config={"head": {"cutoff_hz": 0.8, "beta": 3.0}}, rate_hz=50.0
    )
    np.testing.assert_allclose(shown, python.stacked("out"), atol=1e-5)
    assert (
        np.abs(np.diff(shown[:, HEAD_YAW])).mean()
        < 0.3 * np.abs(np.diff(np.stack(noisy)[:, HEAD_YAW])).mean()
    )
    np.testing.assert_array_equal(mix({"voice": noisy}, {"smooth": {}})[0], noisy)


def test_a_trembling_head_is_calm_and_nods_in_time():
    """What the default does to a nod of speech, 5 degrees at 1 Hz, with the network's tremble on it."""
    time_s = np.arange(500) / 50
    nod = np.radians(5) * np.sin(2 * np.pi * time_s)
    tremble = np.radians(0.15) * np.random.default_rng(4).normal(size=500)
    voice = np.zeros((500, 61), np.float32)
    voice[:, HEAD_YAW], voice[:, INDEX["headPitch"]] = nod + tremble, tremble
    shown = mix({"voice": list(voice)})[0]
    resting = np.abs(np.diff(shown[50:, INDEX["headPitch"]])).mean()
    assert resting < 0.2 * np.abs(np.diff(tremble)).mean()
    lags_s = np.arange(0, 0.2, 0.002)
    misses = [np.abs(np.interp(time_s - lag, time_s, nod) - shown[:, HEAD_YAW])[50:].mean() for lag in lags_s]
    assert lags_s[int(np.argmin(misses))] <= 0.06
    assert shown[50:, HEAD_YAW].std() == pytest.approx(nod.std(), rel=0.1)


def test_the_head_of_another_source_is_not_smoothed():
    heads = list(np.random.default_rng(5).uniform(0.4, 0.6, (60, 61)).astype(np.float32))
    shown = mix({"voice": [full(0.0)] * 60, "other": heads}, {"head": "other"})[0]
    np.testing.assert_allclose(shown[:, HEAD_YAW], np.stack(heads)[:, HEAD_YAW], atol=1e-6)


def test_config_mistakes():
    with pytest.raises(ValueError, match=r"unsure \(0.7\) must be below sure"):
        Mix.Config(unsure=0.7)
    with pytest.raises(ValueError, match="the gain of mouth is -1"):
        Mix.Config(gains={"mouth": -1})
    assert len(EYE) * 2 == len(EYE_STATE)
    assert len(ARKIT) == 52
