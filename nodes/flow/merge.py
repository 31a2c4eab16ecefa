"""flow.merge: several streams of one kind become one."""

from __future__ import annotations

from typing import Any

from rtgraph import ANY_TENSOR, Input, Node, Output, register
from rtgraph.context import Context
from rtgraph.node import Outputs


@register("flow.merge")
class Merge(Node):
    """Sends on what comes from any of its producers, that which has waited longest first. All of them must
    send one type."""

    x = Input(ANY_TENSOR, many=True)
    out = Output(like="x")

    def process(self, x: Any, ctx: Context) -> Outputs:
        return {"out": x}
