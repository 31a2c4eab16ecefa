"""flow.delay, flow.rate, flow.merge: which packets come out, when, with which timestamps."""

from __future__ import annotations

import numpy as np
import pytest

from rtgraph import GraphError, Input, Node, NodeError, Output, TensorType, register
from rtgraph.nodes.flow.delay import Delay
from rtgraph.nodes.flow.rate import Rate
from rtgraph.planner import plan_text
from rtgraph.testing import record, run_node

Value = TensorType("FlowTestValue", "float32", (2,))


@register("test.flow_sum")
class Sum(Node):
    """x + back: with a delay from out to back it adds up everything that came."""

    x = Input()
    back = Input(Value)
    out = Output(Value)

    def process(self, x, back, ctx):
        return {"out": x[:2] + back}


def values(n: int, seed: int = 0) -> list[np.ndarray]:
    return list(np.random.default_rng(seed).standard_normal((n, 2)).astype(np.float32))


@pytest.mark.parametrize("steps", [1, 2, 7, 100])
def test_delay_sends_the_initial_value_and_then_what_came(steps):
    sent = values(20)
    got = run_node(Delay, {"x": sent}, config={"steps": steps, "shape": [2], "initial": 0.5})
    expected = [np.full(2, 0.5, np.float32)] * steps + sent
    # One packet is there before the first comes; then one goes for each that comes.
    np.testing.assert_array_equal(got.stacked("out"), expected[:21])
    stamps = got.timestamps_ns["out"]
    assert stamps == sorted(stamps)
    assert stamps[steps:] == [k * 10_000_000 for k in range(20)][: max(0, 21 - steps)]


def test_delay_begins_with_an_array():
    got = run_node(Delay, {"x": values(3)}, config={"shape": [2], "initial": [1.0, 2.0]})
    assert got.outputs["out"][0].tolist() == [1, 2]
    with pytest.raises(NodeError, match="does not fill an array of shape"):
        run_node(Delay, {"x": values(3)}, config={"shape": [2], "initial": [1.0, 2.0, 3.0]})
    with pytest.raises(NodeError, match="`initial` holds NaN"):
        run_node(Delay, {"x": values(3)}, config={"shape": [2], "initial": [1.0, float("nan")]})


def test_delay_resets_to_new():
    node = Delay(Delay.Config(steps=3, shape=(2,)))

    class Now:
        timestamp_ns = 5

    def outputs(sent):
        return np.array([node.process(x, Now)["out"].data for x in sent])

    node.open(None)
    first = outputs(values(6, seed=1))
    node.reset()
    np.testing.assert_array_equal(outputs(values(6, seed=1)), first)


def test_delay_closes_a_circle():
    sent = values(10, seed=2)
    plan = plan_text("""
version: 1
clock: manual
nodes:
  clip: {type: audio.file, config: {path: "asset:clips/hello.flac"}}
  sum: {type: test.flow_sum, inputs: {x: clip.audio, back: delay.out}}
  delay: {type: flow.delay, config: {shape: [2]}, inputs: {x: sum.out}}
""")
    got = record(plan, {"x": "clip.audio", "out": "sum.out"}, duration_s=0.5)
    total = np.cumsum([x[:2] for x in got.outputs["x"]], axis=0, dtype=np.float32)
    assert len(total) > len(sent)
    np.testing.assert_allclose(got.stacked("out"), total, atol=1e-6)
    assert got.timestamps_ns["out"] == got.timestamps_ns["x"]


def test_delay_says_which_shape_it_was_given():
    text = """
version: 1
nodes:
  clip: {type: audio.file}
  delay: {type: flow.delay, config: {shape: %s}, inputs: {x: clip.audio}}
"""
    plan_text(text % "[160]")
    with pytest.raises(GraphError, match=r"sends shape \[160\]"):
        plan_text(text % "[80]")
    with pytest.raises(GraphError, match="one size of 1 or more"):
        plan_text(text % "[]")


@pytest.mark.parametrize(
    ("rate_hz", "expected"), [(50.0, [0, 2, 4, 6, 8]), (200.0, [0, 0, 1, 1, 2, 2, 3, 3])]
)
def test_rate_leaves_out_or_repeats(rate_hz, expected):
    sent = values(10, seed=3)
    got = run_node(Rate, {"x": sent}, config={"rate_hz": rate_hz}, duration_s=0.2)
    got.assert_like("out", shape=(2,), dtype="float32", rate_hz=rate_hz)
    indices = [next(i for i, x in enumerate(sent) if np.array_equal(x, y)) for y in got.outputs["out"]]
    # Whether a value that comes at the very moment of a tick is still seen by it is the scheduler's choice,
    # once and for all.
    shifts = [k for k in range(2) if indices[k : k + len(expected)] == expected]
    assert shifts, indices
    assert indices == sorted(indices)


def test_rate_is_known_to_the_planner():
    plan = plan_text("""
version: 1
nodes:
  clip: {type: audio.file}
  slow: {type: flow.rate, config: {rate_hz: 30}, inputs: {x: clip.audio}}
  sink: {type: debug.discard, inputs: {x: slow.out}}
""")
    signal = plan["slow"].outputs["out"]
    assert (signal.type.name, signal.shape, signal.rate_hz) == ("AudioChunk", (160,), 30.0)


def test_merge_sends_all_of_everyone_in_order_of_time():
    plan = plan_text("""
version: 1
clock: manual
nodes:
  a: {type: audio.file, config: {hop_ms: 10}}
  b: {type: audio.file, config: {hop_ms: 10, channel: 0}}
  b2: {type: flow.map, config: {op: scale, by: -1}, inputs: {x: b.audio}}
  both: {type: flow.merge, inputs: {x: [a.audio, b2.out]}}
""")
    got = record(plan, {"a": "a.audio", "both": "both.out"}, duration_s=1.0)
    assert len(got.outputs["both"]) == 2 * len(got.outputs["a"])
    stamps = got.timestamps_ns["both"]
    assert stamps == sorted(stamps)
    loud = [x for x in got.outputs["both"] if np.abs(x).max() > 0.01]
    assert len(loud) % 2 == 0
    assert loud
    assert np.abs(np.sum(loud, axis=0)).max() < 1e-4  # each chunk and its opposite
