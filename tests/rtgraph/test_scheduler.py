"""Runs with Python nodes: results, errors, ends, the GIL, and what the profile says of them."""

from __future__ import annotations

import json
import threading
import time

import numpy as np
import pytest

from rtgraph import (
    ANY_TENSOR,
    EndOfStream,
    GraphError,
    Input,
    Node,
    NodeConfig,
    NodeError,
    Output,
    Packet,
    Source,
    register,
)
from rtgraph.planner import plan_text
from rtgraph.scheduler import Runner
from rtgraph.testing import record, run_node
from rtgraph.trace import write_trace

CHAIN = """
version: 1
budget_ms: 15
frame: gain.out
nodes:
  ramp: {type: test.ramp, config: {count: 20}}
  gain: {type: test.gain, inputs: {x: ramp.out}}
  end: {type: debug.discard, inputs: {x: gain.out}}
"""


ENDLESS = """
version: 1
nodes:
  a: {type: test.ramp, config: {count: 1000000}}
  b: {type: debug.discard, inputs: {x: a.out}}
"""


def nodes(text: str) -> str:
    return "version: 1\nnodes:\n" + text


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


def test_an_error_names_node_and_packet_and_carries_the_traceback():
    plan = plan_text(nodes("  a: {type: test.ramp}\n  bad: {type: test.fail, inputs: {x: a.out}}\n"))
    with pytest.raises(NodeError, match="node 'bad', packet 2: ZeroDivisionError: asked to") as caught:
        record(plan, {"bad": "bad.out"})
    assert 'raise ZeroDivisionError("asked to")' in caught.value.traceback_text


def test_skip_goes_on_after_an_error_and_counts_it():
    plan = plan_text(
        nodes("  a: {type: test.ramp}\n  bad: {type: test.fail, on_error: skip, inputs: {x: a.out}}\n")
    )
    recording = record(plan, {"bad": "bad.out"})
    assert recording.stacked("bad")[:, 0].tolist() == [0, 1, 3, 4]
    assert recording.profile.nodes["bad"].errors == 1


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"out": np.zeros(3)}, r"port 'out'.*expected float32 \[3\], got float64 \[3\]"),
        ({"out": np.zeros(4, np.float32)}, r"expected float32 \[3\], got float32 \[4\]"),
        ({"out": [1, 2, 3]}, r"expected float32 \[3\], got list"),
        ({"ouch": np.zeros(3, np.float32)}, r"output 'ouch' that the node does not have; its outputs: out"),
        (7, r"process returned a int"),
        ([7], r"returned a list with a int in it"),
        (
            Packet(np.zeros(3, np.float32), 1.5),
            r"port 'out'.*timestamp_ns is a float; expected a whole number",
        ),
        (Packet(np.zeros(3, np.float32), 2**70), r"node 'node', packet 0: "),
    ],
)
def test_a_wrong_answer_is_named(answer, expected):
    @register("test.wrong")
    class Wrong(Node):
        x = Input()
        out = Output(like="x")

        def process(self, x, ctx):
            return answer

    with pytest.raises(NodeError, match=expected):
        run_node(Wrong, {"x": [np.zeros(3, np.float32)]})


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


def test_process_must_name_its_ports():
    with pytest.raises(TypeError, match=r"takes \(y, ctx\); its ports ask for \(x, ctx\)"):

        class Typo(Node):
            x = Input()

            def process(self, y, ctx): ...


def test_open_failure_closes_what_was_opened():
    closed = []

    @register("test.closes")
    class Closes(Source):
        out = Output(shape=(1,))

        def close(self):
            closed.append(self.name)

        def process(self, ctx):
            raise EndOfStream

    @register("test.wont_open")
    class WontOpen(Node):
        x = Input()

        def open(self, ctx):
            raise OSError("no such device")

        def process(self, x, ctx): ...

        def close(self):
            closed.append(self.name)

    plan = plan_text(nodes("  a: {type: test.closes}\n  b: {type: test.wont_open, inputs: {x: a.out}}\n"))
    with pytest.raises(NodeError, match="node 'b': open failed: OSError: no such device"), Runner(plan):
        pass
    assert closed == ["b", "a"]


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


def test_a_node_that_fires_on_any_packet_gets_one_moment_at_a_time():
    got = []

    class Either(Node):
        fires = "any"
        a = Input()
        b = Input(optional=True)

        def process(self, a, b, ctx):
            got.extend((name, x[0], ctx.timestamp_ns) for name, x in (("a", a), ("b", b)) if x is not None)

    sent = {
        "a": [Packet(np.array([k], np.float32), 20_000_000 * k) for k in range(1, 4)],
        "b": [Packet(np.array([k], np.float32), 10_000_000 * k) for k in range(1, 7)],
    }
    run_node(Either, sent, rate_hz=1e6)  # so that several wait at the same moment
    for name, packets in sent.items():
        assert [(x, ns) for port, x, ns in got if port == name] == [
            (p.data[0], p.timestamp_ns) for p in packets
        ]


def test_what_a_node_that_fires_on_any_packet_leaves_waits_on_a_shared_thread_too():
    """Two inputs of one segment, at the same moment with different times: none is overwritten."""
    got = []

    @register("test.earlier")
    class Earlier(Node):
        a = Input()
        out = Output(like="a")

        def process(self, a, ctx):
            return {"out": Packet(a, ctx.timestamp_ns - 5_000_000)}

    @register("test.either")
    class Either(Node):
        fires = "any"
        a = Input()
        b = Input()

        def process(self, a, b, ctx):
            got.extend((name, ctx.timestamp_ns) for name, x in (("a", a), ("b", b)) if x is not None)

    text = nodes(
        "  source: {type: test.ramp}\n"
        "  before: {type: test.earlier, inputs: {a: source.out}}\n"
        "  end: {type: test.either, inputs: {a: source.out, b: before.out}}\n"
    )
    with Runner(plan_text(text), clock="manual") as runner:
        runner.run()
        profile = runner.profile()
    sent = profile.nodes["source"].count - 1  # the last firing found the end
    assert [name for name, _ in got] == ["b", "a"] * sent
    assert not any(edge.dropped for edge in profile.edges.values())


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


def test_warnings_are_counted_and_said_once_a_second(caplog):
    @register("test.warns")
    class Warns(Node):
        x = Input()

        def process(self, x, ctx):
            ctx.warn("too loud")

    recording = run_node(Warns, {"x": [np.zeros(1, np.float32)] * 50})
    assert recording.profile.nodes["node"].counters["warnings"] == 50
    assert sum("too loud" in r.message for r in caplog.records) <= 2


def test_a_full_edge_within_one_thread_is_an_error_and_not_a_deadlock():
    text = nodes(
        "  a: {type: debug.pulse, config: {size: 3, rate_hz: 2000}, thread: t}\n"
        "  b: {type: debug.pulse, config: {size: 3, rate_hz: 1}}\n"
        "  join: {type: test.join, thread: t, inputs: {a: a.out, b: b.out}}\n"
    )

    @register("test.join")
    class Join(Node):
        a = Input()
        b = Input()

        def process(self, a, b, ctx): ...

    with (
        pytest.raises(NodeError, match=r"edge a\.out -> join\.a is full.*same thread"),
        Runner(plan_text(text)) as runner,
    ):
        runner.run(duration_s=5)


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
