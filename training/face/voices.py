"""One recorded voice made into many: pitch, throat length and pace, the face in step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import soxr

from ..corpus.utterance import FRAME_SAMPLES, SAMPLE_RATE_HZ, FloatArray
from ..corpus.voice import shift_formants

_HOP = 160  # samples by which the pace is changed at a time
_SEARCH = 120  # samples either way in which the best joint is sought


@dataclass(frozen=True)
class VoiceChange:
    """Ratios to the recorded voice; 1 leaves it as it is."""

    pitch: float = 1.0
    formants: float = 1.0
    pace: float = 1.0

    @classmethod
    def draw(cls, rng: np.random.Generator) -> VoiceChange:
        """From a deep man to a child, spoken a fifth slower to a quarter faster."""
        if rng.random() < 0.2:
            return cls(pace=float(rng.uniform(0.92, 1.1)))
        height = float(rng.uniform(-0.6, 1.0))  # pitch and throat go together, loosely
        return cls(
            pitch=float(2 ** (0.9 * height + rng.normal(0, 0.12))),
            formants=float(2 ** np.clip(0.28 * height + rng.normal(0, 0.07), -0.3, 0.42)),
            pace=float(rng.uniform(0.82, 1.25)),
        )


def change_voice(audio: FloatArray, change: VoiceChange) -> FloatArray:
    """[T] -> [about T / pace] float32: a whole number of face frames.

    Played `pitch` times faster, then stretched back by overlapping pieces that fit (WSOLA, Verhelst &
    Roelands 1993), then the resonances moved to where they should be.
    """
    samples = round(len(audio) / change.pace / FRAME_SAMPLES) * FRAME_SAMPLES
    if change == VoiceChange():
        return audio[:samples]
    sound = audio
    if abs(change.pitch - 1) > 1e-3:
        sound = soxr.resample(audio, SAMPLE_RATE_HZ * change.pitch, SAMPLE_RATE_HZ).astype(np.float32)
    sound = _stretched(sound, samples)
    left = change.formants / change.pitch
    return shift_formants(sound, left) if abs(left - 1) > 1e-2 else sound


def change_pace(motion: np.ndarray, frames: int) -> np.ndarray:
    """[F, D] -> [frames, D]: the same motion over another number of frames; row k is the end of frame k."""
    at = (np.arange(frames) + 1) * len(motion) / frames - 1
    low = np.clip(np.floor(at).astype(int), 0, len(motion) - 1)
    high = np.minimum(low + 1, len(motion) - 1)
    part = np.clip(at - low, 0, 1)[:, None]
    return np.asarray(motion[low] * (1 - part) + motion[high] * part, motion.dtype)


def _stretched(sound: FloatArray, samples: int) -> FloatArray:
    """[T] -> [samples], pitch kept."""
    if len(sound) == samples:
        return sound
    ratio = len(sound) / samples
    window = np.hanning(2 * _HOP + 1)[:-1]
    padded = np.concatenate([np.zeros(_SEARCH + _HOP), sound, np.zeros(_SEARCH + 4 * _HOP)])
    out = np.zeros(samples + 3 * _HOP)
    wanted: np.ndarray | None = None  # what would follow the last piece in the source
    for to in range(0, samples + _HOP, _HOP):
        at = min(round(to * ratio), len(sound) + _HOP) + _SEARCH
        if wanted is not None:
            around = padded[at - _SEARCH : at + _SEARCH + 2 * _HOP]
            fit = np.correlate(around, wanted[: 2 * _HOP], "valid")
            at += int(np.argmax(fit)) - _SEARCH
        out[to : to + 2 * _HOP] += window * padded[at : at + 2 * _HOP]
        wanted = padded[at + _HOP : at + 3 * _HOP]
        if len(wanted) < 2 * _HOP:
            wanted = np.pad(wanted, (0, 2 * _HOP - len(wanted)))
    return out[_HOP : _HOP + samples].astype(np.float32)
