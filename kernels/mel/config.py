"""The settings of the streaming log-mel, checked when they are made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class LevelConfig:
    """Online level normalisation: subtract a causal running estimate of the talker's level.

    The level of a hop is the mean of its log-mel over the bands, in nats (1 nat = 8.7 dB of amplitude). The
    estimate starts at `start_level`, counted as `start_s` seconds of speech, and is a running mean until it
    has heard `memory_s` seconds; from there it forgets exponentially. Two gates keep pauses out, as in ITU-R
    BS.1770-4: a hop below `silence_level` is ignored, and one more than `gate_below` under the estimate moves
    it `gated_slowdown` times slower, so that a quieter talker is still followed in the end. The estimate
    includes the hop it is subtracted from.
    """

    start_level: float = -5.0  # nats
    start_s: float = 0.5
    memory_s: float = 3.0
    silence_level: float = -8.0  # nats
    gate_below: float = 1.5  # nats
    gated_slowdown: float = 10.0

    def __post_init__(self) -> None:
        for name in ("start_s", "memory_s"):
            _require(getattr(self, name) > 0, name, "seconds above 0", getattr(self, name))
        _require(self.gate_below >= 0, "gate_below", "0 nats or more", self.gate_below)
        _require(self.gated_slowdown >= 1, "gated_slowdown", "1 or more", self.gated_slowdown)


@dataclass(frozen=True)
class MelConfig:
    """What a log-mel frame is.

    Frame k is the Hann window (periodic) over the `window_samples` samples that end with hop k, zeros
    standing before the stream's start: every hop of audio yields one frame at once, without look-ahead.

    The mel scale: "slaney" (default) is that of Slaney's Auditory Toolbox with triangles of unit area,
    librosa's default and the usual one of neural vocoders; its linear part below 1 kHz keeps 80 bands from
    collapsing into single bins of a 512-point FFT. "htk" is 2595 log10(1 + f / 700) with triangles of unit
    height, as in HTK and Kaldi.

    Raises ValueError, naming the field, where values do not fit each other.
    """

    sample_rate_hz: int = 16_000
    window_samples: int = 400
    hop_samples: int = 160
    fft_size: int = 512
    bands: int = 80
    low_hz: float = 20.0
    high_hz: float = 8_000.0
    scale: Literal["slaney", "htk"] = "slaney"
    spectrum: Literal["magnitude", "power"] = "magnitude"
    floor: float = 1e-5
    level: LevelConfig | None = field(default_factory=LevelConfig)  # None: plain log-mel

    def __post_init__(self) -> None:
        n = self.fft_size
        _require(128 <= n <= 16_384 and n & (n - 1) == 0, "fft_size", "a power of two from 128 to 16384", n)
        _require(self.sample_rate_hz > 0, "sample_rate_hz", "above 0", self.sample_rate_hz)
        window = self.window_samples
        _require(1 <= window <= n, "window_samples", f"1 to fft_size ({n})", window)
        _require(self.hop_samples >= 1, "hop_samples", "1 or more", self.hop_samples)
        _require(1 <= self.bands <= n // 2, "bands", f"1 to half of fft_size ({n // 2})", self.bands)
        nyquist = self.sample_rate_hz / 2
        _require(
            self.high_hz <= nyquist, "high_hz", f"at most half the sample rate ({nyquist})", self.high_hz
        )
        _require(0 <= self.low_hz < self.high_hz, "low_hz", f"0 to below {self.high_hz}", self.low_hz)
        _require(self.scale in ("slaney", "htk"), "scale", "'slaney' or 'htk'", self.scale)
        known = self.spectrum in ("magnitude", "power")
        _require(known, "spectrum", "'magnitude' or 'power'", self.spectrum)
        _require(1e-30 <= self.floor <= 1, "floor", "1e-30 to 1", self.floor)


def _require(holds: bool, name: str, expected: str, got: object) -> None:
    if not holds:
        raise ValueError(f"mel config: {name}: expected {expected}, got {got!r}")
