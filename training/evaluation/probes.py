"""Sounds on which a mouth must stay closed: digital silence, and white and pink noise at -40 dBFS."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from .lip_measures import Lips, Measures, rest_measures

_SECONDS, _LEVEL_DBFS, _SEED = 10, -40.0, 20261121
_SETTLING_S = 0.5
# From white to pink, within 1 dB per octave of 3 (J. O. Smith, Spectral Audio Signal Processing).
_PINK = ([0.049922035, -0.095993537, 0.050612699, -0.004408786], [1, -2.494956002, 2.017265875, -0.5221894])


def probes(sample_rate_hz: int = 16_000) -> dict[str, NDArray[np.float32]]:
    """[T] float32 each, by name; always the same."""
    rng = np.random.default_rng(_SEED)
    white, grey = rng.standard_normal((2, _SECONDS * sample_rate_hz))
    sounds = {"silence": np.zeros_like(white), "white_noise": white, "pink_noise": lfilter(*_PINK, grey)}
    return {name: _at_level(sound).astype(np.float32) for name, sound in sounds.items()}


def probe_measures(lips: Lips) -> Measures:
    """Motion, mean and largest opening of lips that should stay closed, after the first half second."""
    grid = np.arange(lips.times_s[0] + _SETTLING_S, lips.times_s[-1], 1 / 50)
    aperture = np.interp(grid, lips.times_s, lips.aperture)
    return rest_measures(grid, aperture)


def _at_level(sound: NDArray[np.float64]) -> NDArray[np.float64]:
    rms = np.sqrt((sound**2).mean())
    return sound * (10 ** (_LEVEL_DBFS / 20) / rms) if rms else sound
