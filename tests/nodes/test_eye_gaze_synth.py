"""eye.gaze_synth: its statistics against what was published, and the hand-over between cameras and synthesis."""

from __future__ import annotations

import numpy as np
import pytest

from rtgraph.models.expression import EYE, EYE_STATE
from rtgraph.nodes.eye.gaze_model import GazeModel, Temperament
from rtgraph.nodes.eye.gaze_synth import GazeSynth
from rtgraph.nodes.eye.hand_over import HandOver
from rtgraph.testing import run_node

YAW, PITCH, LID, SQUINT, WIDE, PUPIL, CONFIDENCE = range(len(EYE))
DT_S = 0.02


def live(seconds, speaking, seed=0, **temperament):
    """[steps, 14] of a model; speaking: bool or a function of time."""
    model = GazeModel(Temperament(**temperament), seed)
    says = speaking if callable(speaking) else lambda _: speaking
    return np.array([model.step(DT_S, says(k * DT_S)) for k in range(round(seconds / DT_S))])


def blinks(states):
    """Start of each closing, in steps."""
    shut = states[:, LID] < 0.5
    return np.flatnonzero(shut[1:] & ~shut[:-1])


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("speaking", [False, True, lambda t: t % 7 < 4])
def test_blinks_10_to_25_times_a_minute_however_one_speaks(speaking, seed):
    assert 10 <= len(blinks(live(180, speaking, seed))) / 3 <= 25


def test_people_blink_more_while_they_speak_and_never_twice_at_once():
    silent, speaking = (blinks(live(240, talks)) for talks in (False, True))
    assert len(speaking) > 1.1 * len(silent)
    assert np.diff(speaking).min() * DT_S >= 0.3


def test_no_blinks_where_none_are_wanted():
    states = live(60, True, blinks_per_min_speaking=0.0, blinks_per_min_silent=0.0)
    assert states[:, LID].min() > 0.5


def test_a_blink_closes_faster_than_it_opens():
    states = live(120, False)
    lid = states[:, LID]
    for start in blinks(states)[:-1]:
        bottom = start + np.argmin(lid[start : start + 8])
        down = bottom - np.flatnonzero(lid[:bottom] > 0.9 * lid[start - 6])[-1]
        up = np.flatnonzero(lid[bottom:] > 0.8)[0]
        assert 2 <= down <= 9  # 40 to 180 ms
        assert up < 20


def gaze_speed_deg_s(states):
    return np.hypot(*np.diff(np.degrees(states[:, [YAW, PITCH]]), axis=0).T) / DT_S


def saccades(model_rate_hz=500, seconds=80):
    """[n, 2] amplitude in degrees and peak speed in degrees a second, at a rate that resolves them."""
    model = GazeModel(Temperament(), 3)
    gaze = np.degrees(
        [model.step(1 / model_rate_hz, True)[[YAW, PITCH]] for _ in range(seconds * model_rate_hz)]
    )
    speed = np.hypot(*np.diff(gaze, axis=0).T) * model_rate_hz
    moving = np.concatenate([[False], speed > 1e-3, [False]])
    starts, ends = np.flatnonzero(moving[1:] & ~moving[:-1]), np.flatnonzero(moving[:-1] & ~moving[1:])
    return np.array(
        [(np.hypot(*(gaze[e] - gaze[s])), speed[s:e].max()) for s, e in zip(starts, ends, strict=True)]
    )


def test_saccades_lie_on_the_main_sequence():
    found = saccades()
    assert len(found) > 100
    size, peak = found.T
    # Bahill, Clark & Stark 1975; Collewijn, Erkelens & Steinman 1988
    for low_deg, high_deg, least, most in ((1, 2, 40, 150), (8, 12, 250, 450), (15, 30, 350, 600)):
        among = peak[(size > low_deg) & (size < high_deg)]
        assert among.size
        assert least < among.min()
        assert among.max() < most


def away(states):
    """Share of the time in which gaze is off the other's face."""
    yaw_deg = np.degrees(states[:, [YAW, YAW + len(EYE)]]).mean(1)
    return (np.hypot(yaw_deg, np.degrees(states[:, PITCH])) > 6).mean()


def test_gaze_rests_between_saccades_and_returns_to_the_other():
    states = live(180, True)
    still = gaze_speed_deg_s(states) < 5
    assert still.mean() > 0.85
    assert 0.05 < away(states) < 0.35  # 0.93 s of 4.06 s, and some shifts are small
    assert np.abs(np.degrees(states[:, [YAW, PITCH]])).max() < 32
    assert away(live(180, False)) < away(states)


def test_eyes_converge_on_a_near_face():
    near, far = (live(1, False, distance_m=d)[0] for d in (0.4, 5.0))
    verge = [float(s[YAW + len(EYE)] - s[YAW]) for s in (near, far)]
    assert verge[0] == pytest.approx(2 * np.arctan(0.0315 / 0.4), rel=0.01)
    assert 0 < verge[1] < 0.02  # the left eye looks to the right, towards the nose


def test_the_node_is_deterministic_and_reset_equals_new():
    speech = [np.array([float(k % 50 < 30)], np.float32) for k in range(400)]
    config = {"seed": 5, "rate_hz": 100.0}
    first, again = (run_node(GazeSynth, {"speech": speech}, config=config, duration_s=4.0) for _ in range(2))
    first.assert_like("state", count=400, shape=(14,), dtype="float32", rate_hz=100.0)
    np.testing.assert_array_equal(first.stacked("state"), again.stacked("state"))
    other = run_node(GazeSynth, {"speech": speech}, config={**config, "seed": 6}, duration_s=4.0)
    assert not np.array_equal(first.stacked("state"), other.stacked("state"))
    node = GazeSynth(GazeSynth.Config(**config))
    node.reset()
    sent = [node.process(None, None, None)["state"] for _ in range(50)]
    node.reset()
    np.testing.assert_array_equal(sent, [node.process(None, None, None)["state"] for _ in range(50)])


def eye(yaw=0.2, confidence=0.9, lid=0.8, noise=0.0):
    return [yaw + noise, 0.05, lid, 0.1, 0.0, 3.5, confidence]


def camera_states(count, left, right, seed=0):
    """[count, 14] with a little noise, as real eyes have."""
    rng = np.random.default_rng(seed)
    return [np.array(eye(**left) + eye(**right), np.float32) + np.r_[rng.normal(0, 1e-4, 2), [0.0] * 12].astype(np.float32)
            for _ in range(count)]  # fmt: skip


def hand_over(states, config=None):
    got = run_node(
        GazeSynth,
        {"camera": states},
        config={"rate_hz": 100.0, **(config or {})},
        duration_s=len(states) / 100,
    )
    return got.stacked("state"), got.stacked("camera_share")[:, 0], got.profile.nodes["node"].counters


def test_a_sure_camera_passes_through():
    states = camera_states(200, {}, {"yaw": 0.15})
    shown, share, _ = hand_over(states)
    assert share[-1] == 1
    np.testing.assert_allclose(shown[100:], states[100:], atol=1e-6)


def test_a_lost_camera_hands_over_without_a_jump_and_back():
    seen = camera_states(300, {}, {})
    dark = camera_states(300, {"confidence": 0.05, "yaw": -0.5}, {"confidence": 0.02, "yaw": 0.5}, seed=1)
    shown, share, _ = hand_over([*seen, *dark, *seen])
    assert share[299] == 1
    assert share[400] == 0
    assert share[-1] == 1
    # Never what the doubted camera says, and no jump larger than a saccade makes in 10 ms.
    assert np.abs(shown[300:600, YAW]).max() < 0.45
    steps = np.abs(np.diff(shown[295:345, YAW]))
    assert steps.max() < 0.03
    # The synthesis is alive: gaze moves while the camera is dark.
    assert shown[400:600, YAW].std() > 0.01


def test_a_blink_that_hides_the_pupil_does_not_hand_over():
    seen = camera_states(100, {}, {})
    hidden = camera_states(20, {"confidence": 0.1}, {"confidence": 0.1})
    _, share, _ = hand_over([*seen, *hidden, *seen])
    assert share[60:].min() == 1


def test_one_lost_eye_follows_the_other():
    states = camera_states(300, {"yaw": 0.3}, {"yaw": -0.4, "confidence": 0.0})
    shown, share, _ = hand_over(states)
    assert share[-1] == 1
    assert shown[-1, YAW] == pytest.approx(0.3, abs=1e-3)
    assert shown[-1, YAW + len(EYE)] == pytest.approx(0.3, abs=1e-3)


def test_a_frozen_camera_is_no_stare():
    frozen = [np.array(eye() + eye(), np.float32)] * 400
    shown, share, _ = hand_over(frozen)
    assert share[20:30].max() > 0.0  # it was believed at first
    assert share[150:].max() == 0
    assert shown[150:, YAW].std() > 0.01


def test_nan_is_no_confidence():
    states = camera_states(100, {}, {})
    states += [np.full(len(EYE_STATE), np.nan, np.float32)] * 100
    shown, share, counters = hand_over(states)
    assert np.isfinite(shown).all()
    assert share[-1] == 0
    assert counters["bad_states"] == 100


def test_the_camera_outweighs_the_synthesis_by_fade_alone():
    mixer = HandOver(low=0.3, high=0.5, fade_s=0.1, patience_s=0.0)
    synthetic = np.zeros(14, np.float32)
    camera = np.array(eye(yaw=1.0) + eye(yaw=1.0), np.float32)
    yaws = []
    for k in range(12):
        camera = camera + np.float32(1e-6 * k)
        yaws.append(mixer.mix(synthetic, camera, 0.01)[YAW])
    assert (np.diff(yaws) >= 0).all()
    assert yaws[4] == pytest.approx(0.75, abs=1e-3)  # half of each camera, which stand in for each other
    assert yaws[-1] == pytest.approx(1.0, abs=1e-3)


def test_config_says_what_is_wrong():
    with pytest.raises(ValueError, match=r"low \(0.8\) is above high \(0.5\)"):
        GazeSynth.Config(low=0.8)
