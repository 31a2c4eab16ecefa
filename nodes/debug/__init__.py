"""debug.*: looking into a running graph, and measuring it."""

from rtgraph.nodes.debug import plot, print, relay

__all__ = ["plot", "print", "relay"]
