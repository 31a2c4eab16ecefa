"""Lids and eyes, lips and teeth do not come through each other, alone and together, on several people."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from avatar_sight import posed, seen
from scipy.ndimage import label

from rtgraph.models.avatar import Head, load_head
from rtgraph.models.avatar.identity import preset
from rtgraph.models.expression import INDEX, both

PEOPLE = ("", "amara", "viktor", "mei")
MOUTH = {"teeth_upper", "teeth_lower", "gums_upper", "gums_lower", "tongue"}
LIDS = ("eyeBlink", "eyeSquint", "eyeWide", "cheekSquint", "browDown", "browOuterUp")
GAZES = ({"leftEyePitch": 0.5}, {"leftEyePitch": -0.5}, {"leftEyeYaw": 0.6}, {"leftEyeYaw": -0.6})
#: With these alone the lips touch; a slit of a millimetre at the corners is within what lips do.
CLOSED = ("mouthSmile", "mouthFrown", "mouthPress", "mouthRollLower", "mouthRollUpper", "mouthShrugLower",
          "mouthDimple", "mouthLeft", "mouthRight", "cheekPuff", "jawForward")  # fmt: skip
SLIT = 0.01  # of the rays about the mouth
#: Open ones, each with what is most likely to cross it.
OPEN = ("mouthSmile", "mouthPucker", "mouthFunnel", "mouthPress", "mouthStretch", "mouthLeft", "mouthUpperUp",
        "mouthLowerDown", "mouthRollLower", "jawLeft")  # fmt: skip


def pose(*names: str, weight: float = 1.0) -> dict[str, float]:
    return {full: weight for name in names for full in both(name)}


@pytest.fixture(scope="module", params=PEOPLE, ids=lambda name: name or "default")
def person(request) -> Head:
    head = load_head("default")
    return head.with_identity(preset(request.param)) if request.param else head


def eye_rays_apart(head: Head, **values: float) -> int:
    """How many of 1600 rays about the left eye meet it where it is not one with the rest that is seen of it."""
    middle = head.joint_pivot[2, :2] if not values.get("headYaw") else posed(head, **values)[
        slice(*head.parts["eye_left"].vertices), :2
    ].mean(axis=0)  # fmt: skip
    names = np.array(seen(head, posed(head, **values), tuple(middle), 0.05)).reshape(40, 40)
    parts, count = label(names == "eye_left", np.ones((3, 3)))
    sizes = np.bincount(parts.ravel())[1:] if count else np.zeros(1, int)
    return int(sizes.sum() - sizes.max())


def test_no_eye_comes_through_its_lids(person: Head) -> None:
    poses = [pose("eyeSquint", "cheekSquint"), *(gaze | pose("eyeSquint") for gaze in GAZES)]
    for values in poses:
        # The slit of half closed lids may be in two where lashes' roots meet.
        assert eye_rays_apart(person, **values) <= 3, values


def test_no_eye_comes_through_its_lids_whatever_comes_together() -> None:
    head = load_head("default")
    for a, b in combinations(LIDS, 2):
        assert eye_rays_apart(head, **pose(a, b)) <= 3, (a, b)
    for gaze in GAZES:
        for a in LIDS:
            assert eye_rays_apart(head, **gaze, **pose(a)) <= 3, (gaze, a)
    for yaw in (-0.6, 0.6):
        assert eye_rays_apart(head, headYaw=yaw, **pose("eyeSquint")) <= 3, yaw


def mouth_rays(head: Head, **values: float) -> tuple[float, float]:
    """The share of rays about the mouth that meet what is in it, and the share that do so beyond the lips."""
    vertices = posed(head, **values)
    lips = np.linalg.norm(head.shapes[INDEX["mouthFunnel"]], axis=1) > 0.004
    lips[head.parts["skin"].vertices[1] :] = False
    low, high = vertices[lips, :2].min(axis=0), vertices[lips, :2].max(axis=0)
    middle, size, steps = 0.5 * (low + high), 0.12, 60
    names = np.array(seen(head, vertices, tuple(middle), size, steps)).reshape(steps, steps)
    inside = np.isin(names, list(MOUTH))
    place = middle[:, None] + size * ((np.arange(steps) + 0.5) / steps - 0.5)
    beyond = (place[1] < low[1]) | (place[1] > high[1])
    aside = (place[0] < low[0]) | (place[0] > high[0])
    return float(inside.mean()), float((inside & (beyond[:, None] | aside[None])).mean())


def test_closed_lips_stay_closed(person: Head) -> None:
    for name in CLOSED:
        assert mouth_rays(person, **pose(name))[0] <= SLIT, name
    assert mouth_rays(person, **pose("jawOpen"))[0] > 2 * SLIT  # the measure sees an open mouth


def test_teeth_and_tongue_stay_behind_the_lips(person: Head) -> None:
    for name in OPEN:
        assert mouth_rays(person, jawOpen=0.8, **pose(name))[1] == 0, name


def test_teeth_stay_behind_the_lips_from_the_side() -> None:
    head = load_head("default")
    for yaw in (-0.6, 0.6):
        for name in ("jawOpen", "mouthPucker", "mouthPress"):
            assert mouth_rays(head, headYaw=yaw, **pose(name))[1] == 0, (yaw, name)
