"""Runs with Python nodes: results, ends, circles, the GIL."""

from __future__ import annotations

import threading
import time
from typing import ClassVar

import numpy as np
import pytest
from cli_graph import rtgraph
from graph_text import CHAIN, nodes

from rtgraph import (
    GraphError,
    Input,
    Node,
    NodeError,
    Output,
    Packet,
    RtGraphError,
    register,
)
from rtgraph.planner import plan_text
from rtgraph.scheduler import Runner
from rtgraph.testing import record, run_node


@pytest.mark.parametrize("clock", ["manual", "system"])
def test_a_chain_with_python_and_native_nodes(clock):
    recording = record(plan_text(CHAIN), {"gain": "gain.out"}, clock=clock)
    assert recording.stacked("gain")[:, 0].tolist() == [2.0 * i for i in range(20)]
    assert recording.rate_hz("gain") == pytest.approx(100.0)
    profile = recording.profile
    assert profile.nodes["end"].native
    assert profile.nodes["end"].count == 20
    assert profile.deadline.frames == 20


def test_a_manual_run_repeats_bit_for_bit():
    text = nodes(
        "  a: {type: test.ramp, config: {count: 50, rate_hz: 44.1}}\n"
        "  b: {type: test.ramp, config: {count: 30, rate_hz: 30}}\n"
        "  sum: {type: test.add, inputs: {a: a.out, b: {from: b.out, edge: latest}}}\n"
    )
    runs = [record(plan_text(text), {"sum": "sum.out"}) for _ in range(3)]
    for run in runs[1:]:
        assert np.array_equal(run.stacked("sum"), runs[0].stacked("sum"))
        assert run.timestamps_ns == runs[0].timestamps_ns
        assert run.recorded_ns == runs[0].recorded_ns


def test_the_manual_clock_is_faster_than_time():
    started = time.perf_counter()
    recording = record(plan_text(nodes("  a: {type: test.ramp, config: {count: 6000}}\n")), {"a": "a.out"})
    assert recording.profile.duration_s == pytest.approx(60.0)
    assert time.perf_counter() - started < 30


def test_a_list_is_several_emissions_and_a_packet_has_its_own_time():
    @register("test.burst")
    class Burst(Node):
        x = Input()
        out = Output(like="x")

        def process(self, x, ctx):
            return [{"out": Packet(x + i, ctx.timestamp_ns + i)} for i in range(3)]

    recording = run_node(Burst, {"x": [np.zeros(1, np.float32), np.full(1, 10, np.float32)]})
    assert recording.stacked("out")[:, 0].tolist() == [0, 1, 2, 10, 11, 12]
    assert recording.timestamps_ns["out"] == [0, 1, 2, 10_000_000, 10_000_001, 10_000_002]


def test_a_device_source_cannot_follow_a_manual_clock():
    plan = plan_text(
        nodes(
            "  a: {type: debug.pulse, config: {count: 3}}\n  b: {type: debug.discard, inputs: {x: a.out}}\n"
        )
    )
    with pytest.raises(GraphError, match="driven by a device"), Runner(plan, clock="manual") as runner:
        runner.run()


def test_stop_ends_a_live_run_and_reset_lets_it_run_again(no_leftover_threads):
    plan = plan_text(
        nodes(
            "  a: {type: test.ramp, config: {count: 1000000}}\n  b: {type: debug.discard, inputs: {x: a.out}}\n"
        )
    )
    with Runner(plan) as runner:
        for _ in range(2):
            runner.start()
            time.sleep(0.1)
            runner.stop()
            assert runner.wait(5.0)
            runner.finish()
            assert runner.profile().nodes["b"].count > 2
            runner.reset()


def test_duration_ends_live_and_manual_runs():
    plan = plan_text(
        nodes(
            "  a: {type: test.ramp, config: {count: 1000000}}\n  b: {type: debug.discard, inputs: {x: a.out}}\n"
        )
    )
    for clock in ("system", "manual"):
        with Runner(plan, clock=clock) as runner:
            runner.run(duration_s=0.25)
            assert runner.profile().nodes["b"].count == 25


def test_a_busy_python_thread_does_not_starve_a_native_segment():
    plan = plan_text(
        nodes(
            "  a: {type: debug.pulse, config: {rate_hz: 500, count: 250}}\n  b: {type: debug.discard, inputs: {x: a.out}}\n"
        )
    )
    stop = threading.Event()

    def burn():
        while not stop.is_set():
            sum(range(1000))

    burner = threading.Thread(target=burn)
    burner.start()
    try:
        with Runner(plan) as runner:
            runner.run()
            profile = runner.profile()
    finally:
        stop.set()
        burner.join()
    assert profile.nodes["b"].count == 250
    assert profile.nodes["b"].gil_wait_us.max == 0


def test_a_circle_ends_with_what_feeds_it():
    text = nodes(
        "  a: {type: test.ramp, config: {count: 10}}\n"
        "  sum: {type: test.add, inputs: {a: a.out, b: back.out}}\n"
        "  back: {type: flow.delay, config: {shape: [3]}, inputs: {x: sum.out}}\n"
    )
    for clock in ("manual", "system"):
        recording = record(plan_text(text), {"sum": "sum.out"}, clock=clock)
        assert recording.stacked("sum")[:, 0].tolist() == [0, 1, 3, 6, 10, 15, 21, 28, 36, 45]


def test_a_circle_that_feeds_itself_ends_when_asked():
    text = nodes(
        "  a: {type: test.ramp, config: {count: 3}}\n"
        "  merge: {type: flow.merge, inputs: {x: [a.out, back.out]}}\n"
        "  back: {type: flow.delay, config: {shape: [3]}, inputs: {x: merge.out}}\n"
    )
    with Runner(plan_text(text)) as runner:
        runner.start()
        assert runner.wait(10.0)
        runner.finish()
    assert runner.profile().nodes["merge"].count > 3


@register("test.fails_to_close")
class FailsToClose(Node):
    """Raises an error of ours when it is closed, or with `x` = "bug" another."""

    x = Input()
    closed: ClassVar[list[str]] = []

    def process(self, x, ctx):
        pass

    def close(self):
        self.closed.append(self.name)
        if self.name == "bug":
            raise ZeroDivisionError("asked to")
        raise NodeError(self.name, "the file is lost")


CLOSING = nodes(
    "  a: {type: test.ramp}\n"
    "  sink: {type: test.fails_to_close, inputs: {x: a.out}}\n"
    "  bug: {type: test.fails_to_close, inputs: {x: a.out}}\n"
)


def test_errors_of_closing_are_raised_when_all_is_closed():
    FailsToClose.closed.clear()
    runner = Runner(plan_text(CLOSING))
    runner.open()
    with pytest.raises(RtGraphError) as raised:
        runner.close()
    assert FailsToClose.closed == ["bug", "sink"]
    bug, sink = str(raised.value).splitlines()
    assert bug.startswith("node 'bug': close failed: ZeroDivisionError: asked to (test_scheduler.py:")
    assert sink == "node 'sink': the file is lost"
    runner.close()  # nothing is left to be closed


def test_an_error_of_the_run_is_not_replaced_by_those_of_closing(caplog):
    with pytest.raises(KeyError, match="first"), Runner(plan_text(CLOSING)):
        raise KeyError("first")
    assert "node 'sink': the file is lost" in caplog.text


def test_a_run_whose_file_is_lost_has_failed(tmp_path):
    """The table of figures is printed nevertheless."""
    (tmp_path / "g.yaml").write_text(CLOSING)
    done = rtgraph("run", str(tmp_path / "g.yaml"), "--fast", code=1)
    assert "error: node 'bug': close failed" in done.stderr
    assert "node 'sink': the file is lost" in done.stderr
    assert "latency" in done.stdout
