"""What tests of graph files share: a graph with a bit of everything, and its mistakes when it is edited."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest

from rtgraph.errors import Diagnostic, GraphError
from rtgraph.graph import Plan
from rtgraph.planner import plan_text
from rtgraph.spec import parse_graph

GRAPH = """\
version: 1
clock: manual
budget_ms: 15
frame: mel.mel
variables: {clip: talk.wav, hop_ms: 10, loud: true}
threads: {io: {cpus: [0, 1], priority: 50}, calm: }
nodes:
  mic:
    type: audio.file
    config: {path: "${clip}", hop_ms: "${hop_ms}", title: "${clip} at ${hop_ms} ms, ${loud}", raw: "$${clip}"}
  mel:
    type: audio.mel
    config:
    inputs:
      audio: {from: mic.audio, edge: queue, capacity: 8, overflow: drop_oldest}
      levels: [mic.level, {from: mic.peak, edge: match, tolerance_ms: 2}]
    thread: io
    on_error: skip
"""


CHAIN = """
version: 1
budget_ms: 15
frame: gain.out
nodes:
  ramp: {type: test.ramp, config: {count: 20}}
  gain: {type: test.gain, inputs: {x: ramp.out}}
  end: {type: debug.discard, inputs: {x: gain.out}}
"""


def mistakes(text: str, **options: Any) -> list[Diagnostic]:
    with pytest.raises(GraphError) as caught:
        parse_graph(text, "g.yaml", **options)
    return caught.value.diagnostics


def rendered(text: str, **options: Any) -> str:
    return "\n".join(str(d) for d in mistakes(text, **options))


def node(fields: str) -> str:
    """A graph whose node `a` has further fields, in line 3 from column 18 on."""
    return f"version: 1\nnodes:\n  a: {{type: x.y, {fields}}}\n"


def nodes(text: str) -> str:
    """A graph of these nodes and nothing else."""
    return "version: 1\nnodes:\n" + text


def plan(nodes: str, top: str = "") -> Plan:
    """The plan of these nodes, which begin in line 3, two columns further right."""
    return plan_text(
        "version: 1\n" + textwrap.dedent(top) + "nodes:\n" + textwrap.indent(textwrap.dedent(nodes), "  "),
        "g.yaml",
    )
