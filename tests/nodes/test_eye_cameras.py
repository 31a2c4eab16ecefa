"""eye.camera_pair on cameras that a test plays, and eye.video and eye.synthetic on real files."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

pytest.importorskip("cv2")

import cv2

from rtgraph import GraphError
from rtgraph.errors import RtGraphError
from rtgraph.nodes.eye import camera_pair, video
from rtgraph.planner import plan_text
from rtgraph.testing import record, run_node


class Rig:
    """Cameras by device: a test plugs them in and out, and says what they send."""

    def __init__(self, images, rate_hz=100.0):
        self.images, self.rate_hz = dict(images), rate_hz
        self.asked: dict[int, dict[int, float]] = {}

    def open(self, _, device):
        return Capture(self, device)


class Capture:
    """As cv2.VideoCapture behaves."""

    def __init__(self, rig, device):
        self.rig, self.device, self.was_there = rig, device, device in rig.images

    def isOpened(self):  # noqa: N802 - OpenCV's name
        return self.was_there

    def set(self, what, value):
        self.rig.asked.setdefault(self.device, {})[what] = value

    def read(self):
        time.sleep(1 / self.rig.rate_hz)
        image = self.rig.images.get(self.device)
        return image is not None, image

    def get(self, what):
        return (time.monotonic_ns() - 5_000_000) * 1e-6 if what == cv2.CAP_PROP_POS_MSEC else 0.0

    def release(self):
        pass


@pytest.fixture
def rig(monkeypatch):
    made = Rig({0: np.full((48, 64, 3), 50, np.uint8), 2: np.full((48, 64, 3), 150, np.uint8)})
    monkeypatch.setattr(camera_pair, "open_capture", made.open)
    return made


def run(config="", duration_s=0.6):
    plan = plan_text(
        f"version: 1\nnodes:\n  eyes: {{type: eye.camera_pair, config: {{{config}}}}}\n"
        "  end: {type: debug.discard, inputs: {x: eyes.left}}\n",
        "<cameras>",
    )
    got = record(plan, {"left": "eyes.left", "right": "eyes.right"}, clock="system", duration_s=duration_s)
    return got, got.profile.nodes["eyes"].counters


def levels(got, side):
    return [int(image[5, 5]) for image in got.outputs[side]]


def test_two_cameras(rig):
    got, _ = run("camera_rate_hz: 90, delay_ms: 4")
    got.assert_like("left", shape=(128, 128), dtype="uint8")
    assert levels(got, "left")[-10:] == [50] * 10
    assert levels(got, "right")[-10:] == [150] * 10
    assert rig.asked[2][cv2.CAP_PROP_FPS] == 90
    ages = np.array(got.recorded_ns["left"]) - np.array(got.timestamps_ns["left"])
    assert ages.min() >= 9_000_000  # 5 ms by the driver's time, 4 by delay_ms


def test_one_camera_for_both_eyes_and_swap(rig):
    rig.images[1] = np.hstack([np.full((48, 64), 30, np.uint8), np.full((48, 64), 90, np.uint8)])
    got, _ = run('both: "1"')
    assert (set(levels(got, "left")), set(levels(got, "right"))) == ({30}, {90})
    got, _ = run("both: 1, swap: true")
    assert (set(levels(got, "left")), set(levels(got, "right"))) == ({90}, {30})


def test_a_camera_pulled_out_leaves_the_other_and_comes_back(rig):
    def pull():
        time.sleep(0.5)
        kept = rig.images.pop(2)
        time.sleep(0.7)
        rig.images[2] = kept

    thread = threading.Thread(target=pull)
    thread.start()
    got, counters = run("lost_ms: 150", 2.4)
    thread.join()
    right = levels(got, "right")
    assert 0 in right
    assert right[-1] == 150
    assert 50 in levels(got, "left")[right.index(0) :]
    assert counters["reopened"] == 1
    assert counters["right_missing"] >= 10


def test_no_camera_at_all_is_an_error_that_helps(rig):
    rig.images.clear()
    with pytest.raises(RtGraphError, match=r"there is no eye camera \(camera 0: .*--swap NODE=eye.synthetic"):
        run()


def test_a_black_half_dead_image_is_counted(rig):
    rig.images[0] = np.zeros((4, 4, 2), np.uint8)
    got, counters = run()
    assert counters["bad_images"] > 5
    assert counters["left_missing"] == len(got.outputs["left"]) > 5


def test_config_mistakes():
    with pytest.raises(ValueError, match="leave out `left` and `right`"):
        camera_pair.CameraPair.Config(both=0, left=1)
    with pytest.raises(GraphError, match="crop"):
        plan_text(
            "version: 1\nnodes: {e: {type: eye.camera_pair, config: {left_view: {crop: [0, 0]}}}}", "<x>"
        )


@pytest.fixture
def clip(tmp_path):
    """A side-by-side video of ten frames at 50 Hz, left eye 40 + 4 k, right eye 200 - 4 k."""
    path = tmp_path / "eyes.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 50.0, (256, 128), False)
    for k in range(10):
        frame = np.full((128, 256), 40 + 4 * k, np.uint8)
        frame[:, 128:] = 200 - 4 * k
        writer.write(frame)
    writer.release()
    return path


def test_a_video_plays_at_its_rate_and_ends(clip):
    got = run_node(video.EyeVideo, config={"both": str(clip)})
    got.assert_like("left", count=10, shape=(128, 128), dtype="uint8", rate_hz=50.0)
    np.testing.assert_allclose([i[64, 64] for i in got.outputs["left"]], 40 + 4 * np.arange(10), atol=3)
    np.testing.assert_allclose([i[64, 64] for i in got.outputs["right"]], 200 - 4 * np.arange(10.0), atol=3)
    assert got.timestamps_ns["left"] == got.timestamps_ns["right"]


def test_two_files_a_rate_of_ones_own_and_a_loop(clip):
    config = {
        "left": str(clip),
        "right": str(clip),
        "rate_hz": 100.0,
        "loop": True,
        "height": 64,
        "width": 128,
    }
    got = run_node(video.EyeVideo, config=config, duration_s=0.25)
    got.assert_like("right", count=25, shape=(64, 128), dtype="uint8", rate_hz=100.0)
    np.testing.assert_array_equal(got.outputs["left"][3], got.outputs["left"][13])


def test_synthetic_eyes_play_the_bundled_clip_without_end(clip, monkeypatch):
    monkeypatch.setattr(video, "BUNDLED", str(clip))
    got = run_node(video.EyeSynthetic, duration_s=0.5)
    got.assert_like("left", count=25, shape=(128, 128), dtype="uint8", rate_hz=50.0)
    assert run_node(video.EyeVideo).outputs["left"][0].shape == (128, 128)


def test_without_cameras_rendered_eyes_stand_in_and_that_is_said(rig, clip, monkeypatch, caplog):
    monkeypatch.setattr(camera_pair, "BUNDLED", str(clip))
    rig.images.clear()
    got, _ = run("fallback: true, left_view: {crop: [0, 0, 4, 4]}, swap: true", 0.7)
    assert "rendered eyes stand in" in caplog.text
    assert 20 <= len(got.outputs["left"]) <= 40  # in real time, and beyond its end
    assert max(levels(got, "left")) < 100 < min(levels(got, "right"))


def test_the_stand_in_follows_a_manual_clock_and_gives_the_same_bits(rig):
    def pictures():  # of the bundled clip, beyond its end
        return run_node(camera_pair.CameraPair, config={"fallback": True}, duration_s=9.0)

    first, second = pictures(), pictures()
    first.assert_like("left", count=540, shape=(128, 128), dtype="uint8", rate_hz=60.0)
    for side in ("left", "right"):
        assert first.timestamps_ns[side] == second.timestamps_ns[side]
        np.testing.assert_array_equal(first.stacked(side), second.stacked(side))
    np.testing.assert_array_equal(first.outputs["left"][3], first.outputs["left"][483])
    assert not rig.asked  # there are cameras, but none keeps the pace of a manual clock


def test_a_camera_without_stand_in_cannot_follow_a_manual_clock(rig):
    with pytest.raises(GraphError, match="cannot follow a manual clock"):
        run_node(camera_pair.CameraPair, duration_s=0.1)


def test_a_video_without_images(tmp_path, clip):
    short = tmp_path / "short.avi"
    short.write_bytes(clip.read_bytes()[:400])
    with pytest.raises(RtGraphError, match=r"short\.avi (holds no image|cannot be read as a video)"):
        run_node(video.EyeVideo, config={"both": str(short)})


def test_a_file_that_is_no_video(tmp_path):
    path = tmp_path / "text.avi"
    path.write_text("no video")
    with pytest.raises(RtGraphError, match="cannot be read as a video"):
        run_node(video.EyeVideo, config={"both": str(path)})
    with pytest.raises(ValueError, match="go together"):
        video.EyeVideo.Config(left="a.avi")
