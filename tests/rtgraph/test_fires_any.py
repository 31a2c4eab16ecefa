"""Nodes that fire on any of their packets: one moment at a time, and nothing lost."""

from __future__ import annotations

import numpy as np
from graph_text import nodes

from rtgraph import Input, Node, Output, Packet, register
from rtgraph.planner import plan_text
from rtgraph.scheduler import Runner
from rtgraph.testing import run_node


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
