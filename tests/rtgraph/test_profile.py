"""The profile of a run: deadlines, look-ahead, its JSON, and what nodes see of it."""

from __future__ import annotations

import json
import time

import numpy as np
from graph_text import CHAIN, nodes

from rtgraph import ANY_TENSOR, EndOfStream, Input, Node, NodeConfig, Output, Source, register
from rtgraph.planner import plan_text
from rtgraph.scheduler import Runner
from rtgraph.testing import record
from rtgraph.trace import write_trace


def test_elapse_makes_deadlines_testable_on_the_manual_clock():
    @register("test.slow")
    class Slow(Node):
        x = Input()
        out = Output(like="x")

        def process(self, x, ctx):
            ctx.elapse(30_000_000 if x[0] % 5 == 4 else 1_000_000)
            return x

    text = (
        "version: 1\nbudget_ms: 15\nframe: last.out\nnodes:\n"
        "  a: {type: test.ramp, config: {count: 20, rate_hz: 10}}\n"
        "  slow: {type: test.slow, inputs: {x: a.out}}\n"
        "  last: {type: test.gain, inputs: {x: slow.out}}\n"
    )
    profile = record(plan_text(text), {"last": "last.out"}).profile
    assert (profile.deadline.frames, profile.deadline.missed, profile.deadline.by_node) == (
        20,
        4,
        {"slow": 4},
    )


def test_waiting_for_a_device_is_not_work():
    @register("test.device")
    class Device(Source):
        out = Output(ANY_TENSOR)

        def process(self, ctx):
            if ctx.seq == 5:
                raise EndOfStream
            with ctx.waiting():
                time.sleep(0.05)
            return np.zeros(1, np.float32)

    with Runner(plan_text(nodes("  device: {type: test.device}\n"))) as runner:
        runner.run()
        profile = runner.profile()
    assert profile.nodes["device"].count >= 5
    assert profile.nodes["device"].compute_us.p95 < 25_000
    assert profile.duration_s > 0.2


def test_profile_json_and_trace_have_the_documented_shape(tmp_path):
    with Runner(plan_text(CHAIN), clock="manual", trace=True) as runner:
        runner.run()
        runner.profile().write_json(tmp_path / "p.json")
        write_trace(tmp_path / "t.json", runner.trace_events())
    profile = json.loads((tmp_path / "p.json").read_text())
    quantiles = {"p50", "p95", "p99", "max"}
    gain = profile["nodes"]["gain"]
    assert gain["count"] == 20
    assert all(set(gain[key]) == quantiles for key in ("compute_us", "wait_us", "gil_wait_us"))
    assert set(profile["paths"]["ramp -> end"]["latency_ms"]) == quantiles
    assert {"depth", "dropped"} <= set(profile["edges"]["ramp.out -> gain.x"])
    assert {"budget_ms", "frames", "missed", "by_node"} <= set(profile["deadline"])
    events = json.loads((tmp_path / "t.json").read_text())["traceEvents"]
    assert sum(e["ph"] == "X" and e["name"] == "gain" for e in events) == 20


def test_look_ahead_adds_up_along_the_longest_way():
    @register("test.waits")
    class Waits(Node):
        class Config(NodeConfig):
            ms: float = 0.0

        a = Input()
        b = Input(optional=True)
        out = Output(like="a")

        def open(self, ctx):
            self.look_ahead_ms = self.config.ms

        def process(self, a, b, ctx):
            return a

    text = nodes(
        "  source: {type: test.ramp}\n"
        "  other: {type: test.ramp}\n"
        "  long: {type: test.waits, config: {ms: 60}, inputs: {a: source.out}}\n"
        "  short: {type: test.waits, config: {ms: 5}, inputs: {a: source.out}}\n"
        "  join: {type: test.waits, config: {ms: 20}, inputs: {a: long.out, b: short.out}}\n"
        "  both: {type: test.waits, inputs: {a: join.out, b: other.out}}\n"
        "  end: {type: debug.discard, inputs: {x: both.out}}\n"
    )
    with Runner(plan_text(text), clock="manual") as runner:
        runner.run()
        paths = runner.profile().paths
    assert paths["source -> end"].look_ahead_ms == 80
    assert paths["other -> end"].look_ahead_ms == 0


def test_a_node_sees_the_figures_of_the_run_while_it_runs() -> None:
    seen = []

    @register("test.observer")
    class Observer(Node):
        x = Input(ANY_TENSOR)

        def process(self, x, ctx):
            profile = ctx.profile()
            seen.append(profile.nodes["source"].count)

    plan = plan_text(
        "version: 1\nnodes:\n  source: {type: debug.pulse, config: {count: 5}}\n"
        "  observer: {type: test.observer, inputs: {x: source.out}}\n"
    )
    with Runner(plan) as runner:
        assert runner._contexts["observer"].profile() is None
        runner.run()
    assert seen == [1, 2, 3, 4, 5]
