"""audio.speech_gate: open at speech, voiced or whispered; closed in silence, noise and breathing."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from rtgraph.files import bundled
from rtgraph.nodes.audio.speech_gate import SpeechGate
from rtgraph.testing import run_node

RATE_HZ = 16_000


def gate(audio: np.ndarray, size: int = 160, **config: float) -> np.ndarray:
    """What the gate says about a clip: [hops] 0..1."""
    chunks = audio[: len(audio) // size * size].astype(np.float32).reshape(-1, size)
    got = run_node(SpeechGate, {"audio": list(chunks)}, config=config, rate_hz=RATE_HZ / size)
    got.assert_like("speech", shape=(1,), dtype="float32")
    return got.stacked("speech")[:, 0]


def noise(seconds: float, level_db: float, slope_db_per_octave: float = 0.0, seed: int = 0) -> np.ndarray:
    """Noise of a spectral slope (0 white, -3 pink) at an RMS level over full scale."""
    samples = int(seconds * RATE_HZ)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(samples))
    frequency = np.maximum(np.fft.rfftfreq(samples, 1 / RATE_HZ), 20)
    sound = np.fft.irfft(spectrum * (frequency / 1000) ** (slope_db_per_octave / 6.02), samples)
    return sound / sound.std() * 10 ** (level_db / 20)


def whispered(audio: np.ndarray) -> np.ndarray:
    """Speech without a voice: noise that is given the spectral envelope of each 20 ms."""
    rng = np.random.default_rng(0)
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(audio, 320), 640)[::320] * np.hanning(640)
    envelope = np.abs(np.fft.rfft(frames, 1024))
    smooth = np.apply_along_axis(np.convolve, 1, envelope, np.ones(19) / 19, "same")  # wider than a harmonic
    carrier = np.fft.rfft(rng.standard_normal((len(frames), 640)) * np.hanning(640), 1024)
    pieces = np.fft.irfft(carrier / np.abs(carrier).mean() * smooth)[:, :640]
    out = np.zeros(len(frames) * 320 + 320)
    for i, piece in enumerate(pieces):
        out[i * 320 : i * 320 + 640] += piece
    return out / np.abs(out).max() * 0.3


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    audio, rate_hz = soundfile.read(bundled("assets") / "clips/hello.flac")
    assert rate_hz == RATE_HZ
    return audio


def loud(audio: np.ndarray) -> np.ndarray:
    """[hops] bool: within 25 dB of the loudest hop."""
    rms = np.sqrt((audio[: len(audio) // 160 * 160].reshape(-1, 160) ** 2).mean(axis=1))
    return rms > rms.max() * 10 ** (-25 / 20)


def test_opens_at_speech_and_closes_in_its_pauses(speech):
    said = gate(speech)
    assert said[loud(speech)].mean() > 0.95
    begins = np.flatnonzero(loud(speech))[0]
    assert np.flatnonzero(said > 0.5)[0] - begins <= 8  # 80 ms: no look-ahead, so some is missed
    pause = np.concatenate([speech, np.zeros(RATE_HZ)])
    assert gate(pause)[-70:].max() == 0  # 300 ms after the last word


def test_opens_at_a_whisper(speech):
    audio = whispered(speech)
    assert gate(audio)[loud(audio)].mean() > 0.9


@pytest.mark.parametrize("snr_db", [10, 20])
def test_opens_at_speech_in_noise(speech, snr_db):
    level_db = 20 * np.log10(np.sqrt((speech[speech != 0] ** 2).mean())) - snr_db
    hum = noise(1.5, level_db, -3, seed=1)
    audio = np.concatenate([hum, speech + noise(len(speech) / RATE_HZ, level_db, -3, seed=2)[: len(speech)]])
    said = gate(audio)
    assert said[:150].max() == 0
    assert said[150:][loud(speech)].mean() > 0.8


@pytest.mark.parametrize("slope", [0.0, -3.0, -6.0])
@pytest.mark.parametrize("level_db", [-60, -40, -20])
def test_stays_closed_in_noise(slope, level_db):
    assert gate(noise(10, level_db, slope, seed=3)).mean() < 0.02


def test_stays_closed_in_silence_and_hum():
    assert gate(np.zeros(3 * RATE_HZ)).max() == 0
    hum = 0.05 * np.sin(2 * np.pi * 50 * np.arange(5 * RATE_HZ) / RATE_HZ)
    assert gate(hum + noise(5, -60))[20:].mean() < 0.02


def test_stays_closed_at_breathing():
    """Breath in and out: band-limited noise that swells for half a second, over a quiet room."""
    audio = noise(12, -65, -3, seed=4)
    for start_s in np.arange(1.0, 11.0, 1.25):
        swell = np.hanning(RATE_HZ // 2)
        breath = np.convolve(noise(0.5, -30, seed=int(10 * start_s)), [1, 0.5, -0.3], "same")
        start = int(start_s * RATE_HZ)
        audio[start : start + len(swell)] += swell * breath
    assert (gate(audio) > 0.5).mean() < 0.05


def test_noise_that_is_switched_on_is_learnt():
    audio = np.concatenate([noise(2, -70), noise(6, -30, -3)])
    assert gate(audio)[-400:].max() == 0


@pytest.mark.parametrize("size", [320, 100, 37, 1600])
def test_chunks_of_any_size_give_the_same(speech, size):
    whole, cut = gate(speech), gate(speech, size)
    np.testing.assert_array_equal(cut, whole[: len(cut)])


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
def test_broken_samples_are_silence(speech, bad):
    broken, silent = speech.copy(), speech.copy()
    broken[20_000:24_000:3] = bad
    silent[20_000:24_000:3] = 0
    np.testing.assert_array_equal(gate(broken), gate(silent))


def test_the_ramps_are_as_long_as_asked_for(speech):
    said = gate(np.concatenate([speech, np.zeros(RATE_HZ)]), attack_ms=50, hold_ms=0, release_ms=200)
    steps = np.diff(said)
    assert steps.max() == pytest.approx(10 / 50)
    assert steps.min() == pytest.approx(-10 / 200)
    assert said.min() == 0
    assert said.max() == 1
