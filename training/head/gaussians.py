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
from .skin_texture import below_collar
from .surface import Place, Surface

COUNTS = {"skin": 18_500, "eye": 1_600, "teeth": 700, "mouth": 350}  # of each part
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
HAIRS, BROW_HAIRS = 2_600, 230  # brow hairs a side
LASHES = ((0.0, 62, 0.9), (0.5, 34, 0.7))  # upper and lower: first u of the strip, how many, their height
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
    brows = brow_strands(surface, nowhere, BROW_HAIRS, rows=3, seed=12, width_m=0.00021)
    clouds += [_along(surface, hair, np.array([0.040, 0.024, 0.015]), 0.9)]
    clouds += [_along(surface, brows, np.array([0.034, 0.022, 0.014]), 0.62)]
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
        clear = (_near_edges(centre).max(axis=0) < 0.2) & (_near_collar(centre) < 0.2)
        density = np.where(clear, density, 0.0)
    elif part.name == "skin":
        face = np.exp(-(((centre - [0, 0.0, 0.1]) / [0.075, 0.095, 0.075]) ** 2).sum(axis=1))
        density += (FACE_DENSITY - 1) * face
        density *= (1 + 2.2 * _near_edges(centre)).prod(axis=0) * (1 + 9 * _near_collar(centre))
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


def _near_collar(centre: Floats) -> Floats:
    """How near points [n, 3] are to the edge of the shirt: [n] 0..1."""
    return np.asarray(np.exp(-((below_collar(centre) / 0.007) ** 2)))


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
        scale=np.column_stack([0.55 * length, 0.8 * width, width]),
        colour=colour * (tone * lifted)[:, None],
        opacity=np.full(len(middle), opacity),
    )


def _lashes(head: Head, part: Part, rng: np.random.Generator) -> Cloud:
    """Hairs across the strips of the lashes, from v = 0 (the lid) outwards, fanned and ever thinner."""
    triangles = head.triangles[slice(*part.triangles)]
    uv, corners = head.uv[triangles].astype(np.float64), head.neutral[triangles].astype(np.float64)
    steps = np.linspace(0, 1, 4)
    lines, upper = [], []
    for first, count, tall in LASHES:
        along = 0.06 + 0.88 * (np.arange(count) + rng.uniform(0.25, 0.75, count)) / count
        root, tip = _strip_edges(uv, first + 0.5 * along)
        height = tall * rng.uniform(0.75, 1.0, count) * (tip - root)
        fan = 0.04 * (along - 0.45) + rng.normal(0, 0.004, count)
        u = first + np.clip(0.5 * along[:, None] + fan[:, None] * steps**1.5, 0.002, 0.498)
        lines.append(np.stack([u, root[:, None] + height[:, None] * steps], axis=-1))
        upper.append(np.full(count, first == 0.0))
    places = np.concatenate(lines)  # [n, rows, 2]
    which, weights, _ = _on_strip(uv, places.reshape(-1, 2))
    points = np.einsum("nc,ncd->nd", weights, corners[which]).reshape(*places.shape[:2], 3)
    start, end = points[:, :-1].reshape(-1, 3), points[:, 1:].reshape(-1, 3)
    triangle = part.triangles[0] + which.reshape(points.shape[:2])[:, :-1].ravel()
    above = np.repeat(np.concatenate(upper), len(steps) - 1)
    width = np.where(above, 1.1e-4, 7.0e-5) * np.tile([1.0, 0.85, 0.6], len(points))
    length = np.linalg.norm(end - start, axis=1)
    there = (length > 1e-4) & (length < 0.004)  # not where the strip has ended
    start, end, triangle, above, width, length = (
        values[there] for values in (start, end, triangle, above, width, length)
    )
    return Cloud(
        triangle=triangle,
        point=0.5 * (start + end),
        axes=_facing((end - start) / length[:, None])[:, :, [1, 0, 2]] * [1, -1, 1],
        scale=np.column_stack([0.5 * length, 0.8 * width, width]),
        colour=np.full((len(start), 3), 0.008),
        opacity=np.where(above, 0.85, 0.5),
    )


def _strip_edges(uv: Floats, u: Floats) -> tuple[Floats, Floats]:
    """The least and the greatest v of the strip uv [T, 3, 2] at each u [n]."""
    v = np.linspace(0, 1, 60)
    places = np.stack(np.meshgrid(u, v, indexing="ij"), axis=-1).reshape(-1, 2)
    on = (_on_strip(uv, places)[2] < 0.02).reshape(len(u), len(v))
    return v[on.argmax(axis=1)], v[len(v) - 1 - on[:, ::-1].argmax(axis=1)] * on.any(axis=1)


def _on_strip(uv: Floats, places: Floats) -> tuple[Ints, Floats, Floats]:
    """The triangle of uv [T, 3, 2] that each place [n, 2] lies in, barycentric weights [n, 3], and how far
    outside of all triangles it is: the share [n] of the nearest."""
    edge, other = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    area = edge[:, 0] * other[:, 1] - edge[:, 1] * other[:, 0]
    good = np.flatnonzero(np.abs(area) > 1e-7)
    edge, other, area = edge[good], other[good], area[good]
    to = places[:, None] - uv[good, 0]
    second = (to[..., 0] * other[:, 1] - to[..., 1] * other[:, 0]) / area
    third = (edge[:, 0] * to[..., 1] - edge[:, 1] * to[..., 0]) / area
    weights = np.stack([1 - second - third, second, third], axis=-1)  # [n, T, 3]
    best = weights.min(axis=-1).argmax(axis=1)
    taken = weights[np.arange(len(places)), best]
    inside = np.clip(taken, 0, 1)
    return good[best], inside / inside.sum(axis=1, keepdims=True), np.maximum(-taken.min(axis=1), 0)


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
