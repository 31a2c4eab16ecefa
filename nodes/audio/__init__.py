"""audio.*: where sound comes into a graph."""

from rtgraph.nodes.audio import file, microphone
from rtgraph.nodes.audio.types import AudioChunk

__all__ = ["AudioChunk", "file", "microphone"]
