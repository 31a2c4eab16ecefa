"""SampleClock: capture times out of jittered ones."""

from __future__ import annotations

import numpy as np
import pytest

from rtgraph.nodes.audio.sample_clock import SampleClock

RATE, HOP = 16000, 160


def run(clock: SampleClock, blocks: int, ppm: float, jitter_ms: float, seed: int, begin_ns: float = 5e9):
    """Error in ms of each smoothed time, for a device that runs `ppm` fast and reports with jitter."""
    jitter = np.random.default_rng(seed).uniform(-jitter_ms, jitter_ms, blocks)
    errors = []
    for k in range(1, blocks + 1):
        true_ns = begin_ns + k * HOP / RATE * 1e9 / (1 + ppm * 1e-6)
        assert clock.observe(k * HOP, round(true_ns + jitter[k - 1] * 1e6))
        errors.append((clock.time_ns(k * HOP) - true_ns) * 1e-6)
    return np.array(errors)


@pytest.mark.parametrize("ppm", [-200.0, 0.0, 150.0])
def test_jitter_averages_out_and_drift_is_found(ppm):
    clock = SampleClock(RATE)
    errors = run(clock, 6000, ppm, jitter_ms=1.0, seed=11)
    assert np.abs(errors[3000:]).max() < 0.25
    assert clock.drift_ppm == pytest.approx(ppm, abs=60)


def test_a_steady_device_is_followed_exactly():
    clock = SampleClock(RATE)
    assert np.abs(run(clock, 500, 0.0, 0.0, seed=1)).max() < 1e-3
    assert clock.device_ns(clock.time_ns(500 * HOP)) == pytest.approx(5e9, abs=1e3)
    # A quarter of a sample and samples not seen yet.
    assert clock.time_ns(500 * HOP + 0.25) - clock.time_ns(500 * HOP) == pytest.approx(1e9 / RATE / 4, abs=1)


def test_lost_sound_is_noticed_and_counted_by_the_systems_time():
    clock = SampleClock(RATE)
    run(clock, 300, 0.0, 0.0, seed=1)
    late_ns = round(5e9 + 301 * 1e7 + 120e6)
    assert not clock.observe(301 * HOP, late_ns)
    assert clock.time_ns(301 * HOP) == late_ns
    assert clock.device_ns(late_ns) == pytest.approx(301e7 + 120e6, abs=1e4)


def test_after_a_restart_the_devices_time_goes_on():
    clock = SampleClock(RATE)
    run(clock, 100, 0.0, 0.0, seed=1)
    clock.restart(48000)
    assert clock.observe(480, round(5e9 + 1e9 + 3e9))
    assert clock.device_ns(round(5e9 + 4e9)) == pytest.approx(4e9, abs=1e4)
    assert clock.time_ns(960) == pytest.approx(9e9 + 1e7, abs=10)
