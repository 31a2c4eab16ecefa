"""What tests of the command line share: a graph, a module with a node, and the command."""

from __future__ import annotations

from typing import Any

from typer.testing import CliRunner

from rtgraph.cli.app import app

GRAPH = """\
version: 1
name: demo
clock: manual
budget_ms: 5
frame: tail.out
variables: {count: 20}
nodes:
  pulse: {type: debug.pulse, config: {size: 4, rate_hz: 100, count: "${count}"}}
  head: {type: debug.relay, inputs: {x: pulse.out}}
  tail: {type: debug.relay, inputs: {x: {from: head.out, capacity: 8, overflow: drop_oldest}}}
  watch: {type: debug.discard, inputs: {x: {from: pulse.out, edge: latest}}}
  end: {type: debug.discard, inputs: {x: tail.out}}
"""
NODE = """\
from rtgraph import ANY_TENSOR, Input, Node, NodeConfig, Output, register

@register("clitest.fails")
class Fails(Node):
    class Config(NodeConfig):
        at: int
    x = Input(ANY_TENSOR)
    out = Output(like="x", shape=lambda c: (c.at,))

    def process(self, x, ctx):
        if ctx.seq >= self.config.at:
            raise ValueError("the bird has flown")
        return {"out": x}
"""


def rtgraph(*words: str, code: int = 0) -> Any:
    """Run a command in this process; its exit code must be as said."""
    result = CliRunner().invoke(app, words)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result
