"""What the sound tells about stress: level, pitch and accents, on the grid of face frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from .utterance import FRAME_RATE_HZ, FRAME_SAMPLES, SAMPLE_RATE_HZ, FloatArray

_SILENCE_DB = -80.0
_QUIET_DB = -30.0
_SMOOTHING_FRAMES = 2.0


@dataclass(frozen=True)
class Prosody:
    """All at 50 Hz; row k belongs to time (k + 1) / 50 s."""

    level_db: FloatArray  # [F] RMS over 40 ms, dB of full scale
    relative_db: FloatArray  # [F] smoothed level over the speaker's own speech level; 0 in silence
    heard_db: FloatArray  # [F] the same, -30 in silence: what a mouth opens by
    speech: FloatArray  # [F] 0..1: is somebody speaking around here
    pitch_hz: FloatArray  # [F] 0 where unvoiced
    accents: tuple[int, ...]  # frames of pitch and loudness peaks


def analyse(audio: FloatArray) -> Prosody:
    """Level, pitch and accents of [T] float32 audio at 16 kHz; T // 320 frames."""
    frames = len(audio) // FRAME_SAMPLES
    centres = (np.arange(frames) + 1) * FRAME_SAMPLES
    level = _level_db(audio, centres)
    active = level > max(float(np.percentile(level, 95)) - 30.0, -60.0) if frames else np.zeros(0, bool)
    speech_level = float(np.median(level[active])) if active.any() else 0.0
    relative = level - speech_level
    speech = np.clip(gaussian_filter1d(active.astype(np.float64), 6.0) * 1.5, 0.0, 1.0)
    pitch = _pitch_hz(audio, centres)
    return Prosody(
        level.astype(np.float32),
        gaussian_filter1d(np.where(active, relative, 0.0), _SMOOTHING_FRAMES).astype(np.float32),
        gaussian_filter1d(np.maximum(relative, _QUIET_DB), _SMOOTHING_FRAMES).astype(np.float32),
        speech.astype(np.float32),
        pitch,
        _accents(level, pitch),
    )


def _level_db(audio: FloatArray, centres: np.ndarray) -> np.ndarray:
    half = SAMPLE_RATE_HZ // 50
    power = np.concatenate([[0.0], np.cumsum(audio.astype(np.float64) ** 2)])
    first, last = np.clip(centres - half, 0, len(audio)), np.clip(centres + half, 0, len(audio))
    mean = (power[last] - power[first]) / np.maximum(last - first, 1)
    return np.asarray(np.maximum(10 * np.log10(mean + 1e-12), _SILENCE_DB))


def _pitch_hz(audio: FloatArray, centres: np.ndarray) -> FloatArray:
    """Peak of the normalised autocorrelation of 50 ms windows between 70 and 400 Hz."""
    size = 800
    padded = np.pad(audio.astype(np.float64), size)
    windows = padded[centres[:, None] + size - size // 2 + np.arange(size)] * np.hanning(size)
    spectrum = np.abs(np.fft.rfft(windows, 2048, axis=1)) ** 2
    correlation = np.fft.irfft(spectrum, axis=1)
    low, high = SAMPLE_RATE_HZ // 400, SAMPLE_RATE_HZ // 70
    best = low + np.argmax(correlation[:, low:high], axis=1)
    strength = correlation[np.arange(len(best)), best] / (correlation[:, 0] + 1e-9)
    return np.where((strength > 0.35) & (correlation[:, 0] > 1e-3), SAMPLE_RATE_HZ / best, 0.0).astype(
        np.float32
    )


def _accents(level: np.ndarray, pitch: FloatArray) -> tuple[int, ...]:
    voiced = pitch > 0
    if voiced.sum() < 10:
        return ()
    semitones = np.where(voiced, 12 * np.log2(np.maximum(pitch, 1) / np.median(pitch[voiced])), 0.0)
    strength = gaussian_filter1d(np.clip(semitones, -6, 9) / 3 + (np.maximum(level, -50) + 50) / 12, 4.0)
    peaks, _ = find_peaks(strength, prominence=0.5, distance=FRAME_RATE_HZ // 4)
    return tuple(int(p) for p in peaks)
