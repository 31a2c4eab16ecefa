"""audio.*: where sound comes into a graph, and what is done to it."""

from rtgraph.nodes.audio import delay, file, mel, microphone, speech_gate
from rtgraph.nodes.audio.types import AudioChunk

__all__ = ["AudioChunk", "delay", "file", "mel", "microphone", "speech_gate"]
