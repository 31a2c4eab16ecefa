"""eye.encoder: equal to the step it runs, calibrated, and never fooled into confidence or a crash by bad images."""

from __future__ import annotations

import numpy as np
import pytest

from rtgraph import AssetError, GraphError, Packet
from rtgraph.files import bundled
from rtgraph.kernels.eye_encoder_step import EyeEncoderStep
from rtgraph.models.expression import EYE_STATE
from rtgraph.models.eye_calibration import EyeCalibration, both_heads, mark
from rtgraph.models.eye_weights import DECODE, load
from rtgraph.nodes.eye.encoder import EyeEncoder
from rtgraph.planner import plan_text
from rtgraph.testing import run_node
from rtgraph.training.eye_corpus.clip import pair
from rtgraph.training.eye_corpus.look import Look
from rtgraph.training.eye_corpus.sitting import begin
from rtgraph.training.eyes.spoil import spoil

WEIGHTS = bundled("assets") / "weights/eye.safetensors"
CONFIDENCE = [EYE_STATE.index("confidenceLeft"), EYE_STATE.index("confidenceRight")]
HOP_NS = 10_000_000


def eyes(looks: list[Look]) -> tuple[np.ndarray, np.ndarray]:
    """Pictures [N, 128, 128] of both eyes of one person."""
    sitting = begin(990_003, 6)
    both = np.stack([pair(sitting, look) for look in looks])
    return np.ascontiguousarray(both[:, :, :128]), np.ascontiguousarray(both[:, :, 128:])


def packets(images: np.ndarray) -> list[Packet]:
    return [Packet(image, k * HOP_NS) for k, image in enumerate(images)]


def run(left: np.ndarray, right: np.ndarray, **config: object):
    return run_node(EyeEncoder, {"left": packets(left), "right": packets(right)}, config=config, rate_hz=100)


def counters(got) -> dict[str, int]:
    """Those of the encoder alone."""
    (found,) = (
        n.counters
        for n in got.profile.nodes.values()
        if n.counters.keys() & {"frozen_images", "flat_images", "swapped_images", "mirrored_images"}
    )
    return found


def test_equals_the_step_and_stamps_as_the_images():
    left, right = eyes([Look(yaw=0.1 * k) for k in range(3)])
    got = run(left, right)
    weights = load(WEIGHTS)
    step = EyeEncoderStep(weights.card.config, DECODE, both_heads(weights))
    for k in range(3):
        features, state, _ = step(left[k], right[k])
        np.testing.assert_allclose(got.outputs["features"][k], features.ravel(), atol=1e-6)
        np.testing.assert_allclose(got.outputs["raw_state"][k], state.ravel(), atol=1e-6)
    assert got.timestamps_ns["state"] == [0, HOP_NS, 2 * HOP_NS]


def test_calibration_reaches_the_native_side(tmp_path):
    left, right = eyes([Look(yaw=0.2, pitch=-0.1)])
    weights = load(WEIGHTS)
    ways = weights.card.config.ways
    amounts = np.random.default_rng(0).normal(0, 1, (2, ways))
    calibration = EyeCalibration(weights=mark(weights), amounts=tuple(map(tuple, amounts.tolist())))
    calibration.save(tmp_path / "me.json")
    plain = run(left, right).outputs["raw_state"][0]
    mapped = run(left, right, calibration=str(tmp_path / "me.json")).outputs["raw_state"][0]
    step = EyeEncoderStep(weights.card.config, DECODE, both_heads(weights, calibration))
    np.testing.assert_allclose(mapped, step(left[0], right[0])[1].ravel(), atol=1e-6)
    assert np.abs(mapped - plain).max() > 0.01


def test_a_calibration_of_other_weights_is_refused(tmp_path):
    left, right = eyes([Look()])
    ways = load(WEIGHTS).card.config.ways
    EyeCalibration(weights="00000000", amounts=((0.0,) * ways,) * 2).save(tmp_path / "me.json")
    with pytest.raises(AssetError, match="calibrate again"):
        run(left, right, calibration=str(tmp_path / "me.json"))


def test_a_closed_lid_holds_gaze_and_pupil():
    left, right = eyes([Look(yaw=0.3, pupil_mm=6), Look(yaw=-0.3, lid=0.0), Look(yaw=-0.3, pupil_mm=3)])
    got = run(left, right, hold_below=0.3)
    state, raw = got.stacked("state"), got.stacked("raw_state")
    assert raw[1, 2] < 0.3
    np.testing.assert_array_equal(state[1, [0, 1, 5]], state[0, [0, 1, 5]])
    np.testing.assert_array_equal(state[[0, 2]], raw[[0, 2]])
    assert state[2, 0] < state[0, 0]


@pytest.mark.parametrize("value", [0, 255])
def test_flat_images_are_not_trusted(value):
    left, right = eyes([Look()] * 3)
    left[1] = value
    got = run(left, right)
    confidence = got.stacked("state")[:, CONFIDENCE]
    assert confidence[1, 0] == 0
    assert (confidence[[0, 2], 0] > 0.5).all()
    assert (confidence[:, 1] > 0.5).all()
    assert counters(got)["flat_images"] == 1
    assert np.isfinite(got.stacked("state")).all()


def test_a_frozen_camera_loses_confidence_and_wins_it_back():
    left, right = eyes([Look()] * 12)
    left[1:9] = left[1]
    got = run(left, right, frozen_ms=50)
    left_confidence, right_confidence = got.stacked("state")[:, CONFIDENCE].T
    assert (left_confidence[:6] > 0.5).all()
    assert (left_confidence[6:9] == 0).all()
    assert (left_confidence[9:] > 0.5).all()
    assert (right_confidence > 0.5).all()
    assert counters(got)["frozen_images"] == 3


@pytest.mark.parametrize("way", ["noise", "torn", "far_off", "on_its_side"])
def test_foreign_images_are_doubted(way):
    left, right = eyes([Look()])
    good = run(left, right).outputs["state"][0][CONFIDENCE]
    rng = np.random.default_rng(0)
    bad = run(spoil(left[0], rng, way)[None], spoil(right[0], rng, way)[None])
    assert good.min() > 0.5
    assert bad.outputs["state"][0][CONFIDENCE].max() < 0.5


def test_swapped_cameras_are_noticed():
    left, right = eyes([Look(yaw=0.1 * k, pupil_mm=4) for k in range(-2, 3)])
    got = run(right, left)
    assert counters(got)["swapped_images"] == 5
    assert (got.stacked("state")[:, CONFIDENCE] == 0).all()
    good = run(left, right)
    assert all("swapped_images" not in n.counters for n in good.profile.nodes.values())
    assert (good.stacked("state")[:, CONFIDENCE] > 0.5).all()


def test_one_mirrored_camera_is_noticed():
    left, right = eyes([Look(yaw=0.1 * k) for k in range(3)])
    got = run(np.ascontiguousarray(left[:, :, ::-1]), right)
    assert counters(got)["mirrored_images"] == 3
    confidence = got.stacked("state")[:, CONFIDENCE]
    assert (confidence[:, 0] == 0).all()
    assert (confidence[:, 1] > 0.5).all()


def test_upside_down_cameras_are_doubted():
    """Of many; `rtgraph eval eyes` tells the exact share."""
    both = np.stack([pair(begin(990_005, person), Look(yaw=0.1, pitch=0.05)) for person in range(12)])
    upside_down = both[:, ::-1]
    left, right = (np.ascontiguousarray(x) for x in (upside_down[:, :, :128], upside_down[:, :, 128:]))
    confidence = run(left, right).stacked("state")[:, CONFIDENCE]
    assert (confidence < 0.5).mean() > 0.9


def test_a_clock_that_jumps_back_starts_the_freeze_timer_again():
    left, right = eyes([Look()])
    times = [1000, 1010, 1020, 10, 20, 30]

    def still(image):
        return [Packet(image[0], t * 1_000_000) for t in times]

    got = run_node(
        EyeEncoder, {"left": still(left), "right": still(right)}, config={"frozen_ms": 500}, rate_hz=100
    )
    assert np.isfinite(got.stacked("state")).all()
    assert (got.stacked("state")[:, CONFIDENCE] > 0.5).all()


def test_a_right_image_without_partner_is_missing():
    left, right = eyes([Look()] * 3)
    late = [Packet(image, k * HOP_NS + 200 * HOP_NS) for k, image in enumerate(right)]
    got = run_node(EyeEncoder, {"left": packets(left), "right": late}, rate_hz=100)
    assert (got.stacked("state")[:, CONFIDENCE[1]] == 0).all()
    assert (got.stacked("state")[:, CONFIDENCE[0]] > 0.5).all()


def test_an_image_of_another_size_is_found_when_the_graph_is_checked():
    graph = """
version: 1
nodes:
  eyes: {type: eye.video, config: {both: a.mp4, height: 100}}
  encoder: {type: eye.encoder, inputs: {left: eyes.left, right: eyes.right}}
"""
    with pytest.raises(GraphError, match=r"\[128, 128\]"):
        plan_text(graph)


def test_other_sizes_work_where_they_are_declared():
    left, right = eyes([Look(yaw=0.2)])
    big = [np.ascontiguousarray(np.kron(side, np.ones((2, 2), np.uint8))) for side in (left[0], right[0])]
    got = run(big[0][None], big[1][None], height=256, width=256).outputs["raw_state"][0]
    np.testing.assert_allclose(got, run(left, right).outputs["raw_state"][0], atol=0.15)


def test_files_that_are_not_there_are_told(tmp_path):
    left, right = eyes([Look()])
    with pytest.raises(GraphError, match="there is no file"):
        run(left, right, weights="none.safetensors")
    (tmp_path / "c.json").write_text("[]")
    with pytest.raises(AssetError, match="rtgraph calibrate eyes"):
        run(left, right, calibration=str(tmp_path / "c.json"))
