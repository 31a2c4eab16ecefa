"""face.emotion: constant, scripted and controlled moods."""

from __future__ import annotations

import numpy as np
import pytest

from rtgraph.models.expression import EMOTIONS
from rtgraph.nodes.face.emotion import FaceEmotion
from rtgraph.testing import run_node

HAPPY, SAD, NEUTRAL = (EMOTIONS.index(name) for name in ("happy", "sad", "neutral"))


def moods(config, seconds=1.0, control=None):
    inputs = {} if control is None else {"control": control}
    got = run_node(FaceEmotion, inputs, config=config, duration_s=seconds, rate_hz=50.0)
    got.assert_like("emotion", shape=(8,), dtype="float32", rate_hz=50.0)
    y = got.stacked("emotion")
    np.testing.assert_allclose(y.sum(1), 1, atol=1e-5)
    return y, got.profile.nodes["node"].counters


def test_neutral_is_what_is_left():
    np.testing.assert_array_equal(moods({})[0][:, NEUTRAL], 1)
    y = moods({"weights": {"happy": 0.7}})[0]
    assert (y[-1, HAPPY], y[-1, NEUTRAL]) == pytest.approx((0.7, 0.3))
    y = moods({"weights": {"happy": 1.0, "sad": 1.0}})[0]
    assert (y[-1, HAPPY], y[-1, SAD], y[-1, NEUTRAL]) == pytest.approx((0.5, 0.5, 0))


def test_a_script_fades_from_cue_to_cue_and_round_again():
    script = [
        {"at_s": 0.2, "weights": {"happy": 1.0}, "fade_s": 0.2},
        {"at_s": 0.6, "weights": {"sad": 0.5}, "fade_s": 0.0},
    ]
    y = moods({"script": script, "loop_s": 1.0}, 1.6)[0]
    np.testing.assert_array_equal(y[:10, NEUTRAL], 1)
    np.testing.assert_allclose(y[10:21, HAPPY], np.linspace(0, 1, 11), atol=1e-5)
    np.testing.assert_allclose(y[21:30, HAPPY], 1, atol=1e-6)
    np.testing.assert_allclose(y[30:59, SAD], 0.5)
    np.testing.assert_allclose(y[65, [HAPPY, SAD]], [0.5 * 1, 0.25], atol=0.02)


def test_a_cue_may_come_before_the_last_has_faded_in():
    script = [
        {"at_s": 0.0, "weights": {"happy": 1.0}, "fade_s": 1.0},
        {"at_s": 0.5, "weights": {}, "fade_s": 0.5},
    ]
    y = moods({"script": script})[0][:, HAPPY]
    assert np.abs(np.diff(y)).max() < 0.03
    assert y.max() == pytest.approx(0.5, abs=0.03)


def test_control_overrules_and_is_followed_softly():
    wanted = np.zeros(8, np.float32)
    wanted[SAD] = 1.0
    bad = np.full(8, np.nan, np.float32)
    control = [bad] * 10 + [wanted] * 60
    y, counters = moods({"weights": {"happy": 0.5}, "control_fade_s": 0.3}, 1.4, control)
    np.testing.assert_allclose(y[:10, HAPPY], 0.5)
    assert (np.diff(y[:, SAD]) >= 0).all()
    assert np.diff(y[:, SAD]).max() < 0.25
    assert y[-1, SAD] > 0.98
    assert counters["bad_packets"] >= 9


def test_config_mistakes():
    with pytest.raises(ValueError, match=r"the weight of happy is 1\.5"):
        FaceEmotion.Config(weights={"happy": 1.5})
    with pytest.raises(ValueError, match="order of their `at_s`"):
        FaceEmotion.Config(script=[{"at_s": 1, "weights": {}}, {"at_s": 0, "weights": {}}])
    with pytest.raises(ValueError, match="neutral"):
        FaceEmotion.Config(weights={"hapy": 0.5})
