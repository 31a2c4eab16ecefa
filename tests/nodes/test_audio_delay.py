"""audio.delay: sound waits for its face, none is lost, and the offset is told."""

from __future__ import annotations

import numpy as np
import pytest

from rtgraph import ANY_TENSOR, Input, Node, NodeConfig, Output, Packet, register
from rtgraph.nodes.audio.delay import AudioDelay
from rtgraph.nodes.face import age  # noqa: F401 - registers face.age
from rtgraph.planner import plan_text
from rtgraph.testing import record, run_node


def chunks(count):
    return [np.full(160, k, np.float32) for k in range(count)]


def ages_ms(got, output="out"):
    return (np.array(got.recorded_ns[output]) - np.array(got.timestamps_ns[output])) * 1e-6


def test_a_fixed_delay_keeps_times_and_order():
    got = run_node(AudioDelay, {"audio": chunks(50)}, config={"delay_ms": 40.0})
    np.testing.assert_array_equal([c[0] for c in got.outputs["out"]], range(len(got.outputs["out"])))
    assert len(got.outputs["out"]) == 46  # the last 40 ms never came of age
    assert got.timestamps_ns["out"] == [10_000_000 * k for k in range(46)]
    np.testing.assert_allclose(ages_ms(got)[1:], 40, atol=5.1)
    assert got.outputs["offset_ms"] == []  # no face was measured


def test_without_a_face_sound_is_not_held_up():
    got = run_node(AudioDelay, {"audio": chunks(20)})
    np.testing.assert_allclose(ages_ms(got), 0)
    assert len(got.outputs["out"]) == 20


@register("test.late_face")
class LateFace(Node):
    """A face frame for every other chunk, `late` chunks after it: it is as old as these are long."""

    class Config(NodeConfig):
        late: int = 6

    x = Input(ANY_TENSOR)
    out = Output(like="x")

    def open(self, ctx):
        self.came = []

    def process(self, x, ctx):
        self.came.append(Packet(x, ctx.timestamp_ns))
        k = len(self.came) - 1 - self.config.late
        return {"out": self.came[k]} if k >= 0 and k % 2 else None


GRAPH = """
version: 1
clock: manual
nodes:
  mic: {type: audio.file}
  face: {type: test.late_face, inputs: {x: mic.audio}}
  age: {type: face.age, inputs: {x: face.out}}
  delay: {type: audio.delay, config: {CONFIG}, inputs: {audio: mic.audio, face_age_ms: age.age_ms}}
"""


@pytest.mark.parametrize("extra_ms", [0.0, 30.0])
def test_sound_waits_as_long_as_the_face_takes(extra_ms):
    plan = plan_text(GRAPH.replace("CONFIG", f"extra_ms: {extra_ms}"), "<delay>")
    taps = {"out": "delay.out", "offset": "delay.offset_ms", "face": "face.out", "mic": "mic.audio"}
    got = record(plan, taps, duration_s=2.0)
    np.testing.assert_allclose(ages_ms(got, "face"), 60)
    np.testing.assert_allclose(ages_ms(got)[50:], 60 + extra_ms, atol=6)  # half a chunk
    assert np.abs(np.stack(got.outputs["offset"])[50:]).max() <= 6
    # Not a sample is lost, repeated or out of order.
    n = len(got.outputs["out"])
    assert n > 180
    np.testing.assert_array_equal(np.concatenate(got.outputs["out"]), np.concatenate(got.outputs["mic"][:n]))
    assert got.timestamps_ns["out"] == got.timestamps_ns["mic"][:n]


def test_a_face_that_gets_faster_lets_the_sound_catch_up():
    ages = [np.array([80.0 if k < 60 else 20.0], np.float32) for k in range(250)]
    got = run_node(AudioDelay, {"audio": chunks(250), "face_age_ms": ages})
    waited = ages_ms(got)
    np.testing.assert_allclose(waited[20:50], 80, atol=6)
    np.testing.assert_allclose(waited[-20:], 20, atol=6)
    np.testing.assert_array_equal([c[0] for c in got.outputs["out"]], range(len(waited)))
    assert len(np.unique(waited[55:200].round())) > 4  # little by little


def test_sound_does_not_wait_longer_for_the_face_than_allowed():
    ages = [np.array([400.0], np.float32)] * 60
    got = run_node(AudioDelay, {"audio": chunks(60), "face_age_ms": ages}, config={"most_ms": 100.0})
    np.testing.assert_allclose(ages_ms(got)[5:], 100, atol=6)


def test_a_delay_that_is_asked_for_is_kept_however_long():
    got = run_node(AudioDelay, {"audio": chunks(130)}, config={"delay_ms": 1000.0})
    np.testing.assert_allclose(ages_ms(got), 1000, atol=6)
    assert len(got.outputs["out"]) == 30


def test_an_age_that_is_nan_is_no_age():
    got = run_node(AudioDelay, {"audio": chunks(20), "face_age_ms": [np.array([np.nan], np.float32)] * 20})
    np.testing.assert_allclose(ages_ms(got), 0)
    assert got.outputs["offset_ms"] == []
