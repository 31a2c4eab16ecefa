"""Tiles of noise, made once: skin, iris fibres and sclera vessels are looked up in them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .look import FloatArray

SIDE = 256
_TILES = 8


def _noise(rng: np.random.Generator, falloff: float, stretch: float = 1.0) -> FloatArray:
    """[256, 256] float32 periodic noise of power 1 / f^falloff, unit variance; stretched along axis 1."""
    f0, f1 = np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None] * stretch
    frequency = np.sqrt(f0 * f0 + f1 * f1)
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.standard_normal((SIDE, SIDE))) * frequency ** (-falloff / 2)
    tile = np.fft.irfft2(spectrum, (SIDE, SIDE))
    even: FloatArray = (tile / tile.std()).astype(np.float32)
    return even


@lru_cache(maxsize=1)
def tiles() -> dict[str, FloatArray]:
    """Each [8, 256, 256] float32: skin (pores and folds), iris (axis 1 outwards), vessels (0..1)."""
    rng = np.random.default_rng(20)
    skin = [0.6 * _noise(rng, 2.2, 0.5) + 0.5 * _noise(rng, 1.0) for _ in range(_TILES)]
    iris = [0.8 * _noise(rng, 1.6, 5.0) + 0.4 * _noise(rng, 1.5) for _ in range(_TILES)]
    vessels = [np.exp(-np.abs(_noise(rng, 3.2, 1.6)) * 14) for _ in range(_TILES)]
    made = {"skin": skin, "iris": iris, "vessels": vessels}
    return {name: np.stack(tile).astype(np.float32) for name, tile in made.items()}


def look_up(tile: FloatArray, row: FloatArray, column: FloatArray) -> FloatArray:
    """The tile's nearest values at positions in tile pixels, repeated without end."""
    found: FloatArray = tile[row.astype(np.int32) & (SIDE - 1), column.astype(np.int32) & (SIDE - 1)]
    return found
