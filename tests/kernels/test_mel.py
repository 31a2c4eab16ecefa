"""The streaming log-mel against its float64 reference: values, chunkings, broken input, state, messages."""

from __future__ import annotations

import numpy as np
import pytest

from rtgraph.kernels.mel import LevelConfig, MelConfig, MelState, mel
from rtgraph.kernels.mel.reference import filterbank, log_mel, running_level
from rtgraph.kernels.mel.reference import mel as reference

CONFIGS = {
    "default": MelConfig(),
    "plain": MelConfig(level=None),
    "htk power": MelConfig(
        level=None, scale="htk", spectrum="power", bands=37, window_samples=601, fft_size=1024
    ),
    "hop over window": MelConfig(window_samples=101, hop_samples=333, fft_size=128, bands=13),
    "48 kHz": MelConfig(
        sample_rate_hz=48_000, window_samples=1200, hop_samples=480, fft_size=2048, high_hz=24_000
    ),
    "one band": MelConfig(bands=1, low_hz=0.0),
    "more bands than bins": MelConfig(bands=64, fft_size=128, window_samples=128, hop_samples=7),
}


def make_state(isa: str, config: MelConfig | None = None) -> MelState:
    try:
        return MelState(config or MelConfig(), isa)
    except ValueError as error:
        if "instruction set" not in str(error):
            raise
        pytest.skip(str(error))


@pytest.fixture(params=["baseline", "avx2", "avx512"])
def isa(request: pytest.FixtureRequest) -> str:
    return request.param


def speech_like(rng: np.random.Generator, samples: int) -> np.ndarray:
    """Noise whose level wanders over 60 dB, so that every gate of the level estimate is crossed."""
    envelope = 10.0 ** (rng.uniform(-3.5, -0.5, samples // 800 + 2))
    loudness = np.interp(np.arange(samples) / 800, np.arange(len(envelope)), envelope)
    return (rng.standard_normal(samples) * loudness).astype(np.float32)  # [samples]


def stream(state: MelState, audio: np.ndarray, chunks: list[int]) -> np.ndarray:
    """Feed the clip in chunks, each into rows that are NaN before."""
    rows, start = [], 0
    for size in chunks:
        chunk = audio[start : start + size]
        out = np.full((len(chunk) // state.config.hop_samples + 1, state.config.bands), np.nan, np.float32)
        rows.append(mel(state, chunk, out))
        start += size
    assert start >= len(audio)
    return np.concatenate(rows)


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("seed", range(3))
def test_equals_the_float64_reference(isa: str, name: str, seed: int) -> None:
    config = CONFIGS[name]
    audio = speech_like(np.random.default_rng(seed), 16_000 + 37 * seed)
    out = stream(make_state(isa, config), audio, [len(audio)])
    truth = reference(audio, config)
    assert out.shape == truth.shape
    assert len(truth) == len(audio) // config.hop_samples
    # The error of a logarithm is the relative error of its argument.
    # A logarithm errs by the relative error of its argument, which a bin far below its frame's peak may
    # exceed.
    error, rows = np.abs(np.exp(out) - np.exp(truth)), np.exp(truth)
    assert (error <= 1e-5 * rows + 3e-7 * rows.max(axis=1, keepdims=True)).all()


def test_loud_tone_leaves_far_bands_exact_against_its_peak(isa: str) -> None:
    """In float32 a quiet band beside a full-scale tone is exact to the tone's rounding only."""
    config = MelConfig(level=None)
    audio = np.sin(2 * np.pi * 997.0 / 16_000 * np.arange(16_000)).astype(np.float32)
    out = np.exp(mel(make_state(isa, config), audio).astype(np.float64))
    truth = np.exp(log_mel(audio, config))
    assert np.abs(out - truth).max() < 1e-6 * truth.max()


@pytest.mark.parametrize("seed", range(5))
def test_streaming_equals_offline_bit_for_bit(isa: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    config = list(CONFIGS.values())[seed]
    audio = speech_like(rng, 12_345)
    chunks: list[int] = []
    while sum(chunks) < len(audio):
        chunks.append(int(rng.choice([0, 1, 3, 159, 160, 161, 320, 1000, 4096])))
    whole = mel(make_state(isa, config), audio)
    np.testing.assert_array_equal(stream(make_state(isa, config), audio, chunks), whole)


def test_a_hop_is_out_as_soon_as_it_is_complete() -> None:
    state = MelState()
    assert mel(state, np.zeros(159, np.float32)).shape == (0, 80)
    assert mel(state, np.zeros(1, np.float32)).shape == (1, 80)


def test_reset_equals_new(isa: str) -> None:
    rng = np.random.default_rng(7)
    state = make_state(isa)
    mel(state, np.full(777, np.nan, np.float32))
    mel(state, speech_like(rng, 5_000))
    state.reset()
    audio = speech_like(rng, 5_000)
    np.testing.assert_array_equal(mel(state, audio), mel(make_state(isa), audio))
    assert state.replaced_samples == 0


def test_streams_of_one_config_do_not_meet() -> None:
    rng = np.random.default_rng(8)
    a, b = speech_like(rng, 4_000), speech_like(rng, 4_000)
    one, two = MelState(), MelState()
    rows = [(mel(one, a[i : i + 500]), mel(two, b[i : i + 500])) for i in range(0, 4_000, 500)]
    np.testing.assert_array_equal(np.concatenate([r[0] for r in rows]), mel(MelState(), a))
    np.testing.assert_array_equal(np.concatenate([r[1] for r in rows]), mel(MelState(), b))


@pytest.mark.parametrize("bad", [np.nan, -np.nan, np.inf, -np.inf, 3e38, -2e6])
def test_broken_samples_become_counted_silence(isa: str, bad: float) -> None:
    rng = np.random.default_rng(9)
    audio = speech_like(rng, 4_001)
    where = rng.choice(len(audio), 57, replace=False)
    broken, silenced = audio.copy(), audio.copy()
    broken[where], silenced[where] = bad, 0.0
    state = make_state(isa)
    out = mel(state, broken)
    assert state.replaced_samples == 57
    np.testing.assert_array_equal(out, mel(make_state(isa), silenced))


@pytest.mark.parametrize("scale", [0.0, 1e-45, 1e-39, 1e-30, 1e-9, 1.0, 1e6])
def test_silence_denormals_and_clipping_stay_finite(isa: str, scale: float) -> None:
    signs = np.sign(np.random.default_rng(10).standard_normal(8_000))
    audio = (signs * scale).astype(np.float32)
    out = mel(make_state(isa), audio)
    np.testing.assert_allclose(out, reference(audio, MelConfig()), rtol=0, atol=1e-5)
    if scale < 1e-6:
        np.testing.assert_allclose(out, np.log(1e-5) - LevelConfig().start_level, rtol=1e-6)


def test_level_normalisation_takes_gain_out() -> None:
    audio = speech_like(np.random.default_rng(11), 16_000 * 30)
    loud, quiet = (mel(MelState(), audio * np.float32(gain))[-300:] for gain in (1.0, 0.25))
    plain = MelConfig(level=None)
    before = np.abs(log_mel(audio, plain)[-300:] - log_mel(audio * 0.25, plain)[-300:]).mean()
    assert before > 1.3
    assert np.abs(loud - quiet).mean() < 0.25 * before


def test_level_ignores_silence_and_follows_a_quieter_talker() -> None:
    config, level = MelConfig(), LevelConfig()
    silence = running_level(np.full((3_000, 80), -11.0), config, level)
    np.testing.assert_array_equal(silence, level.start_level)
    quieter = running_level(np.full((12_000, 80), -7.5), config, level)
    assert np.all(np.diff(quieter) <= 0)
    assert quieter[-1] < -7.0


def test_filterbank_is_slaneys() -> None:
    bank = filterbank(MelConfig(low_hz=0.0, fft_size=8192))
    widths = bank.sum(axis=1) * 16_000 / 8192  # areas: unit but for the sampling of the triangles
    np.testing.assert_allclose(widths, 1.0, atol=0.01)
    peaks_hz = bank.argmax(axis=1) * 16_000 / 8192
    assert np.ptp(np.diff(peaks_hz[:20])) < 4.0
    assert peaks_hz[-1] > 7_500


@pytest.mark.parametrize(
    ("audio", "error", "message"),
    [
        (np.zeros(10), TypeError, r"audio: expected a float32 .* got \[10\] float64"),
        ([0.0], TypeError, "got list"),
        (np.zeros((10, 2), np.float32), ValueError, r"expected a contiguous \[T\], got \[10, 2\] float32"),
        (np.zeros(10, np.float32)[::2], ValueError, "not contiguous"),
    ],
)
def test_wrong_audio_is_answered_by_name(audio: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        mel(MelState(), audio)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("out", "error"),
    [
        (np.zeros((1, 80), np.float32), ValueError),
        (np.zeros((2, 81), np.float32), ValueError),
        (np.zeros((2, 80)), TypeError),
        (np.zeros((80, 2), np.float32).T, ValueError),
    ],
)
def test_wrong_out_is_answered_by_name(out: np.ndarray, error: type[Exception]) -> None:
    with pytest.raises(error, match="mel: out: expected"):
        mel(MelState(), np.zeros(320, np.float32), out)


@pytest.mark.parametrize(
    "change",
    [
        {"fft_size": 500},
        {"window_samples": 513},
        {"hop_samples": 0},
        {"bands": 0},
        {"high_hz": 8_001.0},
        {"low_hz": -1.0},
        {"scale": "bark"},
        {"spectrum": "phase"},
        {"floor": 0.0},
    ],
)
def test_wrong_config_is_answered_by_field(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=rf"mel config: {next(iter(change))}: expected .*, got"):
        MelConfig(**change)  # type: ignore[arg-type]


def test_wrong_instruction_set_is_answered_by_name() -> None:
    with pytest.raises(ValueError, match="expected 'baseline', 'avx2' or 'avx512', got 'sse9'"):
        MelState(isa="sse9")  # type: ignore[arg-type]
