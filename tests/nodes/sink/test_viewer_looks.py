"""sink.viewer: a page that shows nine points gets a file that `rtgraph calibrate eyes` reads."""

from __future__ import annotations

import asyncio
import json

import numpy as np
import pytest
from viewer_page import page

from rtgraph import Output, RtGraphError, Source, register
from rtgraph.models.eye_calibration import NINE_POINTS
from rtgraph.nodes.face.types import ExpressionFrame, EyeImage
from rtgraph.nodes.sink._web_looks import A_POINT, Looks
from rtgraph.planner import plan_text
from rtgraph.scheduler import Runner
from rtgraph.training.eyes.targets import read_looks

POINT, ELSEWHERE = (20.0, -15.0), (0.0, 15.0)
MS = 1_000_000


@register("test.viewer_eyes")
class Eyes(Source):
    """Both cameras at 100 Hz, and a face so that pages are woken. A picture's grey is its number."""

    left = Output(EyeImage, shape=(4, 6), rate_hz=100.0)
    right = Output(EyeImage, shape=(4, 6), rate_hz=100.0)
    frame = Output(ExpressionFrame, rate_hz=100.0)

    def rate_hz(self):
        return 100.0

    def open(self, ctx):
        self.sent = 0

    def process(self, ctx):
        self.sent += 1
        grey = np.full((4, 6), self.sent % 256, np.uint8)
        return {"left": grey, "right": 255 - grey, "frame": np.zeros(61, np.float32)}


def see(looks, ms, left=1, right=2, shape=(4, 6)):
    looks.see("left", np.full(shape, left, np.uint8), ms * MS)
    looks.see("right", np.full(shape, right, np.uint8), ms * MS)


def test_pictures_are_kept_while_it_is_known_where_the_eyes_look(tmp_path):
    looks, me = Looks(tmp_path / "looks.npz"), object()
    see(looks, 0)
    looks.begin(me)
    see(looks, 100)
    looks.look(me, POINT)
    for ms in range(200, 500, 10):
        see(looks, ms, left=ms // 10)
    looks.look(me, None)
    see(looks, 600)
    looks.look(me, ELSEWHERE)
    see(looks, 700)
    left, right, targets = looks.end(me)
    assert left.shape == right.shape == (len(targets), 4, 6)
    assert targets.tolist() == [[20, -15]] * (len(targets) - 1) + [[0, 15]]
    assert left[:-1, 0, 0].tolist() == [20, 28, 36, 44]  # 80 ms apart


def test_pictures_that_are_no_pair_are_not_kept(tmp_path):
    looks, me = Looks(tmp_path / "looks.npz"), object()
    looks.begin(me)
    looks.look(me, POINT)
    looks.see("left", np.zeros((4, 6), np.uint8), 0)
    looks.see("right", np.zeros((4, 6), np.uint8), 60 * MS)
    with pytest.raises(ValueError, match="no pictures of both eyes"):
        looks.end(me)
    looks.begin(me)
    looks.look(me, POINT)
    see(looks, 100)
    see(looks, 200, shape=(8, 8))  # another camera all at once
    assert looks.end(me)[0].shape == (1, 4, 6)


def test_what_is_kept_is_bounded(tmp_path):
    looks, me = Looks(tmp_path / "looks.npz"), object()
    looks.begin(me)
    for point in range(25):
        looks.look(me, (float(point), 0.0))
        for ms in range(0, 3000, 100):
            see(looks, 10_000 * point + ms)
    with pytest.raises(ValueError, match="25 points at most"):
        looks.look(me, (30.0, 0.0))
    assert len(looks.end(me)[2]) == 25 * A_POINT


def test_one_page_at_a_time(tmp_path):
    looks, me, other = Looks(tmp_path / "looks.npz"), object(), object()
    looks.begin(me)
    with pytest.raises(ValueError, match="another page"):
        looks.begin(other)
    for refused in (lambda: looks.look(other, POINT), lambda: looks.end(other)):
        with pytest.raises(ValueError, match="no calibration has been begun here"):
            refused()
    looks.leave(other)
    looks.look(me, POINT)
    looks.leave(me)
    looks.begin(other)


def test_a_file_that_cannot_be_written_is_said_and_the_old_one_stays(tmp_path):
    (tmp_path / "file").write_text("")
    looks = Looks(tmp_path / "file" / "looks.npz")
    images, targets = np.zeros((1, 4, 6), np.uint8), np.zeros((1, 2), np.float32)
    with pytest.raises(RtGraphError, match=r"looks\.npz cannot be written.*set the viewer's `looks`"):
        looks.write(images, images, targets)


def test_a_client_makes_a_file_that_calibration_reads(head, tmp_path):
    path = tmp_path / "deep" / "looks.npz"
    made = plan_text(
        f"""
version: 1
nodes:
  eyes: {{type: test.viewer_eyes}}
  viewer:
    type: sink.viewer
    config: {json.dumps({"port": 0, "head": str(head), "looks": str(path)})}
    inputs: {{frame: eyes.frame, left: eyes.left, right: eyes.right}}
""",
        "<test>",
    )

    async def visit(url):
        async with page(url) as a, page(url) as b:
            points = (await a.told("hello"))["look_points"]

            async def say(p, **message):
                await p.socket.send_str(json.dumps(message))

            await say(a, type="calibrate", step="end")
            refused = [(await a.told("error"))["message"]]
            await say(a, type="calibrate", step="begin")
            for garbage in ({"yaw_deg": 400, "pitch_deg": 0}, {"yaw_deg": "left"}):
                await say(a, type="look_at", **garbage)
                refused.append((await a.told("error"))["message"])
            await say(b, type="calibrate", step="begin")
            refused.append((await b.told("error"))["message"])
            for yaw, pitch in points:
                await say(a, type="look_at")
                await say(a, type="look_at", yaw_deg=yaw, pitch_deg=pitch)
                await asyncio.sleep(0.15)
            await say(a, type="calibrate", step="end")
            written = await a.told("looks")
            await say(b, type="calibrate", step="begin")  # it is free again
            await say(b, type="ping", at_ms=1)
            await b.told("pong")
            return points, refused, written

    with Runner(made) as runner:
        runner.start(duration_s=30)
        points, refused, written = asyncio.run(visit(made["viewer"].node.url))
        runner.stop()
        while not runner.wait(0.1):
            pass
        runner.finish()
    assert [tuple(p) for p in points] == list(NINE_POINTS)
    for told, part in zip(refused, ("no calibration", "less than", "number", "another page"), strict=True):
        assert part in told
    assert runner.profile().nodes["viewer"].counters["bad_requests"] == 4
    left, right, targets = read_looks(path)
    assert written == {"type": "looks", "path": str(path), "looks": len(targets), "points": 9}
    np.testing.assert_allclose(
        np.unique(np.rad2deg(targets), axis=0), np.unique(NINE_POINTS, axis=0), atol=1e-4
    )
    # Pairs: the right picture of the same moment, or of the one before or after it.
    assert np.isin(left + right, np.uint8([253, 254, 255, 0, 1])).all()
    assert list(path.parent.iterdir()) == [path]
