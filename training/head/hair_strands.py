"""Hair as lines on the skin: where it begins, how densely it grows, how it is cut and combed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .anny_data import Floats, Ints
from .noise import value_noise
from .surface import Place, Surface

#: Where hair begins: by the angle from straight ahead, the elevation seen from the skull's middle, degrees.
HAIRLINE = np.array(
    [
        (0, 38), (25, 40), (42, 37), (55, 27), (63, 10), (69, -8), (76, -10), (81, 1), (88, 7), (100, 8),
        (110, 3), (120, -12), (132, -25), (145, -32), (180, -38),
    ],
    float,
)  # fmt: skip
SKULL = np.array([0.0, 0.045, 0.015])  # its middle, from the head's origin
EAR_X_M = 0.078  # beyond it lie the ears
#: Where strands root, by degrees beyond the hairline, from none to all, and how long they are there: full
#: hair, and the fine hairs that soften its edge.
FULL_FROM, FULL_TO, FINE_FROM, FINE_TO = -1.0, 4.5, -2.5, 7.0
EDGE_M, EDGE_M_A_DEGREE = 0.009, 0.0011


@dataclass(frozen=True)
class Strands:
    """Lines on the skin, from root to tip: what ribbons and Gaussians are made along."""

    points: Floats  # [n, rows, 3]
    normals: Floats  # [n, rows, 3] unit, away from the skin
    width: Floats  # [n] m
    shade: Floats  # [n] 0..1


def beyond_hairline(points: Floats) -> Floats:
    """How many degrees points [n, 3], from the head's origin, lie beyond the hairline about SKULL: [n]."""
    away = points - SKULL
    azimuth = np.degrees(np.abs(np.arctan2(away[:, 0], away[:, 2])))
    elevation = np.degrees(np.arctan2(away[:, 1], np.hypot(away[:, 0], away[:, 2])))
    return elevation - np.interp(azimuth, *HAIRLINE.T) + 0.7 * value_noise(points, 110.0, 9, 2)


def scalp_share(points: Floats) -> Floats:
    """How much hair grows at points [n, 3] (from the head's origin): 0 none, 1 full."""
    return _ramp(beyond_hairline(points), FINE_FROM - 1, FULL_TO + 1)


def _ramp(x: Floats, low: float, high: float) -> Floats:
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def hair_strands(
    skin: Surface, origin: Floats, count: int, rows: int, seed: int, width_m: float, fine: bool = False
) -> Strands:
    """`count` strands of a short cut, combed back over the top and down the sides; `fine`: short thin ones
    along the hairline only."""
    rng = np.random.default_rng(seed)
    root = _roots(skin, origin, count, fine, rng)
    beyond = np.maximum(beyond_hairline(root.point - origin), 0)
    away = root.point - origin - SKULL
    up = away[:, 1] / np.linalg.norm(away, axis=1)  # 1 on the top
    top = np.clip((up - 0.15) / 0.55, 0, 1)
    front = np.clip(away[:, 2] / 0.08, -1, 1)
    # Sides and nape are the shorter the nearer to the edge; over the forehead hair is combed away from it.
    length = np.minimum(0.026 + 0.034 * top, EDGE_M + EDGE_M_A_DEGREE * beyond + 0.03 * top)
    length = (0.010 + 0.0005 * beyond if fine else length) * rng.uniform(0.8, 1.2, count)
    lift = 0.0018 + 0.0115 * top * (0.75 + 0.25 * front) * np.clip(beyond / 20, 0.08, 1)
    lift *= rng.uniform(0.1, 0.5, count) if fine else rng.uniform(0.5, 1.0, count)
    side = np.tanh((root.point[:, 0] - 0.022) / 0.018)  # of the parting
    comb = np.column_stack([(0.75 * top) * side, -0.95 * (1 - top), -0.55 - 0.35 * (1 - np.abs(front))])
    comb[:, 0] *= np.clip(0.25 + beyond / 12, 0, 1)  # straight back from the forehead
    comb[:, 2] -= 0.3 * top * np.clip(front, 0, 1)
    comb += (0.2 if fine else 0.16) * rng.standard_normal((count, 3))
    points, normals = [], []
    place = root
    for row in range(rows):
        t = row / (rows - 1)
        arch = lift * (1 - (1 - t) ** 2) ** 0.8 * (1 - 0.30 * t**2) + 0.0004
        points.append(place.point + arch[:, None] * place.normal)
        normals.append(place.normal)
        along = comb - (comb * place.normal).sum(1, keepdims=True) * place.normal
        along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
        place = skin.nearest(place.point + along * (length / (rows - 1))[:, None])
    return Strands(
        np.stack(points, 1),
        np.stack(normals, 1),
        width_m * rng.uniform(0.8, 1.2, count) * np.clip(0.5 + beyond / 16, 0, 1),
        rng.uniform(size=count),
    )


def _roots(skin: Surface, origin: Floats, count: int, fine: bool, rng: np.random.Generator) -> Place:
    """Where strands grow, fewer and fewer over the hairline; not on the ears."""
    corners = beyond_hairline(skin.points - origin)[skin.triangles]
    drawn = skin.scatter((corners.max(axis=1) > FINE_FROM).astype(float), (24 if fine else 4) * count, rng)
    beyond = beyond_hairline(drawn.point - origin)
    share = _ramp(beyond, FINE_FROM, 0) * (beyond < FINE_TO) if fine else _ramp(beyond, FULL_FROM, FULL_TO)
    grows = (rng.uniform(size=len(share)) < share) & (np.abs(drawn.point[:, 0] - origin[0]) < EAR_X_M)
    growing = np.flatnonzero(grows)
    kept = (
        rng.choice(growing, count, replace=False) if fine else growing[_evenly(drawn.point[growing], count)]
    )
    return skin.at(drawn.triangle[kept], drawn.weights[kept])


def _evenly(points: Floats, count: int) -> Ints:
    """`count` of points [n, 3] that leave no gaps: each the farthest from those before it."""
    chosen = np.zeros(count, int)
    away = np.full(len(points), np.inf)
    for i in range(1, count):
        away = np.minimum(away, ((points - points[chosen[i - 1]]) ** 2).sum(axis=1))
        chosen[i] = away.argmax()
    return chosen
