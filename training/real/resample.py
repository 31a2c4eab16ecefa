"""Motion at the moments of face frames: from any times to (k + 1) / 50 s."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from .clip import FRAME_RATE_HZ, FloatArray


def at_face_frames(times_s: NDArray[np.float64], values: NDArray[np.floating]) -> FloatArray:
    """[F, K] `values` [T, K] of `times_s` [T], rising, at (k + 1) / 50 s up to the last of them.

    Piecewise cubic without overshoot (Fritsch and Carlson 1980); before the first time the first value holds.
    """
    frames = int(np.floor(times_s[-1] * FRAME_RATE_HZ + 1e-6))
    moments = np.clip((np.arange(frames) + 1) / FRAME_RATE_HZ, times_s[0], times_s[-1])
    return np.asarray(PchipInterpolator(times_s, values, axis=0)(moments), np.float32)
