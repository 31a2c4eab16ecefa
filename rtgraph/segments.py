"""Cuts a graph into segments: the runs of nodes that one thread executes inline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rtgraph.spec import ThreadSpec

if TYPE_CHECKING:
    from rtgraph.graph import PlannedEdge, PlannedNode


@dataclass
class Segment:
    """Nodes in topological order, on one thread."""

    name: str
    nodes: list[PlannedNode] = field(default_factory=list)
    thread: ThreadSpec = field(default_factory=ThreadSpec)


def cut_into_segments(
    nodes: Sequence[PlannedNode], edges: Sequence[PlannedEdge], threads: Mapping[str, ThreadSpec]
) -> list[Segment]:
    """Give every node its segment and mark the edges that become plain calls.

    A node joins the segment that feeds it: a call costs a tenth of a microsecond, a thread tens. It starts a
    segment of its own where it is a source, waits for the outside world, is fed from several segments or by
    held values alone, joins many producers, or where the file says how packets wait on the way in. `thread:`
    overrules all that.
    """
    segments: dict[str, Segment] = {}
    home: dict[str, Segment] = {}
    for node in nodes:
        name = node.spec.thread or _segment_to_join(node, home) or node.name
        if name not in segments:
            segments[name] = Segment(name, thread=threads.get(name, ThreadSpec()))
        home[node.name] = segments[name]
        segments[name].nodes.append(node)
    for edge in edges:
        feeding = [e for e in edge.consumer.incoming if e.fires]
        edge.inline = (
            edge.fires
            and edge.kind == "queue"
            and not edge.written
            and not edge.port.many
            and not edge.consumer.is_source
            and all(home[e.producer.name] is home[edge.consumer.name] for e in feeding)
        )
    return list(segments.values())


def _segment_to_join(node: PlannedNode, home: Mapping[str, Segment]) -> str | None:
    feeding = [e for e in node.incoming if e.fires]
    if node.is_source or node.node.blocking or not feeding:
        return None
    if any(e.written or e.port.many for e in feeding):
        return None
    names = {home[e.producer.name].name for e in feeding}
    return names.pop() if len(names) == 1 else None
