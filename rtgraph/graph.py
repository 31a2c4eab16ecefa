"""Plan: a graph ready to run, its nodes made, its edges typed, its segments laid out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rtgraph.node import NativeNode, Node, Source
from rtgraph.port import EdgeKind, Input, Overflow, Shape, TensorType
from rtgraph.spec import GraphSpec, NodeSpec

if TYPE_CHECKING:
    from rtgraph.segments import Segment
    from rtgraph.yaml_source import Source as YamlSource


@dataclass
class Signal:
    """What an output sends: element type, shape (`None` where nothing is known of it), packets a second, of
    sound and the like samples a second, and what its receivers must have in common with the sender."""

    type: TensorType
    shape: Shape | None = None
    rate_hz: float | None = None
    sample_rate_hz: float | None = None
    shared: object = None

    def __str__(self) -> str:
        size = (
            ""
            if self.shape is None
            else str([("*" if d is None else d) for d in self.shape]).replace("'", "")
        )
        rate = "" if self.rate_hz is None else f" at {self.rate_hz:g} Hz"
        samples = "" if self.sample_rate_hz is None else f" of {self.sample_rate_hz:g} samples/s"
        return f"{self.type}{size}{samples}{rate}"

    @property
    def is_static(self) -> bool:
        """Whether every packet has the same number of bytes, as a native node needs it."""
        return self.type.dtype not in ("any", "object") and self.shape is not None and None not in self.shape


@dataclass
class PlannedNode:
    """A node as it will run. `position` is its place in the topological order."""

    name: str
    node: Node
    spec: NodeSpec
    outputs: dict[str, Signal] = field(default_factory=dict)
    inputs: dict[str, list[PlannedEdge]] = field(default_factory=dict)
    position: int = 0

    @property
    def is_source(self) -> bool:
        return isinstance(self.node, Source)

    @property
    def is_native(self) -> bool:
        return isinstance(self.node, NativeNode)

    @property
    def incoming(self) -> Iterator[PlannedEdge]:
        for edges in self.inputs.values():
            yield from edges


@dataclass
class PlannedEdge:
    """One producer's output into one consumer's input.

    `inline`: both run in one segment, one after the other. `feedback`: it closes a circle.
    """

    producer: PlannedNode
    output: str
    consumer: PlannedNode
    input: str
    kind: EdgeKind
    capacity: int
    overflow: Overflow
    tolerance_ms: float
    written: bool  # the graph file says something of how packets wait here
    loc: tuple[str | int, ...]
    inline: bool = False
    feedback: bool = False

    @property
    def name(self) -> str:
        return f"{self.producer.name}.{self.output} -> {self.consumer.name}.{self.input}"

    @property
    def signal(self) -> Signal:
        return self.producer.outputs[self.output]

    @property
    def port(self) -> Input:
        return self.consumer.node.inputs[self.input]

    @property
    def fires(self) -> bool:
        """Whether its packets fire the consumer in the round in which they were sent."""
        return self.kind != "latest" and not self.producer.node.breaks_cycle


@dataclass
class Plan:
    """A graph ready to run: `nodes` in topological order, `segments` in the order of their first nodes."""

    spec: GraphSpec
    source: YamlSource
    nodes: list[PlannedNode]
    edges: list[PlannedEdge]
    segments: list[Segment]

    def __getitem__(self, name: str) -> PlannedNode:
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    @property
    def folder(self) -> Path:
        """Where relative file names in the graph are looked for first."""
        return self.source.folder

    @property
    def frame(self) -> tuple[PlannedNode, str] | None:
        """The node and the output at which a frame is complete."""
        if self.spec.frame is None:
            return None
        name, _, output = self.spec.frame.partition(".")
        return self[name], output
