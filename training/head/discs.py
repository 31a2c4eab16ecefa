"""Surfaces as Gaussians: discs a little apart, and on skin a coarser layer beneath that closes it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from rtgraph.models.avatar.head import Head, Part
from rtgraph.models.expression import ARKIT

from .anny_data import Floats, Ints
from .cloud import Cloud, facing, frames
from .skin_piece import LEFT_SOCKET, MOUTH, RIGHT_SOCKET
from .skin_texture import below_collar

COUNTS = {"skin": 16_400, "eye": 1_400, "teeth": 900, "mouth": 330}  # of each part
UNDER = 3_300  # larger discs beneath the skin
FACE_DENSITY = 5.0  # times that of the shoulders
INSIDE_DENSITY = 0.3  # that of the inside of mouth and sockets, times that of what is about it
MOST_STRETCH = 4.0  # times that an expression enlarges skin, which gets as many more discs
#: Where discs are denser still: x (both sides), y, z, reach, metres: eyes, lips, ears, nostrils.
EDGES = (
    (0.029, 0.038, 0.090, 0.018),
    (0.000, -0.028, 0.100, 0.026),
    (0.080, 0.018, -0.003, 0.030),
    (0.009, -0.003, 0.102, 0.012),
)
LIPS = 1  # of EDGES
CANDIDATES = 10  # drawn for each disc that is kept
APART = 0.80  # of the mean distance: two discs are no nearer
OVERLAP = 0.72  # of a disc's standard deviation to the distance of its neighbours
OPACITY = 0.97
EYE_SUNK_M = 0.0006  # so near to the cornea lies a closed lid that discs of it would cover the lid's
THICKNESS = 0.3  # of a disc to its radius, times its roughness: who draws it tells how it shines from that
ROUGHNESS = {"eye": 0.08, "teeth": 0.2, "mouth": 0.3}  # of what has no picture of it
#: A disc of the layer beneath lies where all skin within so many of its radii faces its way by so much
#: (cosine): at the rims of lips, lids and nostrils it would come out on the other side.
RIM_REACH, RIM_COSINE = 1.3, 0.35


#: The shapes that occur alone: mouthClose only takes back what jawOpen does.
_ALONE = np.array([i for i, name in enumerate(ARKIT) if name != "mouthClose"])


@dataclass(frozen=True)
class Places:
    """Places drawn on a part, denser where discs are to be."""

    triangle: Ints  # [n] of the head
    weights: Floats  # [n, 3] barycentric
    point: Floats  # [n, 3] m
    normal: Floats  # [n, 3] unit
    uv: Floats  # [n, 2]
    spacing: Floats  # [n] m, between discs there, where one disc in CANDIDATES is kept

    def at(self, which: Ints) -> Places:
        """Some of them."""
        return Places(*(getattr(self, name)[which] for name in self.__dataclass_fields__))


def part_discs(head: Head, part: Part, pictures: dict[str, Floats], rng: np.random.Generator) -> list[Cloud]:
    """The discs of a part in the colours of its picture; pictures [H, W, 3] by name, linear."""
    triangles = np.arange(*part.triangles)
    density = _density(head, part, triangles)
    drawn = _drawn(head, triangles, density, COUNTS[part.material], rng)
    clouds = [_discs(head, part, drawn.at(_apart(drawn)), pictures, depth=0.3)]
    if part.material == "skin":
        beneath = _drawn(head, triangles, np.where(_inside(head, triangles), 0.0, density), UNDER, rng)
        beneath = beneath.at(_apart(beneath))
        beneath = beneath.at(np.flatnonzero(_far_from_rims(head, beneath, drawn)))
        clouds.append(_discs(head, part, beneath, pictures, depth=0.7))
    return clouds


def _density(head: Head, part: Part, triangles: Ints) -> Floats:
    """How many discs a part's triangles [t] get, by area and among each other: [t]."""
    centre = head.neutral[head.triangles[triangles]].mean(axis=1).astype(np.float64)
    if part.material == "skin":
        face = np.exp(-(((centre - [0, 0.0, 0.1]) / [0.075, 0.095, 0.075]) ** 2).sum(axis=1))
        density = 1 + (FACE_DENSITY - 1) * face
        density *= (1 + 2.2 * _near_edges(centre)).prod(axis=0) * (1 + 9 * _near_collar(centre))
        # Skin is stretched one way more than the other, discs are not: more are needed than the area tells.
        return (
            density
            * _stretch(head, triangles) ** 1.5
            * np.where(_inside(head, triangles), INSIDE_DENSITY, 1.0)
        )
    if part.material == "eye":
        seen = np.linalg.norm(head.uv[head.triangles[triangles]].mean(axis=1) - 0.5, axis=1)
        return np.where(seen < 0.22, 9.0, np.where(seen < 0.36, 2.5, 0.15))
    if part.material == "teeth":  # those in front are seen, from in front
        ahead = (centre[:, 2] - centre[:, 2].min()) / np.ptp(centre[:, 2])
        return 1 + 3 * ahead**2 * (head.normals[head.triangles[triangles]].mean(axis=1)[:, 2] > 0.1)
    return np.ones(len(triangles))


def _stretch(head: Head, triangles: Ints) -> Floats:
    """How many times larger one of the 52 shapes makes triangles [t] at most: [t], from 1 on."""

    def area(points: Floats) -> Floats:
        a, b, c = (points[head.triangles[triangles, k]].astype(np.float64) for k in range(3))
        return np.asarray(np.linalg.norm(np.cross(b - a, c - a), axis=1))

    most = np.maximum.reduce([area(head.neutral + head.shapes[shape]) for shape in _ALONE])
    return np.clip(most / area(head.neutral), 1.0, MOST_STRETCH)


def _lasting_normals(head: Head, places: Places) -> Floats:
    """Normals [n, 3] between those that fit skin as it rests and under the shape that turns it worst.

    A disc turns with its triangle, smooth skin with all triangles about: where it folds or unfolds, as a lid
    does, discs with the normals of rest would look crumpled.
    """
    triangles, inverse = np.unique(places.triangle, return_inverse=True)
    middle = np.full((len(triangles), 3), 1 / 3)
    found = np.stack([_turned_back(head, triangles, middle, np.full(len(triangles), s)) for s in _ALONE])
    rest = head.normals[head.triangles[triangles]].mean(axis=1)
    worst = _ALONE[np.einsum("std,td->st", found, rest).argmin(axis=0)]
    normal = places.normal + _turned_back(head, places.triangle, places.weights, worst[inverse])
    return np.asarray(normal / np.linalg.norm(normal, axis=1, keepdims=True))


def _turned_back(head: Head, triangle: Ints, weights: Floats, shape: Ints) -> Floats:
    """The smooth normals [n, 3] at places under a shape [n] each, as the triangles lie at rest."""
    vertex = head.triangles[triangle]
    at_rest = head.neutral[vertex].astype(np.float64)
    before, after = frames(at_rest)[0], frames(at_rest + head.shapes[shape[:, None], vertex])[0]
    normal = np.einsum("nc,ncd->nd", weights, head.normals[vertex] + head.shape_turns[shape[:, None], vertex])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    return np.asarray(np.einsum("nab,ncb,nc->na", before, after, normal))


def _inside(head: Head, triangles: Ints) -> np.ndarray:
    """Which triangles [t] of the skin line the mouth and the sockets, by where they lie in its atlas: [t]."""
    uv = head.uv[head.triangles[triangles]].mean(axis=1)
    low, size = np.split(np.array([MOUTH, LEFT_SOCKET, RIGHT_SOCKET]), 2, axis=1)  # [3, 2] each
    at = uv[:, None] - low
    return np.asarray(((at > 0) & (at < size)).all(axis=2).any(axis=1))


def _drawn(head: Head, triangles: Ints, density: Floats, count: int, rng: np.random.Generator) -> Places:
    """CANDIDATES x count places on triangles [t] by density [t] and area."""
    corners = head.neutral[head.triangles[triangles]].astype(np.float64)
    area = 0.5 * np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    chance = area * density
    which = rng.choice(len(chance), CANDIDATES * count, p=chance / chance.sum())
    u, v = np.sqrt(rng.uniform(size=len(which))), rng.uniform(size=len(which))
    weights = np.column_stack([1 - u, u * (1 - v), u * v])
    vertex = head.triangles[triangles[which]]
    normal = np.einsum("nc,ncd->nd", weights, head.normals[vertex])
    return Places(
        triangle=triangles[which],
        weights=weights,
        point=np.einsum("nc,ncd->nd", weights, corners[which]),
        normal=normal / np.linalg.norm(normal, axis=1, keepdims=True),
        uv=np.einsum("nc,ncd->nd", weights, head.uv[vertex]),
        spacing=np.sqrt(chance.sum() / count / density[which]),
    )


def _apart(places: Places) -> Ints:
    """Which places to keep, in order, so that no two lie nearer than APART of the first's spacing."""
    alive = np.ones(len(places.point), bool)
    tree = cKDTree(places.point)
    for i, distance in enumerate(APART * places.spacing):
        if alive[i]:
            alive[tree.query_ball_point(places.point[i], distance)] = False
            alive[i] = True
    return np.flatnonzero(alive)


def _far_from_rims(head: Head, places: Places, surface: Places) -> np.ndarray:
    """Which places [n] have only skin about them that faces their way and lines no mouth or socket."""
    inside = _inside(head, surface.triangle)
    near = cKDTree(surface.point).query_ball_point(places.point, RIM_REACH * OVERLAP * places.spacing)
    return np.array(
        [
            not inside[around].any() and (surface.normal[around] @ normal > RIM_COSINE).all()
            for around, normal in zip(near, places.normal, strict=True)
        ]
    )


def _discs(head: Head, part: Part, places: Places, pictures: dict[str, Floats], depth: float) -> Cloud:
    """A disc at each place, `depth` of its radii beneath the surface."""
    radius = OVERLAP * places.spacing
    if part.material == "skin":  # stretched skin grows more one way than the mean by which its discs grow
        more = np.sqrt(np.minimum(_stretch(head, places.triangle), 2)) - 1
        radius *= 1 + more * (1 - _near_edges(places.point)[LIPS])  # those of the lips would narrow the mouth
    sunk = depth * radius + (EYE_SUNK_M if part.material == "eye" else 0.0)
    rough = np.full(len(radius), ROUGHNESS.get(part.material, 0.5))
    if f"{part.material}_roughness" in pictures:
        rough = _sample(pictures[f"{part.material}_roughness"], places.uv)[:, 1]
    normal = _lasting_normals(head, places) if part.material == "skin" else places.normal
    return Cloud(
        triangle=places.triangle,
        point=places.point - sunk[:, None] * places.normal,
        axes=facing(normal),
        scale=np.column_stack([radius, THICKNESS * rough * radius, radius]),
        colour=_sample(pictures[part.material], places.uv),
        opacity=np.full(len(radius), OPACITY),
    )


def _near_edges(centre: Floats) -> Floats:
    """How near points [n, 3] are to each of EDGES, both sides: [edges, n] 0..1."""
    both = np.column_stack([np.abs(centre[:, 0]), centre[:, 1:]])
    return np.stack([np.exp(-(((both - row[:3]) / row[3]) ** 2).sum(axis=1)) for row in np.array(EDGES)])


def _near_collar(centre: Floats) -> Floats:
    """How near points [n, 3] are to the edge of the shirt: [n] 0..1."""
    return np.asarray(np.exp(-((below_collar(centre) / 0.007) ** 2)))


def _sample(picture: Floats, uv: Floats) -> Floats:
    rows, columns = picture.shape[:2]
    at = np.clip((uv * [columns, rows]).astype(int), 0, [columns - 1, rows - 1])
    return np.asarray(picture[at[:, 1], at[:, 0]])
