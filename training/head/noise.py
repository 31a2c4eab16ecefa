"""Seeded noise for textures: smooth value noise in space, and fine grain on a picture."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from .anny_data import Floats


def value_noise(points: Floats, cells_per_m: float, seed: int, octaves: int = 1) -> Floats:
    """Smooth noise [n] of about -1..1 at points [n, 3] (metres); octaves are ever finer and weaker."""
    total = np.zeros(len(points))
    for octave in range(octaves):
        at = points * cells_per_m * 2**octave
        cell = np.floor(at).astype(np.int64)
        t = at - cell
        t = t * t * (3 - 2 * t)
        for corner in range(8):
            offset = np.array([corner & 1, corner >> 1 & 1, corner >> 2])
            weight = np.prod(np.where(offset, t, 1 - t), axis=1)
            total += weight * _hash(cell + offset, seed + octave) / 2**octave
    return total


def grain(size: int, sigma_px: float, seed: int) -> Floats:
    """Noise [size, size] of unit variance whose blobs are `sigma_px` pixels in radius."""
    noise = gaussian_filter(np.random.default_rng(seed).standard_normal((size, size)), sigma_px, mode="wrap")
    return np.asarray(noise / noise.std())


def _hash(cells: np.ndarray, seed: int) -> Floats:
    """A number of -1..1 for each whole-numbered cell [n, 3]."""
    x = (cells * np.array([73856093, 19349663, 83492791])).sum(axis=1) + seed * 2654435761
    x = x.astype(np.uint64)
    x = (x ^ (x >> np.uint64(13))) * np.uint64(1274126177)
    x ^= x >> np.uint64(16)
    return (x & np.uint64(0xFFFFFF)).astype(float) / 0x7FFFFF - 1.0
