"""The default head: its parts, its shapes, its correctives, its file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from avatar_sight import posed, seen
from safetensors.numpy import load_file, save_file

from rtgraph.errors import AssetError
from rtgraph.kernels.decode import reference
from rtgraph.models.avatar import Head, head_names, load_head, rig_inputs, save_head
from rtgraph.models.expression import ARKIT, INDEX


@pytest.fixture(scope="module")
def head() -> Head:
    return load_head("default")


def test_parts_share_the_mesh_out(head: Head) -> None:
    assert {"skin", "eye_left", "eye_right", "teeth_upper", "teeth_lower", "tongue", "hair", "brows"} <= set(
        head.parts
    )
    for runs, count in (("vertices", len(head.neutral)), ("triangles", len(head.triangles))):
        edges = [getattr(part, runs) for part in head.card.parts]
        assert [a for a, _ in edges] == [0, *(b for _, b in edges[:-1])]
        assert edges[-1][1] == count
    for part in head.card.parts:
        own = head.triangles[slice(*part.triangles)]
        assert own.min() >= part.vertices[0]
        assert own.max() < part.vertices[1]


def test_size_and_place_are_those_of_a_head(head: Head) -> None:
    skin = head.neutral[slice(*head.parts["skin"].vertices)]
    eyes = head.joint_pivot[2:]
    assert eyes[0, 0] > 0 > eyes[1, 0], "left is the person's left, +X"
    assert 0.055 < eyes[0, 0] - eyes[1, 0] < 0.07
    assert 0.18 < skin[:, 1].max() - (eyes[0, 1] - 0.11) < 0.26, "chin to crown"
    front = skin[skin[:, 1] > -0.08]
    nose = front[front[:, 2].argmax()]
    assert abs(nose[0]) < 0.003
    assert nose[2] > eyes[0, 2] + 0.02, "the face looks along +Z"


def test_every_shape_moves_something_by_millimetres(head: Head) -> None:
    assert head.shapes.shape == (52, len(head.neutral), 3)
    largest = np.linalg.norm(head.shapes, axis=2).max(axis=1)
    for name, move in zip(ARKIT, largest, strict=True):
        assert 0.001 < move < 0.06, name


def test_left_shapes_move_the_left_side(head: Head) -> None:
    for name in ("eyeBlink", "mouthSmile", "browDown", "cheekSquint"):
        move = np.linalg.norm(head.shapes[INDEX[f"{name}Left"]], axis=1)
        assert (move * head.neutral[:, 0]).sum() > 0
        move = np.linalg.norm(head.shapes[INDEX[f"{name}Right"]], axis=1)
        assert (move * head.neutral[:, 0]).sum() < 0


def test_normals_point_outwards_and_do_not_split_at_seams(head: Head) -> None:
    ball = slice(*head.parts["eye_left"].vertices)
    away = head.neutral[ball] - head.joint_pivot[2]
    assert (np.einsum("vc,vc->v", away, head.normals[ball]) > 0).all()
    seams = np.flatnonzero(head.weld != np.arange(len(head.weld)))
    assert len(seams) > 50
    np.testing.assert_array_equal(head.normals[seams], head.normals[head.weld[seams]])
    np.testing.assert_allclose(head.neutral[seams], head.neutral[head.weld[seams]], atol=1e-7)


@pytest.mark.parametrize(
    "gaze", [{}, {"leftEyePitch": 0.5}, {"leftEyePitch": -0.4}, {"leftEyeYaw": 0.5}, {"eyeWideLeft": 1}]
)
def test_lids_meet_on_a_blink_wherever_the_eye_looks(head: Head, gaze: dict[str, float]) -> None:
    middle = tuple(head.joint_pivot[2, :2])
    wide_open = seen(head, posed(head, **gaze), middle, 0.034).count("eye_left")
    half = seen(head, posed(head, eyeBlinkLeft=0.5, **gaze), middle, 0.034).count("eye_left")
    closed = seen(head, posed(head, eyeBlinkLeft=1, **gaze), middle, 0.034).count("eye_left")
    assert wide_open > 100
    assert 0.15 * wide_open < half < 0.75 * wide_open
    assert closed == 0


@pytest.mark.parametrize("jaw", [0.0, 0.3, 0.7, 1.0])
def test_lips_seal_when_the_mouth_closes_over_an_open_jaw(head: Head, jaw: float) -> None:
    middle, inside = (0.0, -0.04), {"teeth_upper", "teeth_lower", "gums_upper", "gums_lower", "tongue"}

    def shown(**values: float) -> int:
        return sum(name in inside for name in seen(head, posed(head, **values), middle, 0.07, 60))

    assert shown(jawOpen=jaw, mouthClose=1.0) <= 6  # of 3600 rays, 1.4 mm2 each
    if jaw > 0.5:
        assert shown(jawOpen=jaw) > 100


def test_lids_follow_the_gaze(head: Head) -> None:
    moved = np.linalg.norm(head.shapes[INDEX["eyeBlinkLeft"]], axis=1)
    lid = np.argsort(moved)[-20:]
    height = {pitch: posed(head, leftEyePitch=pitch)[lid, 1].mean() for pitch in (-0.4, 0.0, 0.4)}
    assert height[0.4] < height[0.0] - 0.001
    assert height[-0.4] > height[0.0] + 0.0005


def test_gaussians_lie_on_the_head_and_are_enough(head: Head) -> None:
    g = head.gaussians
    assert len(g.triangle) >= 30_000
    decoded = reference.decode(head.rig(), rig_inputs(np.zeros(61), head.card.correctives))
    corners = head.neutral[head.triangles[g.triangle]]
    size = np.linalg.norm(corners.max(axis=1) - corners.min(axis=1), axis=1)
    away = np.linalg.norm(decoded.gaussian_mean - corners.mean(axis=1), axis=1)
    hair = np.isin(g.triangle, np.arange(*head.parts["skin"].triangles)) & (away > size + 0.002)
    assert away[~hair].max() < 0.05
    assert away.max() < 0.09, "hair is attached to its root"
    assert decoded.gaussian_scale.max() < 0.02
    assert np.ptp(g.colour, axis=0).min() > 0.3
    assert 0 < g.opacity.min() <= g.opacity.max() <= 1


def test_a_head_survives_its_file(head: Head, tmp_path: Path) -> None:
    save_head(head, tmp_path / "copy.rthead")
    copy = load_head(tmp_path / "copy.rthead")
    assert copy.card == head.card
    assert copy.images == head.images
    for name in ("neutral", "shape_delta", "identity_basis", "weld"):
        np.testing.assert_array_equal(getattr(copy, name), getattr(head, name))
    np.testing.assert_array_equal(copy.gaussians.rotation, head.gaussians.rotation)


def test_a_broken_file_is_told_of(head: Head, tmp_path: Path) -> None:
    path = tmp_path / "broken.rthead"
    save_head(head, path)
    whole = path.read_bytes()
    for keep in (0, 7, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:keep])
        with pytest.raises(AssetError, match=r"broken\.rthead"):
            load_head(path)
    save_head(replace(head, neutral=np.full_like(head.neutral, np.nan)), path)
    with pytest.raises(AssetError, match="'neutral': expected finite numbers"):
        load_head(path)
    save_head(replace(head, triangles=head.triangles + len(head.neutral)), path)
    with pytest.raises(AssetError, match="'triangles': expected 0 to"):
        load_head(path)
    save_head(replace(head, uv=head.uv[:-1]), path)
    with pytest.raises(AssetError, match="'uv': expected float32"):
        load_head(path)


def test_a_weights_file_is_no_head(tmp_path: Path) -> None:
    save_file({"x": np.zeros(3, np.float32)}, tmp_path / "net.safetensors")
    assert load_file(tmp_path / "net.safetensors")
    with pytest.raises(AssetError, match="not a head's file"):
        load_head(tmp_path / "net.safetensors")


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    assert "default" in head_names()
    with pytest.raises(AssetError, match="did you mean 'default'"):
        load_head("defualt")
