"""What goes wrong in nodes while they are opened and run, and what is said of it."""

from __future__ import annotations

import numpy as np
import pytest
from graph_text import nodes

from rtgraph import EndOfStream, Input, Node, NodeError, Output, Packet, Source, register
from rtgraph.planner import plan_text
from rtgraph.scheduler import Runner
from rtgraph.testing import record, run_node


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


def test_a_node_must_not_write_into_its_input():
    @register("test.doubles_in_place")
    class Doubles(Node):
        x = Input()
        out = Output(like="x")

        def process(self, x, ctx):
            x *= 2
            return x

    given = np.ones(3, np.float32)
    with pytest.raises(NodeError, match="read-only"):
        run_node(Doubles, {"x": [given]})
    assert given.tolist() == [1, 1, 1]
