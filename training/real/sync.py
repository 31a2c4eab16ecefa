"""How far the picture of each clip lies off its sound, by comparison with all the speaker's other clips.

Recordings made in one go are often in step only within some tens of milliseconds, another number for each
clip. A linear model hears the lips of a clip in its sound, having been fitted to the other clips; where the
tracked lips agree with it best is the clip's lag. What all clips have in common cannot be found so.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rtgraph.kernels.mel import MelConfig, MelState, mel

from .clip import FRAME_RATE_HZ, FloatArray

Array = NDArray[np.float64]

_BANDS = 20
_CONTEXT = 12  # face frames of sound to either side of what is seen
_RIDGE = 300.0
_FOLDS, _ROUNDS = 4, 2
_MAX_LAG, _STEP = 6.0, 0.5  # face frames
_EDGE = 8  # frames at either end that are not compared, for they may come from outside


def clip_lags_s(audio: Sequence[FloatArray], lips: Sequence[FloatArray]) -> Array:
    """[N] seconds by which each clip's picture is late, less their median; 10 ms steps, up to 120 ms.

    audio: [320 F] each at 16 kHz. lips: [F, 2] each, as measured. All zeros below eight clips.
    """
    lags = np.zeros(len(audio))
    if len(audio) < 2 * _FOLDS:
        return lags
    heard = [_heard(sound, len(seen)) for sound, seen in zip(audio, lips, strict=True)]
    seen = [(one - one.mean(0)) / np.maximum(one.std(0), 1e-6) for one in lips]
    fold = np.arange(len(audio)) % _FOLDS
    products = [
        sum((heard[i].T @ heard[i] for i in np.flatnonzero(fold == f)), np.zeros(())) for f in range(_FOLDS)
    ]
    for _ in range(_ROUNDS):
        targets = [
            sum((heard[i].T @ _late(seen[i], lags[i]) for i in np.flatnonzero(fold == f)), np.zeros(()))
            for f in range(_FOLDS)
        ]
        found = np.zeros_like(lags)
        for f in range(_FOLDS):
            others = [k for k in range(_FOLDS) if k != f]
            normal = sum((products[k] for k in others), _RIDGE * np.eye(heard[0].shape[1]))
            weights = np.linalg.solve(normal, sum((targets[k] for k in others), np.zeros(())))
            for i in np.flatnonzero(fold == f):
                found[i] = _best_lag(heard[i] @ weights, seen[i])
        lags = found - np.median(found)
    return lags / FRAME_RATE_HZ


def _heard(audio: FloatArray, frames: int) -> Array:
    """[F, n] log-mel around each face frame, and a one."""
    rows = mel(MelState(MelConfig(level=None)), np.ascontiguousarray(audio))[: 2 * frames]
    bands = rows.astype(np.float64).reshape(frames, 2, _BANDS, -1).mean((1, 3))
    padded = np.pad((bands - bands.mean()) / 3, ((_CONTEXT, _CONTEXT), (0, 0)), mode="edge")
    around = [padded[k : k + frames] for k in range(2 * _CONTEXT + 1)]
    return np.concatenate([*around, np.ones((frames, 1))], axis=1)


def _late(seen: Array, lag: float) -> Array:
    """[F, 2] what is seen `lag` frames later."""
    at = np.arange(len(seen)) + lag
    return np.stack([np.interp(at, np.arange(len(seen)), column) for column in seen.T], axis=1)


def _best_lag(expected: Array, seen: Array) -> float:
    """In frames: where the correlation over aperture and width is highest."""
    lags = np.arange(-_MAX_LAG, _MAX_LAG + _STEP / 2, _STEP)
    inner = slice(_EDGE, len(seen) - _EDGE)
    fits = [_correlation(expected[inner], _late(seen, lag)[inner]) for lag in lags]
    return float(lags[int(np.argmax(fits))])


def _correlation(x: Array, y: Array) -> float:
    x, y = x - x.mean(0), y - y.mean(0)
    size = np.sqrt((x**2).sum(0) * (y**2).sum(0))
    return float(((x * y).sum(0) / np.maximum(size, 1e-9)).mean())
