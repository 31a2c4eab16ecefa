"""sink.viewer: what its page is told of the time that the graph takes."""

from __future__ import annotations

import asyncio
import json

import numpy as np
import pytest
from viewer_page import page

from rtgraph import Input, Node, Output, Packet, Source, register
from rtgraph.nodes.face.types import ExpressionFrame
from rtgraph.nodes.sink._web_message import Kind
from rtgraph.planner import plan_text
from rtgraph.scheduler import Runner

DEVICE_MS, WORK_MS, LOOK_AHEAD_MS = 20.0, 5.0, 60.0


@register("test.viewer_camera")
class Camera(Source):
    """What it sends was captured DEVICE_MS ago."""

    frame = Output(ExpressionFrame, rate_hz=50.0)

    def rate_hz(self):
        return 50.0

    def process(self, ctx):
        return {"frame": Packet(np.zeros(61, np.float32), ctx.timestamp_ns - int(DEVICE_MS * 1e6))}


@register("test.viewer_slow")
class Slow(Node):
    frame = Input(ExpressionFrame)
    out = Output(ExpressionFrame)
    look_ahead_ms = LOOK_AHEAD_MS

    def process(self, frame, ctx):
        ctx.elapse(int(WORK_MS * 1e6))
        return {"out": frame}


def graph(head, budget_ms):
    return plan_text(
        f"""
version: 1
budget_ms: {budget_ms}
frame: slow.out
nodes:
  camera: {{type: test.viewer_camera}}
  slow: {{type: test.viewer_slow, inputs: {{frame: camera.frame}}}}
  viewer: {{type: sink.viewer, config: {{port: 0, head: {head}}}, inputs: {{frame: slow.out}}}}
""",
        "<test>",
    )


async def told(url):
    async with page(url) as a:
        while True:
            *_, sections = await a.message()
            if Kind.TIMING in sections:
                timing = json.loads(sections[Kind.TIMING][1].tobytes())
                if timing["frames"]:
                    return timing


@pytest.mark.parametrize("budget_ms", [WORK_MS / 2, 60_000])
def test_a_page_is_told_how_old_things_are_and_who_was_late(head, budget_ms):
    made = graph(head, budget_ms)
    with Runner(made) as runner:
        runner.start(duration_s=30)
        timing = asyncio.run(told(made["viewer"].node.url))
        runner.stop()
        while not runner.wait(0.1):
            pass
        runner.finish()
    late = budget_ms < WORK_MS
    assert timing["budget_ms"] == budget_ms
    assert timing["look_ahead_ms"] == LOOK_AHEAD_MS
    assert timing["missed"] == (timing["frames"] if late else 0)
    assert {n["name"]: n["missed"] for n in timing["nodes"]} == {
        "camera": 0, "slow": timing["missed"], "viewer": 0
    }  # fmt: skip
    (device,) = timing["devices"]
    assert device["name"] == "camera"
    assert device["p50_ms"] >= 0.97 * DEVICE_MS  # within 3 %, as histograms are
    paths = {(path["source"], path["sink"]): path for path in timing["paths"]}
    assert list(paths) == [("camera", "slow"), ("camera", "viewer")]
    for path in paths.values():
        assert path["look_ahead_ms"] == LOOK_AHEAD_MS
        assert 0.97 * (DEVICE_MS + WORK_MS) <= path["p50_ms"] <= path["p95_ms"] <= path["p99_ms"]
