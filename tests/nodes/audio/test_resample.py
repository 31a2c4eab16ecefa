"""StreamResampler against soxr, over chunkings, and how soon it answers."""

from __future__ import annotations

import numpy as np
import pytest
import soxr

from rtgraph.nodes.audio.resample import StreamResampler

RATES = [(48000, 16000), (44100, 16000), (8000, 16000), (96000, 16000), (22050, 44100), (16000, 48000)]


def band_limited(rate: int, limit_hz: float, seed: int) -> np.ndarray:
    """[rate / 2] noise without anything above `limit_hz`."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(rate // 2))
    spectrum[np.fft.rfftfreq(rate // 2, 1 / rate) > limit_hz] = 0
    x = np.fft.irfft(spectrum, rate // 2)
    return (0.5 * x / np.abs(x).max()).astype(np.float32)


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
def test_agrees_with_soxr_inside_the_band(from_hz, to_hz):
    x = band_limited(from_hz, 0.4 * min(from_hz, to_hz), seed=from_hz)
    y = StreamResampler(from_hz, to_hz).process(x)
    expected = soxr.resample(x, from_hz, to_hz, quality="VHQ")
    inner = slice(len(y) // 10, -len(y) // 10)
    assert np.abs(y[inner] - expected[: len(y)][inner]).max() < 2e-3


def test_what_cannot_be_kept_is_stopped():
    t = np.arange(48000) / 48000
    for hz in (8200, 12000, 20000):
        y = StreamResampler(48000, 16000).process(np.sin(2 * np.pi * hz * t).astype(np.float32))
        assert np.abs(y[200:]).max() < 1e-3


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
def test_streaming_equals_offline(from_hz, to_hz):
    rng = np.random.default_rng(3)
    x = rng.standard_normal(5000).astype(np.float32)
    whole = StreamResampler(from_hz, to_hz).process(x)
    for sizes in ([1], [160], [441, 7], rng.integers(1, 600, 50).tolist()):
        streamed, at, parts, k = StreamResampler(from_hz, to_hz), 0, [], 0
        while at < len(x):
            parts.append(streamed.process(x[at : at + sizes[k % len(sizes)]]))
            at += sizes[k % len(sizes)]
            k += 1
        np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-5)


def test_the_delay_is_small():
    resampler, block = StreamResampler(48000, 16000), np.zeros(480, np.float32)
    sizes = [resampler.process(block).size for _ in range(20)]
    assert sum(sizes) >= 20 * 160 - 16000 * 0.0015
    assert set(sizes[1:]) == {160}
