"""flow.*: nodes that shape the stream of packets, whatever is in them."""

from rtgraph.nodes.flow import delay, map, merge, rate

__all__ = ["delay", "map", "merge", "rate"]
