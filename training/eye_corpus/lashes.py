"""Lashes: hairs along both margins, projected by the camera and laid over the picture."""

from __future__ import annotations

import numpy as np

from .lids import Lids
from .look import FloatArray
from .rig import SIDE_PX, Rig

_STEPS = 26


def cover(rig: Rig, lids: Lids, slip: FloatArray, rng: np.random.Generator) -> FloatArray:
    """[128 * 128] float32, how much light the lashes let through, 0..1. `rng` is the wearer's own."""
    w = lids.wearer
    upper = _hairs(lids, True, w.upper_lashes, w.lash_mm, rng)
    lower = _hairs(lids, False, w.lower_lashes, w.lash_mm * 0.5, rng)
    points = np.concatenate([upper, lower]).reshape(-1, 3) + slip
    thickness = np.tile(np.linspace(1.0, 0.15, _STEPS, dtype=np.float32), w.upper_lashes + w.lower_lashes)
    at = rig.project(points)
    corner = np.floor(at)
    part = at - corner
    column, row = corner.astype(np.int32).T
    kept = (column >= 0) & (row >= 0) & (column < SIDE_PX - 1) & (row < SIDE_PX - 1)
    column, row, (px, py), thickness = column[kept], row[kept], part[kept].T, thickness[kept]
    first = row * SIDE_PX + column
    index = np.concatenate([first, first + 1, first + SIDE_PX, first + SIDE_PX + 1])
    weight = np.concatenate([(1 - px) * (1 - py), px * (1 - py), (1 - px) * py, px * py])
    density = np.bincount(index, weight * np.tile(thickness, 4), SIDE_PX * SIDE_PX)
    through: FloatArray = np.exp(density * (-1.1 * w.lash_darkness)).astype(np.float32)
    return through


def _hairs(lids: Lids, upper: bool, count: int, length_mm: float, rng: np.random.Generator) -> FloatArray:
    """[count, steps, 3] mm: each hair leaves the margin forwards and bends away from the opening."""
    w = lids.wearer
    place = (np.arange(count) + rng.uniform(-0.4, 0.4, count)) / count * 1.84 - 0.92
    length = length_mm * (0.45 + 0.55 * np.sqrt(1 - place**2)) * rng.uniform(0.7, 1.15, count)
    lean = 0.55 * place + rng.normal(0, 0.13, count)
    curl = w.lash_curl * rng.uniform(0.7, 1.3, count)
    middle, half = (w.nasal_x + w.temporal_x) / 2, (w.temporal_x - w.nasal_x) / 2
    x = (middle + half * place).astype(np.float32)
    top, bottom, _ = lids.margins(x)
    y = top if upper else bottom
    z = (
        np.exp((x * x + 1.15 * y * y) * (-0.5 / w.bulge_width**2)) * (w.eye_radius + 0.75 - w.socket_z)
        + w.socket_z
    )
    # An open upper lid points its lashes up, a closed one turns them down with it.
    start = (0.25 - 1.0 * lids.closed) if upper else -0.45
    bend = curl * (1.15 - 0.5 * lids.closed) if upper else -0.5 * curl
    s = np.linspace(0, 1, _STEPS, dtype=np.float32)
    rise = start * s + 0.5 * bend[:, None] * s * s
    forward = np.sqrt(np.maximum(1 - rise**2, 0.15)) * s * (0.9 if upper else 0.75)
    hair = np.stack([lean[:, None] * s * (0.4 + 0.6 * s), rise, forward], -1)
    root = np.stack([x, y, z], -1)[:, None]
    return (root + hair * length[:, None, None]).astype(np.float32)
