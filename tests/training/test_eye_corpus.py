"""Rendered eyes: repeatable, resumable, and what the labels say is what the picture shows."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest

from rtgraph.training.eye_corpus import generate as generation
from rtgraph.training.eye_corpus import shards
from rtgraph.training.eye_corpus.dynamics import sequence
from rtgraph.training.eye_corpus.generate import generate
from rtgraph.training.eye_corpus.look import GAZE_LIMIT, Look, random_look
from rtgraph.training.eye_corpus.picture import pupil_seen, render
from rtgraph.training.eye_corpus.points import PLACES, POINTS, VISIBLE, points
from rtgraph.training.eye_corpus.rig import random_rig
from rtgraph.training.eye_corpus.shards import EyeCorpusError
from rtgraph.training.eye_corpus.sitting import Sitting, begin


def plain_sitting(number: int = 6) -> Sitting:
    """A clear view: dark pupil, no glasses, little noise, a camera straight before the eye."""
    sitting = begin(990_003, number)
    rig = replace(
        sitting.rig, bright_pupil=0.0, noise=0.002, reflections=np.zeros((0, 6), np.float32), frame_y=0.0
    )
    return replace(sitting, rig=rig)


def darkest(image: np.ndarray) -> tuple[float, float]:
    """Column and row of the middle of the darkest 2 % of the picture's middle."""
    middle = image[24:104, 16:112].astype(float)
    rows, columns = np.nonzero(middle <= np.percentile(middle, 2))
    return float(columns.mean()), float(rows.mean())


def shot(sitting: Sitting, look: Look) -> np.ndarray:
    return render(sitting.wearer, sitting.rig, look, np.random.default_rng(0))


def test_the_pupil_goes_where_the_eye_looks():
    sitting = plain_sitting()
    ahead, left = (darkest(shot(sitting, Look(yaw=yaw, pupil_mm=6))) for yaw in (0.0, 0.35))
    up, down = (darkest(shot(sitting, Look(pitch=pitch, pupil_mm=6))) for pitch in (-0.2, 0.2))
    assert left[0] > ahead[0] + 6  # the person's left is the picture's right
    assert down[1] > up[1] + 4  # rows count downwards


def test_lid_wide_squint_and_pupil_change_the_picture():
    sitting = plain_sitting()
    open_eye = shot(sitting, Look(pupil_mm=3)).astype(float)
    for look in (
        Look(lid=0.0),
        Look(lid=0.6, pupil_mm=3),
        Look(wide=1, pupil_mm=3),
        Look(squint=1, pupil_mm=3),
    ):
        assert np.abs(shot(sitting, look) - open_eye).mean() > 1.0, look
    dark = [(shot(sitting, Look(pupil_mm=mm))[40:90, 30:100] < 40).sum() for mm in (2.5, 5, 7.5)]
    assert dark[0] < dark[1] < dark[2]


def test_points_are_where_the_picture_shows_them():
    sitting = plain_sitting()
    for yaw, pitch in ((0.0, 0.0), (0.3, 0.0), (-0.3, 0.1)):
        look = Look(yaw=yaw, pitch=pitch, pupil_mm=5)
        found = dict(zip(POINTS, points(sitting.wearer, sitting.rig, look, np.zeros(3)), strict=True))
        assert list(found)[: 2 * len(PLACES)][::2] == [f"{name}X" for name in PLACES]
        column, row = (63.5 + 64 * found[f"pupil{axis}"] for axis in "XY")
        # What a wider pupil darkens is a ring about the pupil's centre.
        ring = shot(sitting, replace(look, pupil_mm=3)).astype(float) - shot(sitting, look)
        rows, columns = np.nonzero(ring > 15)
        np.testing.assert_allclose((columns.mean(), rows.mean()), (column, row), atol=1.5)
        axis = np.array([found["axisRight"], found["axisUp"], found["axisTowards"]])
        np.testing.assert_allclose(np.linalg.norm(axis), 1, atol=1e-5)
        assert found["nasalCornerX"] < found["temporalCornerX"]
        assert found["upperLidY"] < found["lowerLidY"]  # rows count downwards
    still, moved = (points(sitting.wearer, sitting.rig, Look(), np.array([dx, 0, 0])) for dx in (0.0, 1.0))
    px = 64 * (moved - still)[: 2 * len(PLACES) : 2]
    np.testing.assert_allclose(px, np.exp(still[POINTS.index("logMmPx")]), rtol=0.4)  # all of them slip


def test_a_closed_eye_shows_no_pupil():
    sitting = plain_sitting()
    assert pupil_seen(sitting.wearer, sitting.rig, Look(lid=1.0, pupil_mm=3)) == 1.0
    assert pupil_seen(sitting.wearer, sitting.rig, Look(lid=0.0, pupil_mm=3)) == 0.0
    for lid, share in ((1.0, 1.0), (0.0, 0.0)):
        look = Look(lid=lid, pupil_mm=3)
        assert points(sitting.wearer, sitting.rig, look, np.zeros(3))[VISIBLE] == share
    closed = [shot(sitting, Look(yaw=yaw, lid=0.0)) for yaw in (-0.4, 0.4)]
    assert np.abs(closed[0].astype(float) - closed[1]).max() <= 1


def test_looks_fill_the_round_that_an_eye_reaches():
    rng = np.random.default_rng(0)
    looks = [random_look(rng) for _ in range(2000)]
    turned = np.hypot([look.yaw for look in looks], [look.pitch for look in looks])
    assert turned.max() <= GAZE_LIMIT
    assert (turned < GAZE_LIMIT / 2).mean() == pytest.approx(0.25, abs=0.03)


def test_lights_stand_beside_the_lens_and_make_a_pupil_bright_where_they_are_near_it():
    brightest = []
    for number in range(300):
        rig = random_rig(np.random.default_rng(number))
        assert np.linalg.norm(np.cross(rig.lights - rig.camera, rig.axes[2]), axis=1).min() > 3.99
        sine = np.linalg.norm(np.cross(rig.lights, rig.camera), axis=1) / (
            np.linalg.norm(rig.lights, axis=1) * np.linalg.norm(rig.camera)
        )
        assert rig.bright_pupil < 0.01 or np.rad2deg(np.arcsin(sine)).min() < 8, number
        brightest.append(rig.bright_pupil)
    assert 0.05 < max(brightest) < 0.5


def test_random_people_render_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for number in range(25):
            images, labels, _ = begin(3, number).random_labelled(2)
            assert images.shape == (2, 128, 128)
            assert np.abs(labels[:, :2]).max() <= GAZE_LIMIT
            assert images.std() > 2


def test_the_camera_sees_what_it_projects():
    rig = begin(3, 0).rig
    pixel = 70 * 128 + 31
    point = rig.camera + 40 * rig.rays[:, pixel]
    np.testing.assert_allclose(rig.project(point[None])[0], [31, 70], atol=1e-2)


def test_a_corpus_is_repeatable_and_resumes(tmp_path, monkeypatch):
    monkeypatch.setattr(generation, "SITTINGS", 2)
    told: list[int] = []
    generate(tmp_path / "a", images=8, seed=5, report=told.append, pictures=2)
    assert told == [4, 8]
    generate(tmp_path / "b", images=4, seed=5, pictures=2)
    (tmp_path / "b" / "eyes-00001.part").write_bytes(b"half")
    generate(tmp_path / "b", images=8, seed=5, pictures=2)
    for a, b in zip(shards.paths(tmp_path / "a"), shards.paths(tmp_path / "b"), strict=True):
        first, second = shards.read(a), shards.read(b)
        np.testing.assert_array_equal(first.images, second.images)
        np.testing.assert_array_equal(first.labels, second.labels)
        np.testing.assert_array_equal(first.points, second.points)
    assert shards.read(shards.path(tmp_path / "a", 1)).sitting.tolist() == [2, 2, 3, 3]
    with pytest.raises(EyeCorpusError, match="seed is 5, expected 6"):
        generate(tmp_path / "a", images=4, seed=6, pictures=2)
    shards.path(tmp_path / "a", 0).write_bytes(b"broken")
    with pytest.raises(EyeCorpusError, match="is no shard of eyes"):
        shards.read(shards.path(tmp_path / "a", 0))
    with pytest.raises(EyeCorpusError, match="make them: python -m"):
        shards.paths(tmp_path)


def test_eyes_move_as_eyes_do():
    looks = sequence(60, 120, np.random.default_rng(2), blinks_per_minute=18)
    lid = np.array([look.lid for look in looks])
    gaze = np.rad2deg([(look.yaw, look.pitch) for look in looks])
    closings = int(((lid[1:] < 0.5) & (lid[:-1] >= 0.5)).sum())
    assert 8 <= closings <= 30
    shut_s = (lid < 0.5).sum() / 120 / closings
    assert 0.07 < shut_s < 0.18
    speed = np.hypot(*np.diff(gaze, axis=0).T) * 120
    assert np.median(speed) < 30  # fixations most of the time
    assert 150 < speed.max() < 1000  # saccades in between
    assert np.abs(gaze).max() < 37
