"""Sounds that are no speech: silence, noise, knocks, music-like and breath-like sound (the mouth stays
shut), laughter.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import butter, fftconvolve, sosfilt

from .utterance import SAMPLE_RATE_HZ, FloatArray, Phone, Utterance


def coloured_noise(samples: int, slope_db_per_octave: float, rng: np.random.Generator) -> FloatArray:
    """[samples] of unit RMS: 0 dB is white, -3 pink, -6 brown."""
    spectrum = np.fft.rfft(rng.standard_normal(samples + 1024))
    frequency = np.maximum(np.arange(len(spectrum)), 4.0)
    noise = np.fft.irfft(spectrum * frequency ** (slope_db_per_octave / 6.02))[:samples]
    return np.asarray(noise / (noise.std() + 1e-12), np.float32)


def _silence(samples: int, rng: np.random.Generator) -> FloatArray:
    level = 0.0 if rng.random() < 0.4 else 10 ** (rng.uniform(-90, -60) / 20)
    return level * coloured_noise(samples, 0.0, rng)


def _noise(samples: int, rng: np.random.Generator) -> FloatArray:
    noise = coloured_noise(samples, float(rng.uniform(-6, 1)), rng)
    if rng.random() < 0.4:  # a fan or mains hum
        times = np.arange(samples) / SAMPLE_RATE_HZ
        base = float(rng.choice([50.0, 60.0, rng.uniform(70, 240)]))
        for harmonic in range(1, 6):
            noise += (
                rng.uniform(0, 1.5) / harmonic * np.sin(2 * np.pi * (base * harmonic * times + rng.random()))
            )
    if rng.random() < 0.5:  # passing cars, wind: slow swells
        noise *= np.exp(
            1.2 * gaussian_filter1d(rng.standard_normal(samples // 160 + 1), 40).repeat(160)[:samples] * 9
        )
    return _at_level(noise, float(rng.uniform(-55, -18)))


def _knocks(samples: int, rng: np.random.Generator) -> FloatArray:
    """Typing, doors, dishes: short resonant hits."""
    hits = np.zeros(samples)
    for _ in range(rng.poisson(samples / SAMPLE_RATE_HZ * rng.uniform(0.5, 7))):
        hits[rng.integers(samples)] += rng.lognormal(0, 0.7)
    times = np.arange(2400) / SAMPLE_RATE_HZ
    ring = sum(
        np.sin(2 * np.pi * rng.uniform(120, 4500) * times) * np.exp(-times * rng.uniform(20, 250))
        for _ in range(4)
    )
    knock = ring + rng.standard_normal(2400) * np.exp(-times * 300)
    sound = fftconvolve(hits, knock)[:samples] + 1e-3 * rng.standard_normal(samples)
    return _at_level(sound, float(rng.uniform(-45, -20)))


def _music(samples: int, rng: np.random.Generator) -> FloatArray:
    """Chords with harmonics over a beat: pitched, loud and rhythmic like speech, but nobody speaks."""
    sound = np.zeros(samples)
    beat = int(SAMPLE_RATE_HZ * 60 / rng.uniform(60, 160))
    root = rng.uniform(80, 220)
    for start in range(0, samples, beat):
        length = min(int(beat * rng.choice([1, 1, 2])), samples - start)
        times = np.arange(length) / SAMPLE_RATE_HZ
        fade = np.minimum(times / 0.01, 1) * np.exp(-times * rng.uniform(0.5, 6))
        degree = rng.choice([0, 2, 4, 5, 7, 9])
        for step in (0, rng.choice([3, 4]), 7, rng.choice([12, 14, 16])):
            pitch = root * 2 ** ((degree + step) / 12)
            for harmonic in range(1, 9):
                if pitch * harmonic < 7500:
                    phase = 2 * np.pi * pitch * harmonic * times
                    sound[start : start + length] += fade * np.sin(phase) / harmonic ** rng.uniform(0.8, 1.6)
        drum = np.arange(min(3000, samples - start))
        sound[start : start + len(drum)] += (
            2 * rng.standard_normal(len(drum)) * np.exp(-drum / rng.uniform(100, 900))
        )
    return _at_level(sound, float(rng.uniform(-35, -14)))


def _breath(samples: int, rng: np.random.Generator) -> FloatArray:
    """In and out through nose or mouth: coloured noise under slow bumps."""
    envelope = np.zeros(samples)
    at = 0
    while at < samples:
        length = int(rng.uniform(0.5, 1.6) * SAMPLE_RATE_HZ)
        bump = np.sin(np.linspace(0, np.pi, length)) ** rng.uniform(1, 3) * rng.uniform(0.4, 1)
        envelope[at : at + length] += bump[: max(samples - at, 0)]
        at += length + int(rng.uniform(0.05, 0.8) * SAMPLE_RATE_HZ)
    low, high = rng.uniform(200, 900), rng.uniform(2500, 7000)
    noise = sosfilt(
        butter(2, [low, high], "bandpass", fs=SAMPLE_RATE_HZ, output="sos"), rng.standard_normal(samples)
    )
    return _at_level(noise * envelope + 1e-4 * rng.standard_normal(samples), float(rng.uniform(-50, -28)))


def _at_level(sound: np.ndarray, level_db: float) -> FloatArray:
    scaled = sound * 10 ** (level_db / 20) / (np.sqrt(np.mean(sound**2)) + 1e-12)
    return np.asarray(np.clip(scaled, -1, 1), np.float32)


#: Makers of sound during which nobody speaks: (samples, rng) -> [samples] float32.
NEGATIVES: dict[str, Callable[[int, np.random.Generator], FloatArray]] = {
    "silence": _silence,
    "noise": _noise,
    "knocks": _knocks,
    "music": _music,
    "breath": _breath,
}


def laughter(rng: np.random.Generator) -> Utterance:
    """A laugh: bursts of breath and open vowel, about five a second and falling (Bachorowski et al. 2001)."""
    parts: list[np.ndarray] = []
    phones: list[Phone] = []
    at_s = 0.0
    pitch = rng.uniform(180, 420)
    vowel = str(rng.choice(["a", "ʌ", "e"]))
    resonances = {"a": (800, 1250), "ʌ": (650, 1200), "e": (480, 1900)}[vowel]
    for burst in range(rng.integers(3, 11)):
        breath_s, voice_s = rng.uniform(0.05, 0.12), rng.uniform(0.06, 0.13)
        breath = 0.15 * rng.standard_normal(int(breath_s * SAMPLE_RATE_HZ))
        times = np.arange(int(voice_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
        pulses = np.sum([np.sin(2 * np.pi * pitch * h * times) / h for h in range(1, 12)], axis=0)
        parts += [breath, pulses * np.sin(np.pi * times / voice_s) * 0.93**burst]
        phones += [
            Phone("h", at_s, at_s + breath_s),
            Phone(vowel, at_s + breath_s, at_s + breath_s + voice_s),
        ]
        at_s += breath_s + voice_s
        pitch *= rng.uniform(0.93, 1.0)
    sound = np.concatenate(parts)
    shaped = 0.2 * sound
    for centre in resonances:
        band = butter(2, [centre * 0.85, centre * 1.18], "bandpass", fs=SAMPLE_RATE_HZ, output="sos")
        shaped = shaped + sosfilt(band, sound)
    return Utterance(_at_level(shaped, float(rng.uniform(-30, -18))), tuple(phones))
