"""Skin made of Gaussians lets nothing through, at rest and where an expression stretches it."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from scipy.spatial import cKDTree

from rtgraph.kernels.decode import DecodeState, decode
from rtgraph.models.avatar import Head, load_head, rig_inputs
from rtgraph.models.avatar.head import HAIR_RATIO
from rtgraph.models.expression import FRAME, INDEX, both

POSES = {
    "neutral": {},
    "smile": {"mouthSmile": 1.0, "cheekSquint": 0.6},
    "ah": {"jawOpen": 0.6, "mouthLowerDown": 0.15, "mouthUpperUp": 0.1},
    "oo": {"mouthPucker": 0.75, "mouthFunnel": 0.35, "jawOpen": 0.12},
    "pucker": {"mouthPucker": 1.0},
    "blink": {"eyeBlink": 1.0},
}
#: Middle and reach, metres from the head's origin.
LIPS, LID, CHEEK = ((0.0, -0.028, 0.100), 0.030), ((0.030, 0.042, 0.093), 0.012), ((0.045, 0.01, 0.08), 0.020)
PLACES = 600
BEFORE_M, ABOUT_M = 0.004, 0.005  # discs that count: not farther in front of the skin, and beside
TIGHT, LEAKS = 0.95, 0.06  # what covers a place well, and the share of places that may be covered less


@pytest.fixture(scope="module")
def head() -> Head:
    return load_head("default")


def covered(head: Head, pose: dict[str, float], middle: tuple[float, ...], reach_m: float) -> np.ndarray:
    """How opaque discs of skin are along the normal, at PLACES of the skin about `middle`: 0..1."""
    frame = np.zeros(len(FRAME), np.float32)
    for name, value in pose.items():
        for full in both(name):
            frame[INDEX[full]] = value
    decoded = decode(DecodeState(head.rig()), rig_inputs(frame, head.card.correctives))
    g, (first, last) = head.gaussians, head.parts["skin"].triangles
    hair = g.scale[:, 0] > HAIR_RATIO * g.scale[:, 1:].max(axis=1)
    discs = np.flatnonzero((g.triangle >= first) & (g.triangle < last) & ~hair)
    means, radii = decoded.gaussian_mean[discs], decoded.gaussian_scale[discs].max(axis=1)
    w, x, y, z = decoded.gaussian_rotation[discs].T
    facing = np.stack([2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)], axis=1)
    points, normals = _places(head, decoded.vertices, decoded.normals, middle, reach_m)
    through = np.ones(len(points))
    for i, near in enumerate(cKDTree(means).query_ball_point(points, ABOUT_M)):
        away = means[near] - points[i]
        ahead = away @ normals[i]
        same = (facing[near] @ normals[i] > 0.3) & (ahead < BEFORE_M)
        beside = (away**2).sum(axis=1) - ahead**2
        alpha = g.opacity[discs[near]] * np.exp(-0.5 * beside / radii[near] ** 2)
        through[i] = np.prod(1 - alpha[same])
    return 1 - through


def _places(
    head: Head, vertices: np.ndarray, normals: np.ndarray, middle: tuple[float, ...], reach_m: float
) -> tuple[np.ndarray, np.ndarray]:
    """Points and unit normals [PLACES, 3] by area on the skin about `middle`, not inside of the mouth."""
    triangles = head.triangles[slice(*head.parts["skin"].triangles)]
    corners = head.neutral[triangles]
    outer = head.normals[triangles].mean(axis=1)[:, 2] > -0.2
    outer &= ~(
        (head.uv[triangles].mean(axis=1) > [0.70, 0.0]) & (head.uv[triangles].mean(axis=1) < [1, 0.3])
    ).all(1)
    about = triangles[(np.linalg.norm(corners.mean(axis=1) - middle, axis=1) < reach_m) & outer]
    a, b, c = (vertices[about[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    rng = np.random.default_rng(0)
    chosen = about[rng.choice(len(about), PLACES, p=area / area.sum())]
    u, v = np.sqrt(rng.uniform(size=PLACES)), rng.uniform(size=PLACES)
    weights = np.column_stack([1 - u, u * (1 - v), u * v])
    normal = np.einsum("nc,ncd->nd", weights, normals[chosen])
    return (
        np.einsum("nc,ncd->nd", weights, vertices[chosen]),
        normal / np.linalg.norm(normal, axis=1, keepdims=True),
    )


@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize("about", [LIPS, LID, CHEEK], ids=["lips", "lid", "cheek"])
def test_nothing_shines_through_the_skin(
    head: Head, pose: str, about: tuple[tuple[float, ...], float]
) -> None:
    cover = covered(head, POSES[pose], *about)
    assert (cover < TIGHT).mean() < LEAKS
    assert np.median(cover) > 0.985


def test_half_of_the_discs_let_light_through(head: Head) -> None:
    g = head.gaussians
    half = replace(g, **{item.name: getattr(g, item.name)[::2] for item in fields(g)})
    assert (covered(replace(head, gaussians=half), {}, *CHEEK) < TIGHT).mean() > 3 * LEAKS
