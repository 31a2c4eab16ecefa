"""Which moments of a recording are speech, and which are silence, by its level alone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


class Activity(NamedTuple):
    """[T] each; what is neither lies at the edges of speech."""

    speech: Mask
    silence: Mask


def activity(audio: Array, sample_rate_hz: int, times_s: Array) -> Activity:
    """Speech and deep silence at evenly spaced `times_s` [T].

    Active is a level above the larger of 35 dB below the loudest (98th percentile) and the noise floor (5th
    percentile + 14 dB, at most the loudest - 12 dB), for 80 ms or more. Speech is active, gaps below 0.3 s
    filled, and 0.1 s on either side. Silence is what is not active for 0.4 s or more, less 0.15 s at each
    end, so that the natural motion before and after speech is not counted.
    """
    level = level_db(audio, sample_rate_hz, times_s)
    loudest = np.percentile(level, 98)
    active = level > max(loudest - 35.0, min(np.percentile(level, 5) + 14.0, loudest - 12.0))
    step_s = times_s[1] - times_s[0]
    for start, end in runs(active):
        if (end - start) * step_s < 0.08:
            active[start:end] = False
    filled = active.copy()
    for start, end in runs(~active):
        if (end - start) * step_s < 0.3:
            filled[start:end] = True
    speech, silence = filled.copy(), np.zeros_like(filled)
    around, edge = round(0.1 / step_s), round(0.15 / step_s)
    for start, end in runs(filled):
        speech[max(0, start - around) : end + around] = True
    for start, end in runs(~filled):
        if (end - start) * step_s >= 0.4:
            silence[start + edge : end - edge] = True
    return Activity(speech, silence)


def level_db(audio: Array, sample_rate_hz: int, times_s: Array) -> Array:
    """[T] level of the 40 ms around each time, dB; -120 where there is digital silence."""
    half = int(0.02 * sample_rate_hz)
    energy = np.concatenate([[0.0], np.cumsum(np.asarray(audio, np.float64) ** 2)])
    centre = np.clip((times_s * sample_rate_hz).astype(int), 0, len(audio))
    first, last = np.clip(centre - half, 0, len(audio)), np.clip(centre + half, 0, len(audio))
    power = (energy[last] - energy[first]) / np.maximum(last - first, 1)
    return np.asarray(10 * np.log10(power + 1e-12))


def runs(mask: Mask) -> list[tuple[int, int]]:
    """Start and end (exclusive) of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(int), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
