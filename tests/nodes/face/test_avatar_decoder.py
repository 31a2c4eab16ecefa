"""face.avatar_decoder against the plain truth, on good frames and bad ones."""

from __future__ import annotations

import numpy as np
import pytest

from rtgraph.errors import RtGraphError
from rtgraph.kernels.decode import reference
from rtgraph.models.avatar import identity_code, load_head, rig_inputs
from rtgraph.models.expression import ARKIT, INDEX
from rtgraph.nodes.face.avatar_decoder import AvatarDecoder
from rtgraph.testing import run_node


def some_frames(count: int, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0, 1, (count, 52)) * (rng.uniform(size=(count, 52)) > 0.6)
    return list(np.concatenate([weights, rng.uniform(-0.6, 0.6, (count, 9))], axis=1).astype(np.float32))


def test_equals_the_reference() -> None:
    head = load_head("default")
    frames = some_frames(6)
    run = run_node(AvatarDecoder, {"frame": frames})
    for frame, vertices, normals, rows in zip(
        frames, *(run.outputs[n] for n in ("vertices", "normals", "gaussians")), strict=True
    ):
        truth = reference.decode(head.rig(), rig_inputs(frame, head.card.correctives))
        np.testing.assert_allclose(vertices, truth.vertices, atol=2e-6)
        assert np.median(np.abs(normals - truth.normals)) < 1e-5
        np.testing.assert_allclose(rows[:, :3], truth.gaussian_mean, atol=5e-6)
        np.testing.assert_allclose(np.linalg.norm(rows[:, 3:7], axis=1), 1, atol=1e-4)
        np.testing.assert_allclose(rows[:, 7:10], truth.gaussian_scale, rtol=1e-3, atol=1e-7)
        np.testing.assert_array_equal(rows[:, 10:13], head.gaussians.colour)
        np.testing.assert_array_equal(rows[:, 13], head.gaussians.opacity)


def test_a_broken_frame_is_replaced_by_the_last_good_one_and_counted() -> None:
    good, worse = some_frames(2)
    worse[INDEX["jawOpen"]] = np.nan
    infinite = good.copy()
    infinite[-1] = np.inf
    run = run_node(AvatarDecoder, {"frame": [worse, good, worse, infinite]}, config={"output": "mesh"})
    first, second, third, fourth = run.outputs["vertices"]
    np.testing.assert_allclose(first, load_head("default").neutral, atol=1e-6)
    np.testing.assert_array_equal(third, second)
    np.testing.assert_array_equal(fourth, second)
    assert run.profile.nodes["node"].counters["replaced_frames"] == 3
    assert all(np.isfinite(v).all() for v in run.outputs["vertices"])


def test_values_out_of_range_are_clamped_and_counted() -> None:
    wild, edge = np.zeros(61, np.float32), np.zeros(61, np.float32)
    wild[INDEX["jawOpen"]], wild[INDEX["mouthPucker"]], wild[INDEX["headYaw"]] = 3.0, -1.0, 40.0
    edge[INDEX["jawOpen"]], edge[INDEX["headYaw"]] = 1.0, 1.2
    run = run_node(AvatarDecoder, {"frame": [wild, edge]}, config={"output": "mesh"})
    np.testing.assert_allclose(run.outputs["vertices"][0], run.outputs["vertices"][1], atol=1e-6)
    assert run.profile.nodes["node"].counters["clamped_values"] == 3


def test_only_what_is_wanted_is_sent() -> None:
    frames = [np.zeros(61, np.float32)]
    mesh = run_node(AvatarDecoder, {"frame": frames}, config={"output": "mesh"})
    assert len(mesh.outputs["vertices"]) == len(mesh.outputs["normals"]) == 1
    assert not mesh.outputs.get("gaussians")
    splats = run_node(AvatarDecoder, {"frame": frames}, config={"output": "gaussians"})
    assert splats.outputs["gaussians"][0].shape[1] == 14
    assert not splats.outputs.get("vertices")


def test_an_identity_is_another_neutral_face() -> None:
    head = load_head("default")
    for config, code in (
        ({"identity": "kofi"}, identity_code("kofi", None, head.identity_groups)),
        ({"seed": 7}, identity_code("", 7, head.identity_groups)),
    ):
        run = run_node(
            AvatarDecoder, {"frame": [np.zeros(61, np.float32)]}, config={"output": "mesh", **config}
        )
        np.testing.assert_allclose(run.outputs["vertices"][0], head.with_identity(code).neutral, atol=1e-6)


def test_unknown_names_are_told_of() -> None:
    for config, message in (
        ({"head": "nobody"}, "there is no head 'nobody'"),
        ({"identity": "kof"}, "did you mean 'kofi'"),
    ):
        with pytest.raises(RtGraphError, match=message):
            run_node(AvatarDecoder, {"frame": [np.zeros(61, np.float32)]}, config=config)


def test_shapes_of_the_frame_are_arkit() -> None:
    frame = np.zeros(61, np.float32)
    frame[INDEX["mouthSmileLeft"]] = 1.0
    head = load_head("default")
    run = run_node(AvatarDecoder, {"frame": [frame]}, config={"output": "mesh"})
    moved = run.outputs["vertices"][0] - head.neutral
    np.testing.assert_allclose(moved, head.shapes[ARKIT.index("mouthSmileLeft")], atol=1e-6)
