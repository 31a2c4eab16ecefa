"""The head as Gaussians: discs on its surfaces, and long thin ones along every hair."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from rtgraph.models.avatar.head import HAIR_RATIO, Gaussians, Head, Part

from .anny_data import Floats, Ints
from .cloud import Cloud, anchored, facing, joined
from .discs import COUNTS, part_discs
from .hair_pieces import brow_strands
from .hair_strands import Strands, hair_strands
from .piece import Piece
from .surface import Place, Surface

HAIRS, FINE_HAIRS, BROW_HAIRS = 2_500, 650, 280  # brow hairs a side
TIP = 0.45  # of a hair's width
STEP_SHARE = 0.55  # of a Gaussian's standard deviation to the step of the hair that it stands for
LASHES = ((0.0, 62, 0.9), (0.5, 34, 0.7))  # upper and lower: first u of the strip, how many, their height


def head_gaussians(head: Head, skin: Piece, seed: int = 0) -> Gaussians:
    """The Gaussians of a head whose meshes and pictures stand. `skin`: its skin, about the head's origin."""
    rng = np.random.default_rng(seed)
    pictures = {name: _numbers(name, data) for name, data in head.images.items()}
    clouds = [
        disc
        for part in head.card.parts
        if part.material in COUNTS
        for disc in part_discs(head, part, pictures, rng)
    ]
    surface = Surface(skin)
    nowhere = np.zeros(3)
    hair = hair_strands(surface, nowhere, HAIRS, rows=5, seed=11, width_m=0.00052)
    fine = hair_strands(surface, nowhere, FINE_HAIRS, rows=3, seed=13, width_m=0.00016, fine=True)
    brows = brow_strands(surface, nowhere, BROW_HAIRS, rows=3, seed=12, width_m=0.00015)
    clouds += [_along(surface, hair, np.array([0.040, 0.024, 0.015]), 0.9)]
    clouds += [_along(surface, fine, np.array([0.040, 0.024, 0.015]), 0.6)]
    clouds += [_along(surface, brows, np.array([0.042, 0.027, 0.018]), 0.62)]
    clouds += [_lashes(head, part, rng) for part in head.card.parts if part.material == "lashes"]
    return anchored(head, joined(clouds))


def _along(surface: Surface, strands: Strands, colour: Floats, opacity: float) -> Cloud:
    """A Gaussian for each step of each strand, its first axis along the hair, thinner to the tip."""
    start, end = strands.points[:, :-1], strands.points[:, 1:]
    n, steps = start.shape[:2]
    middle, step = (0.5 * (start + end)).reshape(-1, 3), (end - start).reshape(-1, 3)
    length = np.maximum(np.linalg.norm(step, axis=1), 1e-6)
    along = step / length[:, None]
    up = strands.normals[:, :-1].reshape(-1, 3)
    across = np.cross(along, up)
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
    place: Place = surface.nearest(np.repeat(strands.points[:, 0], steps, axis=0))
    width = (strands.width[:, None] * np.linspace(1.0, TIP, steps)).ravel()
    width = np.minimum(width, 0.95 * STEP_SHARE / HAIR_RATIO * length)  # a short hair is a hair as well
    tone = np.repeat(0.6 + 0.8 * strands.shade, steps)
    lifted = np.tile(np.linspace(0.75, 1.25, steps), n)
    return Cloud(
        triangle=place.triangle,
        point=middle,
        axes=np.stack([along, np.cross(across, along), across], axis=2),
        scale=np.column_stack([STEP_SHARE * length, 0.8 * width, width]),
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
        axes=facing((end - start) / length[:, None])[:, :, [1, 0, 2]] * [1, -1, 1],
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


def _numbers(name: str, data: bytes) -> Floats:
    """A picture [H, W, 3], 0..1: colours linear, others (whose names have a suffix) as they are."""
    values = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) / 255.0
    return np.asarray(values if "_" in name else values**2.2)
