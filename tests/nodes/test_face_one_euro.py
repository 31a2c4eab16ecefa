"""face.one_euro and eye.one_euro: the filter of the paper, with real times, where it is asked for."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rtgraph import Packet
from rtgraph.models.expression import INDEX
from rtgraph.nodes.eye.one_euro import EyeOneEuro
from rtgraph.nodes.face.one_euro import FaceOneEuro, OneEuro
from rtgraph.testing import run_node


def paper(xs, times_s, cutoff_hz, beta):
    """Casiez et al. 2012, algorithm 1, a number at a time."""

    def alpha(cutoff, dt):
        return 1.0 / (1.0 + (1.0 / (2 * math.pi * cutoff)) / dt)

    y, dx = xs[0], 0.0
    ys = [y]
    for k in range(1, len(xs)):
        dt = times_s[k] - times_s[k - 1]
        a = alpha(1.0, dt)
        dx = a * (xs[k] - xs[k - 1]) / dt + (1 - a) * dx
        a = alpha(cutoff_hz + beta * abs(dx), dt)
        y = a * xs[k] + (1 - a) * y
        ys.append(y)
    return np.array(ys)


def test_the_filter_is_that_of_the_paper_at_uneven_times():
    rng = np.random.default_rng(0)
    times_s = np.cumsum(rng.uniform(0.004, 0.05, 80))
    xs = rng.normal(0, 1, (80, 2))
    run = OneEuro(np.array([1.0, 3.0], np.float32), np.array([0.5, 0.0], np.float32))
    got = np.array([run(x.astype(np.float32), round(t * 1e9)) for x, t in zip(xs, times_s, strict=True)])
    for i, (cutoff_hz, beta) in enumerate(((1.0, 0.5), (3.0, 0.0))):
        np.testing.assert_allclose(got[:, i], paper(xs[:, i], times_s, cutoff_hz, beta), atol=1e-4)


def test_it_is_off_by_default_and_on_by_region():
    rng = np.random.default_rng(1)
    noisy = list(rng.uniform(0.4, 0.6, (100, 61)).astype(np.float32))
    off = run_node(FaceOneEuro, {"frame": noisy}, rate_hz=50.0)
    np.testing.assert_array_equal(off.stacked("out"), noisy)
    on = run_node(
        FaceOneEuro, {"frame": noisy}, config={"head": {"cutoff_hz": 0.5, "beta": 0.0}}, rate_hz=50.0
    )
    y = on.stacked("out")
    assert y[20:, INDEX["headYaw"]].std() < 0.4 * np.std(noisy, axis=0)[INDEX["headYaw"]]
    np.testing.assert_array_equal(y[:, INDEX["jawOpen"]], np.stack(noisy)[:, INDEX["jawOpen"]])
    on.assert_like("out", count=100, shape=(61,), dtype="float32", rate_hz=50.0)


def test_the_same_motion_at_another_rate_gives_the_same_result():
    """A filter that assumes its rate would be twice as slow at half of it."""
    ends = []
    for rate_hz in (50.0, 200.0):
        steps = [np.zeros(61, np.float32)] + [np.ones(61, np.float32)] * round(0.3 * rate_hz)
        got = run_node(
            FaceOneEuro, {"frame": steps}, config={"jaw": {"cutoff_hz": 1.0, "beta": 0.0}}, rate_hz=rate_hz
        )
        ends.append(got.outputs["out"][-1][INDEX["jawOpen"]])
    assert ends[0] == pytest.approx(ends[1], abs=0.03)
    assert 0.5 < ends[0] < 0.95


def test_two_packets_of_one_time_and_nan_are_survived():
    x = [np.full(61, v, np.float32) for v in (0.1, 0.9, np.nan, 0.5)]
    packets = [Packet(v, t) for v, t in zip(x, (0, 0, 20_000_000, 40_000_000), strict=True)]
    got = run_node(FaceOneEuro, {"frame": packets}, config={"mouth": {"cutoff_hz": 2.0}})
    got.assert_like("out", count=4, shape=(61,), dtype="float32")
    assert got.profile.nodes["node"].counters["bad_packets"] == 1


def test_eyes_are_smoothed_and_raw_is_what_came():
    rng = np.random.default_rng(2)
    states = np.tile(np.array([0.1, 0.0, 0.9, 0.1, 0.0, 3.5, 0.8], np.float32), (200, 2))
    states[:, [0, 7]] += rng.normal(0, 0.01, (200, 2))
    states[100:, [0, 7]] += 0.3  # a saccade
    got = run_node(EyeOneEuro, {"state": list(states)}, rate_hz=120.0)
    out = got.stacked("out")
    np.testing.assert_array_equal(got.stacked("raw"), states)
    np.testing.assert_array_equal(out[:, [6, 13]], states[:, [6, 13]])  # confidence
    assert out[40:100, 0].std() < 0.5 * states[40:100, 0].std()
    reached = np.flatnonzero(out[100:, 0] > 0.1 + 0.9 * 0.3)[0]
    assert reached < 6  # 50 ms at 120 Hz
    assert run_node(EyeOneEuro, {"state": [np.full(14, np.nan, np.float32)]}).stacked("raw").tolist() == [
        [0.0] * 14
    ]


def test_one_absurd_packet_does_not_last():
    """Its speed lies far above what float32 holds."""
    states = [np.zeros(14, np.float32) for _ in range(8)]
    states[2][:] = 3e38
    out = run_node(EyeOneEuro, {"state": states}, rate_hz=100.0).stacked("out")
    assert np.isfinite(out).all()
    np.testing.assert_array_equal(out[3:], 0)
