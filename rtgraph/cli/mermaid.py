"""A graph as Mermaid text (mermaid.js.org), which Markdown viewers draw."""

from __future__ import annotations

from collections.abc import Mapping

from rtgraph.cli.edge_label import edge_label
from rtgraph.cli.times import NodeTime
from rtgraph.graph import Plan, PlannedEdge, PlannedNode

#: From cool to hot: the fill for shares of time up to 10, 25, 50 and 100 %. Dark text on each, in light and
#: dark themes.
_HEAT = ((0.10, "#fff7ec"), (0.25, "#fdd49e"), (0.50, "#fc8d59"), (1.01, "#ef6548"))


def mermaid(plan: Plan, times: Mapping[str, NodeTime] | None = None) -> str:
    """Segments as subgraphs, edge policies as labels; with times, nodes coloured by their share of the median
    time and framed by that of the p99."""
    lines = ["flowchart LR"]
    for segment in plan.segments:
        lines.append(f'  subgraph s_{segment.name}["{segment.name}"]')
        lines += [f"    {_node(node, times)}" for node in segment.nodes]
        lines.append("  end")
    lines += [f"  {_edge(edge)}" for edge in plan.edges]
    if times is not None:
        lines += [f"  style n_{node.name} {_style(times[node.name])}" for node in plan.nodes]
    return "\n".join(lines) + "\n"


def _node(node: PlannedNode, times: Mapping[str, NodeTime] | None) -> str:
    rows = [node.name, node.spec.type]
    if times is not None:
        rows.append(str(times[node.name]))
    # The prefix keeps a node named `end` from being the keyword.
    return f'n_{node.name}["{"<br/>".join(rows)}"]'


def _edge(edge: PlannedEdge) -> str:
    arrow = "-->" if edge.inline else "-.->" if edge.kind == "latest" else "==>"
    label = edge_label(edge)
    return f"n_{edge.producer.name} {arrow}" + (f'|"{label}"|' if label else "") + f" n_{edge.consumer.name}"


def _style(time: NodeTime) -> str:
    return f"fill:{_colour(time.p50_share)},stroke:{_colour(time.p99_share)},stroke-width:4px,color:#111"


def _colour(share: float) -> str:
    return next(colour for limit, colour in _HEAT if share < limit)
