"""sink.*: where a graph's results go."""

from rtgraph.nodes.sink import file

__all__ = ["file"]
