"""Changing a voice without moving its sounds in time: formants, whisper, shout; and pitch with the phones in
step.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import soxr
from scipy.signal import istft, lfilter, stft

from .utterance import SAMPLE_RATE_HZ, FloatArray, Utterance

_WINDOW = 512
_LIFTER = 40  # cepstral coefficients kept: the vocal tract without the harmonics


def _analyse(audio: FloatArray) -> tuple[np.ndarray, np.ndarray]:
    """Spectrum and its smooth envelope, both [257, T]."""
    _, _, spectrum = stft(audio, SAMPLE_RATE_HZ, nperseg=_WINDOW, noverlap=_WINDOW * 3 // 4)
    log = np.log(np.abs(spectrum) + 1e-5)
    cepstrum = np.fft.irfft(log, axis=0)
    cepstrum[_LIFTER:-_LIFTER] = 0
    return spectrum, np.exp(np.fft.rfft(cepstrum, axis=0).real)


def _synthesise(spectrum: np.ndarray, samples: int) -> FloatArray:
    _, audio = istft(spectrum, SAMPLE_RATE_HZ, nperseg=_WINDOW, noverlap=_WINDOW * 3 // 4)
    audio = np.asarray(audio, np.float64)[:samples]
    return np.pad(audio, (0, samples - len(audio))).astype(np.float32)


def shift_formants(audio: FloatArray, ratio: float) -> FloatArray:
    """[T] -> [T]: every resonance `ratio` times higher, pitch and timing as they were (a shorter throat:
    ratio > 1).
    """
    spectrum, envelope = _analyse(audio)
    bins = np.arange(len(envelope))
    source = np.clip(bins / ratio, 0, len(bins) - 1)
    low = np.minimum(source.astype(int), len(bins) - 2)
    part = (source - low)[:, None]
    warped = (1 - part) * envelope[low] + part * envelope[low + 1]
    return _match_level(_synthesise(spectrum * warped / envelope, len(audio)), audio)


def whisper(audio: FloatArray, rng: np.random.Generator) -> FloatArray:
    """[T] -> [T]: the same mouth driven by noise, softer and without the low end."""
    _, envelope = _analyse(audio)
    noise = rng.standard_normal(envelope.shape) + 1j * rng.standard_normal(envelope.shape)
    tilt = np.clip(np.arange(len(envelope)) / 12, 0.05, 1.0)[:, None]
    return 0.35 * _match_level(_synthesise(envelope * tilt * noise, len(audio)), audio)


def shout(audio: FloatArray) -> FloatArray:
    """[T] -> [T]: more high frequencies and less dynamic range, as effort gives (Traunmueller & Eriksson
    2000).
    """
    lifted = lfilter([1.0, -0.6], [1.0], audio)
    peak = float(np.abs(lifted).max()) + 1e-9
    return (0.95 * np.tanh(3.0 * lifted / peak)).astype(np.float32)


def resampled(utterance: Utterance, factor: float) -> Utterance:
    """Played `factor` times faster: pitch and formants rise, the phones keep to the sound."""
    audio = soxr.resample(utterance.audio, SAMPLE_RATE_HZ * factor, SAMPLE_RATE_HZ).astype(np.float32)
    phones = tuple(replace(p, start_s=p.start_s / factor, end_s=p.end_s / factor) for p in utterance.phones)
    return Utterance(audio, phones)


def _match_level(audio: FloatArray, like: FloatArray) -> FloatArray:
    gain = np.sqrt(
        (np.mean(like.astype(np.float64) ** 2) + 1e-12) / (np.mean(audio.astype(np.float64) ** 2) + 1e-12)
    )
    return np.asarray(np.clip(audio * gain, -1, 1), np.float32)
