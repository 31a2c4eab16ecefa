"""A head-like rig with made-up shapes: for measuring and testing the decoder without a real head."""

from __future__ import annotations

import numpy as np

from rtgraph.kernels.decode import Rig, arkit_drive, sparse_shapes

SHAPES = 52
PIVOTS = [[0.0, -0.08, 0.0], [0.0, -0.02, 0.0], [0.032, 0.03, 0.07], [-0.032, 0.03, 0.07]]  # head jaw eyes, m


def synthetic_head(
    rows: int = 65, columns: int = 80, gaussians: int = 10_000, touched: float = 0.15, seed: int = 0
) -> Rig:
    """An ellipsoid of rows x columns vertices (5,200 and 10,240 triangles by default).

    Each shape moves the `touched` share of the vertices that is nearest to a place on the face. Vertices are
    numbered at random, so that nothing gains from an order that a real mesh may not have.
    """
    rng = np.random.default_rng(seed)
    polar, around = np.meshgrid(
        np.linspace(0.05, np.pi - 0.05, rows), np.arange(columns) * 2 * np.pi / columns, indexing="ij"
    )
    unit = np.stack([np.sin(polar) * np.sin(around), np.cos(polar), np.sin(polar) * np.cos(around)], axis=-1)
    neutral = unit.reshape(-1, 3) * [0.075, 0.115, 0.095]  # [V, 3] m, the face along +Z
    count = len(neutral)

    low = (np.arange(rows - 1)[:, None] * columns + np.arange(columns)).ravel()
    right = (np.arange(rows - 1)[:, None] * columns + (np.arange(columns) + 1) % columns).ravel()
    quads = np.stack([low, low + columns, right, right, low + columns, right + columns], axis=1)
    triangles = quads.reshape(-1, 3)

    face = np.flatnonzero(neutral[:, 2] > 0.04)
    deltas = np.zeros((SHAPES, count, 3))
    for shape in range(SHAPES):
        distance = np.linalg.norm(neutral - neutral[rng.choice(face)], axis=1)
        nearest = np.argsort(distance)[: int(touched * count)]
        fall_off = (1.0 - distance[nearest] / (distance[nearest].max() * 1.001)) ** 2
        deltas[shape, nearest] = fall_off[:, None] * rng.uniform(-0.015, 0.015, 3)

    jaw = np.clip((-0.03 - neutral[:, 1]) / 0.04, 0.0, 1.0) * (neutral[:, 2] > 0.0)
    joints, weights = np.zeros((count, 2), int), np.stack([1.0 - jaw, jaw], axis=1)
    joints[:, 1] = 1
    for eye in (2, 3):
        ball = np.linalg.norm(neutral - PIVOTS[eye], axis=1) < 0.015
        joints[ball, 0], weights[ball] = eye, (1.0, 0.0)

    number = rng.permutation(count)  # the new number of each vertex

    def renumbered(values: np.ndarray, axis: int = 0) -> np.ndarray:
        return np.take(values, np.argsort(number), axis=axis)

    turns = rng.standard_normal((gaussians, 4))
    shape_start, shape_vertex, shape_delta = sparse_shapes(renumbered(deltas, 1))
    return Rig(
        neutral=renumbered(neutral),
        triangles=rng.permutation(number[triangles]),
        shape_start=shape_start,
        shape_vertex=shape_vertex,
        shape_delta=shape_delta,
        joint_parent=np.array([-1, 0, 0, 0]),
        joint_pivot=np.array(PIVOTS),
        joint_drive=arkit_drive(),
        skin_joint=renumbered(joints),
        skin_weight=renumbered(weights),
        gaussian_triangle=rng.integers(0, len(triangles), gaussians),
        gaussian_mean=rng.standard_normal((gaussians, 3)) * 0.3,
        gaussian_rotation=turns / np.linalg.norm(turns, axis=1, keepdims=True),
        gaussian_scale=rng.uniform(0.05, 0.5, (gaussians, 3)),
    )
