"""face.gain: shapes scaled, bent, calibrated, and a mouth that rests in silence."""

from __future__ import annotations

import numpy as np
import pytest

from rtgraph import GraphError
from rtgraph.models.expression import INDEX
from rtgraph.nodes.face.gain import Gain
from rtgraph.testing import run_node


def frame(**values):
    x = np.zeros(61, np.float32)
    for name, value in values.items():
        x[INDEX[name]] = value
    return x


def shown(frames, config, speech=None):
    inputs = {"frame": frames} | ({} if speech is None else {"speech": speech})
    got = run_node(Gain, inputs, config=config, rate_hz=50.0)
    got.assert_like("out", count=len(frames), shape=(61,), dtype="float32")
    return got.stacked("out")


def test_without_config_nothing_changes():
    x = np.random.default_rng(0).uniform(0, 1, (5, 61)).astype(np.float32)
    np.testing.assert_allclose(shown(list(x), {}), x, atol=1e-7)


def test_shapes_pairs_angles_and_regions():
    config = {
        "shapes": {
            "all": {"gain": 0.5},
            "jawOpen": {"gain": 1.5, "low": 0.1, "high": 0.9, "curve": 2.0},
            "eyeBlink": {"low": 0.1, "high": 0.8},
            "headYaw": {"gain": 2.0, "offset": -0.1},
            "brows": {"offset": 0.2},
        }
    }
    x = frame(jawOpen=0.5, eyeBlinkLeft=0.8, eyeBlinkRight=0.05, headYaw=0.3, browInnerUp=0.1, cheekPuff=0.6)
    y = shown([x], config)[0]
    expected = {
        "jawOpen": 1.5 * 0.5**2,
        "eyeBlinkLeft": 1.0,
        "eyeBlinkRight": 0.0,
        "headYaw": 0.5,
        "browInnerUp": 0.3,
        "cheekPuff": 0.3,
    }
    assert {name: y[INDEX[name]] for name in expected} == pytest.approx(expected, abs=1e-6)


def test_results_stay_in_range():
    y = shown([frame(jawOpen=0.9, headYaw=3.0)], {"shapes": {"all": {"gain": 10.0}}})[0]
    assert y[INDEX["jawOpen"]] == 1.0
    assert y[INDEX["headYaw"]] == pytest.approx(np.pi)


def test_rest_is_learned_and_taken_off():
    rng = np.random.default_rng(1)
    rest = frame(browInnerUp=0.2, mouthFrownLeft=0.1, headPitch=0.15, leftEyeYaw=0.2)
    noisy = [rest + rng.normal(0, 0.01, 61).astype(np.float32) * (rest != 0) for _ in range(60)]
    y = shown([*noisy, rest], {"rest_s": 1.0})[-1]
    assert y[INDEX["browInnerUp"]] == pytest.approx(0, abs=0.01)
    assert y[INDEX["headPitch"]] == pytest.approx(0, abs=0.01)
    assert y[INDEX["leftEyeYaw"]] == pytest.approx(0.2)  # where one looks is no habit of the face


def test_the_mouth_rests_in_silence_and_the_smile_stays():
    talk = frame(jawOpen=0.6, mouthFunnel=0.4, mouthSmileLeft=0.7, browInnerUp=0.3)
    speech = [np.array([float(k < 25 or k >= 50)], np.float32) for k in range(75)]
    y = shown([talk] * 75, {"open_ms": 40.0, "close_ms": 200.0}, speech)
    jaw = y[:, INDEX["jawOpen"]]
    np.testing.assert_allclose(jaw[5:25], 0.6, atol=1e-6)
    np.testing.assert_allclose(jaw[37:50], 0.0, atol=1e-6)
    np.testing.assert_allclose(jaw[54:], 0.6, atol=1e-6)
    assert (np.diff(jaw[25:36]) <= 1e-6).all()
    assert jaw[30] > 0.1  # it takes its time to close
    np.testing.assert_allclose(y[:, INDEX["mouthSmileLeft"]], 0.7, atol=1e-6)
    np.testing.assert_allclose(y[:, INDEX["browInnerUp"]], 0.3, atol=1e-6)


def test_nan_is_replaced_and_nan_speech_is_silence():
    bad = np.full(61, np.nan, np.float32)
    y = shown([frame(jawOpen=0.5), bad], {})
    np.testing.assert_array_equal(y[0], y[1])
    y = shown([frame(jawOpen=0.5)] * 30, {}, [np.array([np.nan], np.float32)] * 30)
    assert y[-1, INDEX["jawOpen"]] == 0


def test_a_wrong_name_is_answered_with_the_nearest():
    with pytest.raises((ValueError, GraphError), match="did you mean 'jawOpen'"):
        run_node(Gain, {"frame": [frame()]}, config={"shapes": {"jawOpn": {"gain": 2}}})
    with pytest.raises(ValueError, match=r"low \(0.9\) must be below high"):
        Gain.Config(shapes={"jawOpen": {"low": 0.9, "high": 0.2}})


def test_reset_equals_new():
    node = Gain(Gain.Config(rest_s=0.1))

    class Ctx:
        timestamp_ns = 0

    def outputs():
        ctx, seen = Ctx(), []
        for k in range(10):
            ctx.timestamp_ns = 20_000_000 * k
            seen.append(node.process(frame(jawOpen=0.1 * k), None, ctx)["out"])
        return seen

    node.open(None)
    first = outputs()
    node.reset()
    np.testing.assert_array_equal(first, outputs())
