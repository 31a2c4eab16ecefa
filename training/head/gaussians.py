"""The head as Gaussians: discs on skin, eyes and teeth, and long thin ones along every hair."""

from __future__ import annotations

import io
from dataclasses import dataclass, fields

import numpy as np
from PIL import Image
from scipy.spatial import cKDTree

from rtgraph.kernels.decode.reference import quaternion
from rtgraph.models.avatar.head import Gaussians, Head, Part

from .anny_data import Floats, Ints
from .hair_pieces import Strands, brow_strands, hair_strands
from .piece import Piece
from .surface import Place, Surface

COUNTS = {"skin": 17_500, "eye": 1_600, "teeth": 700, "mouth": 350}  # of each part
UNDER = 2_500  # larger discs beneath the skin
FACE_DENSITY = 5.0  # times that of the shoulders
#: Where discs are denser still: x (both sides), y, z, reach, metres: eyes, lips, ears, nostrils.
EDGES = (
    (0.029, 0.038, 0.090, 0.018),
    (0.000, -0.028, 0.100, 0.026),
    (0.080, 0.018, -0.003, 0.030),
    (0.009, -0.003, 0.102, 0.012),
)
CANDIDATES = 4  # drawn for each disc that is kept
HAIRS, BROW_HAIRS, LASHES = 2_600, 210, 60  # the last two a side
OVERLAP = 0.72  # of a disc's standard deviation to the distance of its neighbours


@dataclass(frozen=True)
class Cloud:
    """Gaussians before they are anchored, in the head's space; triangles are the head's."""

    triangle: Ints  # [n]
    point: Floats  # [n, 3] m
    axes: Floats  # [n, 3, 3] rotation, axes in columns
    scale: Floats  # [n, 3] m
    colour: Floats  # [n, 3] linear RGB, unlit
    opacity: Floats  # [n]


def head_gaussians(head: Head, skin: Piece, seed: int = 0) -> Gaussians:
    """The Gaussians of a head whose meshes and pictures stand. `skin`: its skin, about the head's origin."""
    rng = np.random.default_rng(seed)
    pictures = {name: _linear(data) for name, data in head.images.items() if "_" not in name}
    clouds = [
        _discs(head, part, pictures[part.material], COUNTS[part.material], rng)
        for part in head.card.parts
        if part.material in COUNTS
    ]
    clouds.append(_discs(head, head.parts["skin"], pictures["skin"], UNDER, rng, under=True))
    surface = Surface(skin)
    nowhere = np.zeros(3)
    hair = hair_strands(surface, nowhere, HAIRS, rows=5, seed=11, width_m=0.00050)
    brows = brow_strands(surface, nowhere, BROW_HAIRS, rows=3, seed=12, width_m=0.00022)
    clouds += [_along(surface, hair, np.array([0.040, 0.024, 0.015]), 0.9)]
    clouds += [_along(surface, brows, np.array([0.030, 0.019, 0.012]), 0.5)]
    clouds += [_lashes(head, part, rng) for part in head.card.parts if part.material == "lashes"]
    return anchored(head, _joined(clouds))


def anchored(head: Head, cloud: Cloud) -> Gaussians:
    """The cloud in the frames and sizes of its triangles: what kernels.decode carries back.

    By triangle: the decoder then reads its frames in order.
    """
    cloud = _rows(cloud, np.argsort(cloud.triangle, kind="stable"))
    corners = head.neutral[head.triangles[cloud.triangle]].astype(np.float64)
    edge, other = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    normal = np.cross(edge, other)
    length, area = np.linalg.norm(edge, axis=1), np.linalg.norm(normal, axis=1)
    first, second = edge / length[:, None], normal / area[:, None]
    frame = np.stack([first, second, np.cross(first, second)], axis=2)
    size = 0.5 * (length + area / length)
    local = np.einsum("gba,gb->ga", frame, cloud.point - corners.mean(axis=1)) / size[:, None]
    turn = np.einsum("gba,gbc->gac", frame, cloud.axes)
    return Gaussians(
        triangle=cloud.triangle.astype(np.int32),
        mean=local.astype(np.float32),
        rotation=quaternion(turn).astype(np.float32),
        scale=(cloud.scale / size[:, None]).astype(np.float32),
        colour=np.clip(cloud.colour, 0, 1).astype(np.float32),
        opacity=cloud.opacity.astype(np.float32),
    )


def _discs(
    head: Head, part: Part, picture: Floats, count: int, rng: np.random.Generator, under: bool = False
) -> Cloud:
    """Discs on a part; `under`: a coarse layer beneath, so that what shines between the discs is skin."""
    triangles = head.triangles[slice(*part.triangles)]
    corners = head.neutral[triangles].astype(np.float64)
    centre = corners.mean(axis=1)
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = 0.5 * np.linalg.norm(cross, axis=1)
    density = np.ones(len(centre))
    if under:
        density = np.where(_near_edges(centre).max(axis=0) < 0.2, density, 0.0)
    elif part.name == "skin":
        face = np.exp(-(((centre - [0, 0.0, 0.1]) / [0.075, 0.095, 0.075]) ** 2).sum(axis=1))
        density += (FACE_DENSITY - 1) * face
        density *= (1 + 2.2 * _near_edges(centre)).prod(axis=0)
    elif part.material == "eye":
        seen = np.linalg.norm(head.uv[triangles].mean(axis=1) - 0.5, axis=1)
        density = np.where(seen < 0.22, 9.0, np.where(seen < 0.36, 2.5, 0.15))
    chance = area * density
    which = rng.choice(len(chance), CANDIDATES * count, p=chance / chance.sum())
    u, v = np.sqrt(rng.uniform(size=len(which))), rng.uniform(size=len(which))
    weights = np.column_stack([1 - u, u * (1 - v), u * v])
    spacing = np.sqrt(chance.sum() / count / density[which])
    kept = _apart(np.einsum("nc,ncd->nd", weights, corners[which]), 0.78 * spacing)
    which, weights, radius = which[kept], weights[kept], OVERLAP * spacing[kept]
    vertex = triangles[which]
    point = np.einsum("nc,ncd->nd", weights, corners[which])
    normal = np.einsum("nc,ncd->nd", weights, head.normals[vertex])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    colour = _sample(picture, np.einsum("nc,ncd->nd", weights, head.uv[vertex]))
    return Cloud(
        triangle=part.triangles[0] + which,
        point=point - (0.7 if under else 0.3) * radius[:, None] * normal,
        axes=_facing(normal),
        scale=np.column_stack([radius, 0.15 * radius, radius]),
        colour=colour,
        opacity=np.full(len(which), 0.96),
    )


def _near_edges(centre: Floats) -> Floats:
    """How near points [n, 3] are to each of EDGES, both sides: [edges, n] 0..1."""
    both = np.column_stack([np.abs(centre[:, 0]), centre[:, 1:]])
    return np.stack([np.exp(-(((both - row[:3]) / row[3]) ** 2).sum(axis=1)) for row in np.array(EDGES)])


def _apart(points: Floats, distance: Floats) -> Ints:
    """Which of points [n, 3] to keep, in order, so that no two lie nearer than the first's distance [n]."""
    alive = np.ones(len(points), bool)
    for i, near in enumerate(cKDTree(points).query_ball_point(points, distance)):
        if alive[i]:
            alive[near] = False
            alive[i] = True
    return np.flatnonzero(alive)


def _along(surface: Surface, strands: Strands, colour: Floats, opacity: float) -> Cloud:
    """A Gaussian for each step of each strand, its first axis along the hair."""
    start, end = strands.points[:, :-1], strands.points[:, 1:]
    n, steps = start.shape[:2]
    middle, step = (0.5 * (start + end)).reshape(-1, 3), (end - start).reshape(-1, 3)
    length = np.maximum(np.linalg.norm(step, axis=1), 1e-6)
    along = step / length[:, None]
    up = strands.normals[:, :-1].reshape(-1, 3)
    across = np.cross(along, up)
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
    place: Place = surface.nearest(np.repeat(strands.points[:, 0], steps, axis=0))
    width = np.repeat(strands.width, steps)
    tone = np.repeat(0.6 + 0.8 * strands.shade, steps)
    lifted = np.tile(np.linspace(0.75, 1.25, steps), n)
    return Cloud(
        triangle=place.triangle,
        point=middle,
        axes=np.stack([along, np.cross(across, along), across], axis=2),
        scale=np.column_stack([0.55 * length, width, width]),
        colour=colour * (tone * lifted)[:, None],
        opacity=np.full(len(middle), opacity),
    )


def _lashes(head: Head, part: Part, rng: np.random.Generator) -> Cloud:
    """Hairs across the strip of the lashes, from v = 0 (the lid) to v = 1."""
    triangles = head.triangles[slice(*part.triangles)]
    uv, corners = head.uv[triangles].astype(np.float64), head.neutral[triangles].astype(np.float64)
    # How a place on the strip moves with v: the direction that a lash grows in.
    e1, e2 = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    flat = e1[:, 0] * e2[:, 1] - e1[:, 1] * e2[:, 0]
    good = np.flatnonzero(np.abs(flat) > 1e-7)
    grow = (
        -e2[:, :1] * (corners[:, 1] - corners[:, 0]) + e1[:, :1] * (corners[:, 2] - corners[:, 0])
    ) / np.where(np.abs(flat) > 1e-7, flat, 1)[:, None]
    which = rng.choice(good, 4 * LASHES, p=np.abs(flat[good]) / np.abs(flat[good]).sum())
    u, v = np.sqrt(rng.uniform(size=len(which))), rng.uniform(size=len(which))
    weights = np.column_stack([1 - u, u * (1 - v), u * v])
    lower = uv[which].mean(axis=1)[:, 0] > 0.5
    along = grow[which] / np.maximum(np.linalg.norm(grow[which], axis=1, keepdims=True), 1e-9)
    height = np.einsum("nc,nc->n", weights, uv[which][..., 1])
    return Cloud(
        triangle=part.triangles[0] + which,
        point=np.einsum("nc,ncd->nd", weights, corners[which]),
        axes=_facing(along)[:, :, [1, 0, 2]] * [1, -1, 1],
        scale=np.column_stack([np.full(len(which), 0.0008), *[np.full(len(which), 0.00011)] * 2]),
        colour=np.full((len(which), 3), 0.008),
        opacity=np.where(lower, 0.35, 0.85) * (1.0 - 0.45 * height),
    )


def _facing(normal: Floats) -> Floats:
    """Rotations whose second axis is the normal: [n, 3, 3]."""
    helper = np.where(np.abs(normal[:, 1:2]) < 0.9, [[0.0, 1.0, 0.0]], [[1.0, 0.0, 0.0]])
    first = np.cross(helper, normal)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    return np.stack([first, normal, np.cross(first, normal)], axis=2)


def _linear(data: bytes) -> Floats:
    return (np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) / 255.0) ** 2.2


def _sample(picture: Floats, uv: Floats) -> Floats:
    rows, columns = picture.shape[:2]
    at = np.clip((uv * [columns, rows]).astype(int), 0, [columns - 1, rows - 1])
    return np.asarray(picture[at[:, 1], at[:, 0]])


def _rows(cloud: Cloud, order: Ints) -> Cloud:
    return Cloud(*(getattr(cloud, item.name)[order] for item in fields(cloud)))


def _joined(clouds: list[Cloud]) -> Cloud:
    return Cloud(*(np.concatenate([getattr(c, item.name) for c in clouds]) for item in fields(Cloud)))
