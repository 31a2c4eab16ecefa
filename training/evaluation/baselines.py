"""What any model must beat: a jaw that opens with the loudness of the voice."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rtgraph.models.expression import FRAME, INDEX

_FRAME_SAMPLES = 320
_RANGE_DB, _FLOOR_DB = 35.0, -50.0
_LOUDEST_FALL_DB = 0.02  # a frame: what was loud is forgotten in half a minute
_FULL_JAW = 0.5
_SMOOTHING = 0.6  # of what came before, a frame


def energy_to_jaw(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """[F, 61] frames at 50 Hz for [320 F] float32 samples at 16 kHz; only jawOpen moves. No look-ahead.

    The jaw is open in proportion to the level in dB, from 35 dB below the loudest heard lately upwards.
    """
    frames = np.zeros((len(audio) // _FRAME_SAMPLES, len(FRAME)), np.float32)
    power = (audio[: len(frames) * _FRAME_SAMPLES].reshape(len(frames), -1).astype(np.float64) ** 2).mean(1)
    loudest, jaw = _FLOOR_DB + _RANGE_DB, 0.0
    for k, level in enumerate(10 * np.log10(power + 1e-12)):
        loudest = max(level, loudest - _LOUDEST_FALL_DB)
        wanted = np.clip(1 + (level - loudest) / _RANGE_DB, 0, 1) * _FULL_JAW
        jaw = _SMOOTHING * jaw + (1 - _SMOOTHING) * wanted
        frames[k, INDEX["jawOpen"]] = jaw
    return frames
