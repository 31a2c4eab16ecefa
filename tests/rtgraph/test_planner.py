"""Planning: every kind of mistake at its place, segments cut where they should be."""

from __future__ import annotations

import re

import pytest
from graph_text import plan

from rtgraph import GraphError
from rtgraph.planner import plan_text

MISTAKES = {
    "unknown type": (
        "a: {type: test.rampp}",
        r"g.yaml:3:13: error: there is no node type 'test.rampp'.*did you mean 'test.ramp'",
    ),
    "unknown family": ("a: {type: tset.ramp}", r"3:13: error: there is no node type 'tset.ramp'"),
    "unknown input": (
        "a: {type: test.ramp}\nb: {type: test.gain, inputs: {y: a.out}}",
        r"4:33: error: test.gain has no input 'y'.*one of x",
    ),
    "not connected": ("b: {type: test.gain}", r"3:3: error: input 'x' of test.gain is not connected"),
    "unknown node": (
        "a: {type: test.ramp}\nb: {type: test.gain, inputs: {x: aa.out}}",
        r"4:36: error: there is no node 'aa'.*did you mean 'a'",
    ),
    "unknown output": (
        "a: {type: test.ramp}\nb: {type: test.gain, inputs: {x: a.outt}}",
        r"4:36: error: test.ramp has no output 'outt'.*mean 'a.out'",
    ),
    "no output named": (
        "a: {type: test.ramp}\nb: {type: test.gain, inputs: {x: a}}",
        r"4:36: error: 'a' names no port.*did you mean 'a.out'",
    ),
    "element type": (
        "a: {type: test.other}\nb: {type: test.gain, inputs: {x: a.out}}",
        r"4:36: error: a.out sends Other \(int32\).*Samples \(float32\)",
    ),
    "bad config value": ("a: {type: test.ramp, config: {count: many}}", r"3:40: error: .*count"),
    "unknown config field": (
        "a: {type: test.ramp, config: {cuont: 3}}",
        r"3:33: error: .*cuont.*did you mean 'count'",
    ),
    "cycle": (
        "a: {type: test.add, inputs: {a: b.out}}\nb: {type: test.gain, inputs: {x: a.out}}",
        r"error: the graph runs in a circle: (a -> b -> a|b -> a -> b).*flow.delay",
    ),
    "several into one": (
        "a: {type: test.ramp}\nc: {type: test.ramp}\nb: {type: test.gain, inputs: {x: [a.out, c.out]}}",
        r"error: input 'x' of test.gain takes one producer",
    ),
    "nothing to match by": (
        "a: {type: test.ramp}\nb: {type: test.gain, inputs: {x: {from: a.out, edge: match}}}",
        r"error: node 'b' has nothing to match by",
    ),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_mistake_is_reported_at_its_place(kind):
    nodes, expected = MISTAKES[kind]
    with pytest.raises(GraphError) as caught:
        plan(nodes)
    assert re.search(expected, str(caught.value), re.DOTALL), str(caught.value)


def test_all_mistakes_at_once():
    with pytest.raises(GraphError) as caught:
        plan(
            "a: {type: test.ramp, config: {count: x}}\nb: {type: no.such}\nc: {type: test.gain, inputs: {y: q.out}}"
        )
    assert len(caught.value.diagnostics) >= 4


def test_ports_are_checked_of_a_node_whose_config_is_wrong_too():
    with pytest.raises(GraphError) as caught:
        plan(
            "a: {type: test.ramp, config: {count: x}}\n"
            "b: {type: test.gain, inputs: {x: a.outt}}\n"
            "c: {type: test.gain, config: {no: 1}, inputs: {y: b.out}}"
        )
    said = str(caught.value)
    for mistake in (
        "cannot be 'x'",
        "no output 'outt'",
        "no field 'no'",
        "no input 'y'",
        "input 'x' of test.gain is not",
    ):
        assert mistake in said, said


def test_misspelt_inputs_are_one_mistake():
    with pytest.raises(GraphError) as caught:
        plan("a: {type: test.ramp}\nb: {type: test.gain, input: {x: a.out}}")
    assert [d.message for d in caught.value.diagnostics] == ["node 'b' has no field 'input'"]


@pytest.mark.parametrize(
    ("top", "expected"),
    [
        ("frame: b.out\n", r"2:8: error: there is no node 'b'"),
        ("frame: a\n", r"(?s)2:8: error: 'a' names no port.*did you mean 'a.out'"),
        ("frame: a.nothing\n", r"2:8: error: test.ramp has no output 'nothing'"),
        ("clock: audio\n", r"2:8: error: clock: audio needs one source with a sample clock; none has one"),
        ("threads: {fast: {priority: 5}}\n", r"2:11: error: no node runs on thread 'fast'"),
    ],
)
def test_mistake_at_the_top(top, expected):
    with pytest.raises(GraphError, match=expected):
        plan("a: {type: test.ramp}", top)


SEGMENTS = {
    "a line is one segment": (
        "b: {type: test.gain, inputs: {x: a.out}}\nc: {type: test.gain, inputs: {x: b.out}}",
        [["a", "b", "c"]],
    ),
    "a written queue cuts": ("b: {type: test.gain, inputs: {x: {from: a.out, edge: queue}}}", [["a"], ["b"]]),
    "a thread of its own": (
        "b: {type: test.gain, thread: t, inputs: {x: a.out}}\nc: {type: test.gain, inputs: {x: b.out}}",
        [["a"], ["b", "c"]],
    ),
    "a diamond stays together": (
        "b: {type: test.gain, inputs: {x: a.out}}\nc: {type: test.gain, inputs: {x: a.out}}\nd: {type: test.add, inputs: {a: b.out, b: c.out}}",
        [["a", "b", "c", "d"]],
    ),
    "two sources meet in a third": (
        "a2: {type: test.ramp}\nd: {type: test.add, inputs: {a: a.out, b: a2.out}}",
        [["a"], ["a2"], ["d"]],
    ),
    "a held value does not cut": (
        "a2: {type: test.ramp}\nd: {type: test.add, inputs: {a: a.out, b: {from: a2.out, edge: latest}}}",
        [["a", "d"], ["a2"]],
    ),
}


@pytest.mark.parametrize("kind", SEGMENTS)
def test_segments(kind):
    nodes, expected = SEGMENTS[kind]
    made = plan("a: {type: test.ramp}\n" + nodes)
    assert sorted([n.name for n in s.nodes] for s in made.segments) == sorted(expected)


def test_a_swap_keeps_the_edges_whose_ports_agree():
    text = "version: 1\nnodes:\n  a: {type: test.ramp}\n  b: {type: test.add, inputs: {a: a.out, b: a.out}}\n"
    made = plan_text(
        text + "  c: {type: test.gain, inputs: {x: b.out}}\n",
        swaps={"a": "test.ramp"},
        overrides=[("a.count", "9")],
    )
    assert made["a"].node.config.count == 9
    swapped = plan_text(text, swaps={"b": "test.add"})
    assert len(swapped.edges) == 2


def test_a_swap_to_a_type_with_other_inputs_says_which_the_file_connects():
    text = "version: 1\nnodes:\n  a: {type: test.ramp}\n  b: {type: test.add, inputs: {a: a.out}}\n"
    expected = "input 'x' of debug.discard is not connected: --swap kept no edge, as the file connects a\n"
    with pytest.raises(GraphError, match=expected):
        plan_text(text, swaps={"b": "debug.discard"})


def test_mistakes_of_structure_and_of_references_are_told_together_each_once() -> None:
    text = """version: 2
clok: system
frame: nosuch.out
nodes:
  mic: {type: audio.fil}
  Bad: {type: debug.print, inputs: {x: mic.audio}}
  odd: {type: nodots}
  map: {type: flow.map, inputs: {x: odd.out}, config: {op: nope}}
  see: {type: debug.print, inputs: {x: mic9.audio}, on_error: maybe}
  hear: {type: debug.discard, inputs: {x: "${nothing}"}}
  e: {type: debug.relay, inputs: {x: f.out}}
  f: {type: debug.relay, inputs: {x: e.out}, capacity: 3}
  g: {type: debug.discard, inputs: {x: {from: see.nope, edge: qeue}}}
"""
    with pytest.raises(GraphError) as caught:
        plan_text(text, "g.yaml")
    found = [(d.line, d.message) for d in caught.value.diagnostics]
    assert found == [
        (1, "'version' cannot be 2"),
        (2, "the graph file has no field 'clok'"),
        (3, "there is no node 'nosuch'"),
        (5, "there is no node type 'audio.fil'"),
        (6, "'Bad' is not a valid name"),
        (7, "'nodots' is not a node type"),
        (8, "'op' cannot be 'nope'"),
        (9, "there is no node 'mic9'"),
        (9, "'on_error' cannot be 'maybe'"),
        (10, "there is no variable 'nothing'"),
        (11, "the graph runs in a circle: e -> f -> e"),
        (12, "node 'f' has no field 'capacity'"),
        (13, "'edge' cannot be 'qeue'"),
    ]


def test_a_file_without_a_version_is_told_at_its_first_line():
    with pytest.raises(GraphError, match=r":1:1: error: .*version"):
        plan_text("nodes:\n  a: {type: test.ramp}\n  b: {type: test.gain, inputs: {x: a.out}}\n")
