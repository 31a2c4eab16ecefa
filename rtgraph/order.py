"""The order in which the nodes of a graph come, and the circles in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from rtgraph.graph import PlannedEdge, PlannedNode


def sort_nodes(nodes: Collection[PlannedNode], edges: Collection[PlannedEdge]) -> list[PlannedEdge]:
    """Number the nodes in topological order, that of the file where there is a choice, and mark the edges
    that close a circle through a `breaks_cycle` node.

    Returns [], or the edges of a circle that no such node breaks, in the order in which packets would run.
    """
    waiting = {node.name: node for node in nodes}
    position = 0
    while waiting:
        ready = next(
            (
                n
                for n in waiting.values()
                if not any(_binds(e) and e.producer.name in waiting for e in n.incoming)
            ),
            None,
        )
        if ready is None:
            return _circle(waiting)
        ready.position = position
        position += 1
        del waiting[ready.name]
    for edge in edges:
        edge.feedback = not _binds(edge) and _reaches(edge.consumer, edge.producer, edges)
    return []


def _binds(edge: PlannedEdge) -> bool:
    """Whether the producer has to come first."""
    return not edge.producer.node.breaks_cycle


def _reaches(start: PlannedNode, end: PlannedNode, edges: Collection[PlannedEdge]) -> bool:
    """Whether packets of one node can come to another."""
    seen, todo = {start.name}, [start]
    while todo:
        node = todo.pop()
        if node is end:
            return True
        after = [e.consumer for e in edges if e.producer is node and e.consumer.name not in seen]
        seen.update(n.name for n in after)
        todo += after
    return False


def _circle(waiting: Mapping[str, PlannedNode]) -> list[PlannedEdge]:
    """Upstream from any of the nodes that wait for each other, until one comes again."""
    node = next(iter(waiting.values()))
    seen: list[PlannedNode] = []
    trail: list[PlannedEdge] = []
    while node not in seen:
        seen.append(node)
        edge = next(e for e in node.incoming if _binds(e) and e.producer.name in waiting)
        trail.append(edge)
        node = edge.producer
    return trail[seen.index(node) :][::-1]
