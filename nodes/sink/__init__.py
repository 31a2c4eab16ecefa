"""sink.*: where a graph's results go."""

from rtgraph.nodes.sink import file, live_link, osc, recorder, viewer, visemes, vmc, vrchat, websocket

__all__ = ["file", "live_link", "osc", "recorder", "viewer", "visemes", "vmc", "vrchat", "websocket"]
