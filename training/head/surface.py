"""The nearest place on the skin: what hair, brows and Gaussians are attached to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from scipy.spatial import cKDTree

from rtgraph.models.avatar.head import vertex_normals

from .anny_data import Floats, Ints
from .piece import Piece

CANDIDATES = 16  # triangles whose centres are nearest, of which the nearest is taken


@dataclass(frozen=True)
class Place:
    """Places on a surface: the triangle, where in it, the point and the smooth normal there."""

    triangle: Ints  # [n]
    weights: Floats  # [n, 3] barycentric
    point: Floats  # [n, 3]
    normal: Floats  # [n, 3] unit


class Surface:
    """A piece's triangles, asked for the place nearest to a point."""

    def __init__(self, piece: Piece) -> None:
        self.piece = piece
        self.points, self.triangles = piece.points, piece.triangles
        self.normals = vertex_normals(self.points, self.triangles, piece.weld).astype(float)
        self._corners = self.points[self.triangles]  # [T, 3, 3]
        self._tree = cKDTree(self._corners.mean(axis=1))

    def nearest(self, points: Floats) -> Place:
        """points [n, 3] -> the nearest place of each."""
        _, near = self._tree.query(points, CANDIDATES)
        weights = _closest(points[:, None], self._corners[near])  # [n, CANDIDATES, 3]
        on = np.einsum("nkc,nkcd->nkd", weights, self._corners[near])
        best = np.linalg.norm(on - points[:, None], axis=2).argmin(axis=1)
        rows = np.arange(len(points))
        return self.at(near[rows, best], weights[rows, best])

    def at(self, triangle: Ints, weights: Floats) -> Place:
        """Triangles [n] and barycentric weights [n, 3] -> places."""
        corners = self.triangles[triangle]
        normal = np.einsum("nc,ncd->nd", weights, self.normals[corners])
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
        return Place(triangle, weights, np.einsum("nc,ncd->nd", weights, self.points[corners]), normal)

    def carrier(self, place: Place) -> sparse.csr_matrix:
        """How what is attached at places follows the body: [n, N]."""
        rows = np.repeat(np.arange(len(place.triangle)), 3)
        columns = self.triangles[place.triangle].ravel()
        size = (len(place.triangle), len(self.points))
        return (
            sparse.csr_matrix((place.weights.ravel(), (rows, columns)), size) @ self.piece.carrier
        ).tocsr()

    def scatter(self, share: Floats, count: int, rng: np.random.Generator) -> Place:
        """`count` places by area, on triangles with a share [T] 0..1 above 0."""
        a, b, c = (self._corners[:, k] for k in range(3))
        area = np.linalg.norm(np.cross(b - a, c - a), axis=1) * share
        steps = (np.arange(count) + rng.uniform(size=count)) / count  # stratified
        triangle = np.searchsorted(np.cumsum(area) / area.sum(), steps)
        u, v = np.sqrt(rng.uniform(size=count)), rng.uniform(size=count)
        return self.at(triangle, np.column_stack([1 - u, u * (1 - v), u * v]))


def _closest(p: Floats, corners: Floats) -> Floats:
    """Barycentric weights [..., 3] of each triangle's [..., 3, 3] point nearest to p [..., 3]."""
    a, b, c = (corners[..., k, :] for k in range(3))
    ab, ac, ap = b - a, c - a, p - a
    d00, d01, d11 = (ab * ab).sum(-1), (ab * ac).sum(-1), (ac * ac).sum(-1)
    d20, d21 = (ap * ab).sum(-1), (ap * ac).sum(-1)
    area = np.maximum(d00 * d11 - d01 * d01, 1e-24)
    v, w = (d11 * d20 - d01 * d21) / area, (d00 * d21 - d01 * d20) / area
    inside = np.stack([1 - v - w, v, w], axis=-1)

    def along(start: Floats, edge: Floats) -> Floats:
        return np.clip(((p - start) * edge).sum(-1) / np.maximum((edge * edge).sum(-1), 1e-24), 0, 1)

    t_ab, t_ac, t_bc = along(a, ab), along(a, ac), along(b, c - b)
    nil = np.zeros_like(v)
    edges = np.stack(
        [
            np.stack([1 - t_ab, t_ab, nil], -1),
            np.stack([1 - t_ac, nil, t_ac], -1),
            np.stack([nil, 1 - t_bc, t_bc], -1),
        ],
        axis=-2,
    )  # [..., 3 edges, 3]
    away = np.linalg.norm(np.einsum("...ec,...cd->...ed", edges, corners) - p[..., None, :], axis=-1)
    nearest = np.take_along_axis(edges, away.argmin(-1)[..., None, None], axis=-2)[..., 0, :]
    return np.where((inside >= 0).all(-1, keepdims=True), inside, nearest)
