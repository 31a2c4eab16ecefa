"""Looks for NaN and Inf in everything that the nodes of a graph send to each other, without their help."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from rtgraph.context import Context
from rtgraph.graph import Plan, PlannedEdge, PlannedNode
from rtgraph.node import Node, NodeConfig
from rtgraph.port import ANY_TENSOR, Input
from rtgraph.profiler import Profile
from rtgraph.segments import cut_into_segments
from rtgraph.spec import EdgeSpec, NodeSpec

_PREFIX = "values of "  # no node of a file can be called so


class _ValueCheck(Node):
    """Counts the packets of one output, and those in which a number is not finite."""

    x = Input(ANY_TENSOR)

    def __init__(self, config: NodeConfig, name: str = "") -> None:
        super().__init__(config, name)
        self.packets = self.wrong = 0
        self.first: int | None = None  # number of the first wrong packet

    def process(self, x: Any, ctx: Context) -> None:
        self.packets += 1
        if isinstance(x, np.ndarray) and x.dtype.kind in "fc" and not np.isfinite(x).all():
            self.wrong += 1
            if self.first is None:
                self.first = self.packets - 1


def with_value_checks(plan: Plan) -> Plan:
    """The plan with a look at every connected output of floating-point numbers, and at the frame; its nodes
    are shared.

    A look costs a call of Python and a pass over the array, also in segments that are native otherwise.
    """
    looked_at = dict.fromkeys((e.producer.name, e.output) for e in plan.edges)
    if plan.frame is not None:
        looked_at[plan.frame[0].name, plan.frame[1]] = None
    nodes, edges = list(plan.nodes), list(plan.edges)
    for name, output in looked_at:
        producer = plan[name]
        dtype = producer.outputs[output].type.dtype
        if dtype == "object" or (dtype != "any" and np.dtype(dtype).kind not in "fc"):
            continue
        check = _PREFIX + f"{name}.{output}"
        spec = NodeSpec(type="debug.values", inputs={"x": (EdgeSpec.model_validate(f"{name}.{output}"),)})
        looking = PlannedNode(check, _ValueCheck(NodeConfig(), check), spec, position=len(nodes))
        port = _ValueCheck.inputs["x"]
        edge = PlannedEdge(
            *(producer, output, looking, "x", "queue", port.capacity, port.overflow, port.tolerance_ms),
            written=False,
            loc=("nodes", name),
        )
        looking.inputs["x"] = [edge]
        nodes.append(looking)
        edges.append(edge)
    edges.sort(key=lambda e: (e.producer.position, e.consumer.position))
    return Plan(plan.spec, plan.source, nodes, edges, cut_into_segments(nodes, edges, plan.spec.threads))


def found_values(plan: Plan) -> list[str]:
    """After a run of a plan with checks: a sentence for each output that sent what is not finite."""
    return [
        f"{node.name.removeprefix(_PREFIX)} sent NaN or Inf in {node.node.wrong} of {node.node.packets} "
        f"packets, first in packet {node.node.first}"
        for node in plan.nodes
        if isinstance(node.node, _ValueCheck) and node.node.wrong
    ]


def without_checks(profile: Profile) -> Profile:
    """The profile of such a run as if nobody had looked; the time that looking took is still in latencies."""

    def is_check(name: str) -> bool:
        return name.rpartition(" -> ")[2].startswith(_PREFIX)

    return replace(
        profile,
        nodes={name: figures for name, figures in profile.nodes.items() if not is_check(name)},
        edges={name: figures for name, figures in profile.edges.items() if not is_check(name)},
        paths={name: figures for name, figures in profile.paths.items() if not is_check(name)},
    )
