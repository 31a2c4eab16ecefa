"""How well lips follow real lips: correlation, delay, closure, liveliness, jitter, and rest in silence.

Aperture is the height of the opening between the inner lips, width the distance of the mouth corners, both in
IOD (`rtgraph.models.lips`). The correlations and closure look at speech only: how far a mouth stands open
before a breath cannot be known from sound, and telling sound from silence alone gives a high correlation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rtgraph.models.lips import IOD_MM

from .speech import Mask, activity, runs

Array = NDArray[np.float64]
Measures = dict[str, float]

_RATE_HZ = 50.0  # of the common grid that correlations are taken on
_MAX_LAG_S, _LAG_STEP_S = 0.2, 0.01
_STILL = 1e-9  # a deviation below this is that of rounding
_CLOSED_SHARE = 0.15  # closed is an aperture below this share of the clip's own 98th percentile ...
_TOUCHING = 0.5 / IOD_MM  # ... and half a millimetre always is
_EVENT_S, _EVENT_SLACK_S = 0.3, 0.06


@dataclass(frozen=True)
class Lips:
    """The lips of a clip over time."""

    times_s: Array  # [T] rising
    aperture: Array  # [T] IOD
    width: Array  # [T] IOD
    tracked: bool = False  # by a camera: its lowest aperture stands for closed lips, which it never sees as 0


def lip_measures(reference: Lips, prediction: Lips, audio: Array, sample_rate_hz: int) -> Measures:
    """Every measure of one clip that is defined for it. Lags are in ms, positive: the prediction is late."""
    times_s = reference.times_s
    speech = activity(audio, sample_rate_hz, times_s).speech
    out: Measures = {}
    for name in ("aperture", "width"):
        truth, guess = getattr(reference, name), getattr(prediction, name)
        for suffix, inside in (("", speech), ("_whole", np.ones_like(speech))):
            lagged = _lag_correlation(times_s, truth, prediction.times_s, guess, inside)
            out |= {f"{name}_{key}{suffix}": value for key, value in lagged.items()}
    aperture = np.interp(times_s, prediction.times_s, prediction.aperture)
    width = np.interp(times_s, prediction.times_s, prediction.width)
    for name, found, wanted in (
        ("std_ratio", aperture.std(), reference.aperture.std()),
        ("width_std_ratio", width.std(), reference.width.std()),
        ("jitter_ratio", _jitter(aperture), _jitter(reference.aperture)),
    ):
        if wanted >= _STILL:
            out[name] = float(found / wanted)
    out |= _closure(reference, prediction, aperture, speech)
    out |= _silence(reference, prediction, audio, sample_rate_hz)
    return out


def pearson(x: Array, y: Array) -> float:
    """Correlation of what is finite in both; 0 for fewer than 10 values, or where one stands still."""
    both = np.isfinite(x) & np.isfinite(y)
    x, y = x[both], y[both]
    if len(x) < 10 or x.std() < _STILL or y.std() < _STILL:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])


def _lag_correlation(times_s: Array, truth: Array, guess_s: Array, guess: Array, inside: Mask) -> Measures:
    """r at zero lag, the best r within +-200 ms, its lag; of the same reference frames at every lag."""
    grid = np.arange(times_s[0], times_s[-1], 1 / _RATE_HZ)
    grid = grid[np.interp(grid, times_s, inside.astype(float)) > 0.5]
    wanted = np.interp(grid, times_s, truth)
    lags_s = np.round(np.arange(-_MAX_LAG_S, _MAX_LAG_S + 1e-9, _LAG_STEP_S), 3)
    found = [pearson(wanted, np.interp(grid + lag, guess_s, guess)) for lag in lags_s]
    best = int(np.argmax(found))
    out = {"r": pearson(wanted, np.interp(grid, guess_s, guess)), "r_best": found[best]}
    return out | ({"lag_ms": float(lags_s[best] * 1000)} if found[best] > 0 else {})


def _jitter(x: Array) -> float:
    return float(np.abs(np.diff(x, 2)).mean())


def closed_below(aperture: Array) -> float:
    """The aperture below which the lips of a clip are closed, IOD; of lips that can truly touch."""
    return max(_CLOSED_SHARE * float(np.percentile(aperture, 98)), _TOUCHING)


def _closure(reference: Lips, prediction: Lips, aperture: Array, speech: Mask) -> Measures:
    """closure_j is hit rate - false alarm rate: 0 for any constant answer. closure_recall is the share of
    short closures (bilabials) that are met within +-60 ms.
    """
    floor = reference.aperture.min() if reference.tracked else 0.0
    open_lips = np.percentile(reference.aperture, 98) - floor
    closed = reference.aperture - floor < _CLOSED_SHARE * open_lips
    limit = closed_below(aperture)
    truth, guess = closed[speech], (aperture < limit)[speech]
    out = {"closure_f1": float(2 * (truth & guess).sum() / max(1, truth.sum() + guess.sum()))}
    if truth.any() and not truth.all():
        out["closure_j"] = float(guess[truth].mean() - guess[~truth].mean())
    times_s, hits = reference.times_s, []
    for start, end in runs(closed):
        inner = start > 0 and end < len(closed) and speech[start:end].all()
        if inner and times_s[end - 1] - times_s[start] <= _EVENT_S:
            near = prediction.times_s >= times_s[start] - _EVENT_SLACK_S
            near &= prediction.times_s <= times_s[end - 1] + _EVENT_SLACK_S
            hits.append(bool((prediction.aperture[near] < limit).any()))
    return out | ({"closure_recall": float(np.mean(hits))} if hits else {})


def _silence(reference: Lips, prediction: Lips, audio: Array, sample_rate_hz: int) -> Measures:
    """Speed of the aperture and its size in deep silence, in mm of an adult's face."""
    grid = np.arange(reference.times_s[0], reference.times_s[-1], 1 / _RATE_HZ)
    silence = activity(audio, sample_rate_hz, grid).silence
    if silence.sum() <= 5:
        return {}
    at_rest = rest_measures(grid, np.interp(grid, prediction.times_s, prediction.aperture), silence)
    truth = rest_measures(grid, np.interp(grid, reference.times_s, reference.aperture), silence)
    return at_rest | {"silence_reference_motion_mm_s": truth["silence_motion_mm_s"]}


def rest_measures(times_s: Array, aperture: Array, inside: Mask | slice = slice(None)) -> Measures:
    """Mean speed and mean size of an aperture that should stay closed."""
    speed = np.abs(np.gradient(aperture, times_s)) * IOD_MM
    return {
        "silence_motion_mm_s": float(speed[inside].mean()),
        "silence_open_mm": float(aperture[inside].mean() * IOD_MM),
    }
