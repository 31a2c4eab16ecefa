"""How eyes move: fixations, saccades, blinks and pupils over time, as a row of looks.

Blink and saccade times are those of the MIT-licensed recordings in the source package
pupil-labs-neon-recording 2.1.6 (tests/data: 30 s at 200 Hz, four parts): lids close in 45-95 ms, are less
than half open for 85-110 ms and open again over 100-250 ms; a saccade of A degrees lasts
about 25 ms + 3 ms A.
Rates of blinks, 10-25 a minute, are those of A. R. Bentivoglio et al., Movement Disorders 12(6), 1997;
fixations last 150-600 ms.
"""

from __future__ import annotations

import numpy as np

from .look import GAZE_LIMIT, FloatArray, Look

_GAZE_SPREAD = np.deg2rad([9.0, 7.0])  # of fixations about straight ahead: yaw, pitch
_TREMOR = np.deg2rad(0.08)


def sequence(
    seconds: float, rate_hz: float, rng: np.random.Generator, blinks_per_minute: float = 18
) -> list[Look]:
    """Looks at a steady rate; a blink never begins in the first or last half second."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    yaw, pitch = _gaze(t, rng).T
    lid = _lid(t, rng, blinks_per_minute)
    pupil = (
        4.5 + rng.uniform(-1.5, 1.5) + 0.4 * np.sin(2 * np.pi * (t * rng.uniform(0.05, 0.3) + rng.random()))
    )
    rows = np.stack([yaw, pitch, lid, pupil], 1).tolist()
    return [Look(y, p, o, pupil_mm=mm) for y, p, o, mm in rows]


def _gaze(t: FloatArray, rng: np.random.Generator) -> FloatArray:
    """[T, 2] radians: fixations joined by saccades with a smooth speed profile, and a little tremor."""
    gaze = np.zeros((len(t), 2))
    at, now = rng.normal(0, _GAZE_SPREAD), 0.0
    while now < t[-1]:
        to = np.clip(rng.normal(0, _GAZE_SPREAD), -GAZE_LIMIT, GAZE_LIMIT)
        start = now + rng.uniform(0.15, 0.6)
        duration = 0.025 + 0.003 * np.rad2deg(np.hypot(*(to - at)))
        part = np.clip((t - start) / duration, 0, 1)
        moved = part**3 * (10 - 15 * part + 6 * part**2)  # minimum jerk
        here = (t >= now) & (t < start + duration)
        gaze[here] = (at + moved[:, None] * (to - at))[here]
        at, now = to, start + duration
    gaze[t >= now] = at
    return gaze + rng.normal(0, _TREMOR, gaze.shape)


def _lid(t: FloatArray, rng: np.random.Generator, blinks_per_minute: float) -> FloatArray:
    """[T] 0..1."""
    lid = np.ones(len(t))
    now = 0.5 + rng.exponential(60 / blinks_per_minute) * 0.5
    while now < t[-1] - 0.5:
        closing, held, opening = rng.uniform(0.045, 0.095), rng.uniform(0.02, 0.06), rng.uniform(0.1, 0.25)
        down = np.clip((t - now) / closing, 0, 1)
        up = np.clip((t - now - closing - held) / opening, 0, 1)
        shut = down * down * (3 - 2 * down) - (1 - (1 - up) ** 2)  # opening starts fast and slows down
        lid = np.minimum(lid, 1 - shut)
        now += closing + held + opening + max(0.4, rng.exponential(60 / blinks_per_minute))
    return lid
