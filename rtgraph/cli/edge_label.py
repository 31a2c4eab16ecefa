"""What a picture of a graph says about an edge."""

from __future__ import annotations

from rtgraph.graph import PlannedEdge


def edge_label(edge: PlannedEdge) -> str:
    """How packets wait, after the input's name where the node has several; "" where there is nothing to
    say."""
    port = edge.input if len(edge.consumer.node.inputs) > 1 else ""
    return ": ".join(part for part in (port, _policy(edge)) if part)


def _policy(edge: PlannedEdge) -> str:
    if edge.inline:
        return ""  # a plain call: nothing waits
    if edge.kind == "latest":
        return "latest"
    if edge.kind == "match":
        return f"match ±{edge.tolerance_ms:g} ms"
    return f"queue {edge.capacity}, {edge.overflow}"
