"""debug.*: looking into a running graph, and measuring it."""

from rtgraph.nodes.debug import relay

__all__ = ["relay"]
