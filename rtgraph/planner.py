"""From a checked graph file to a plan: every reference looked up, every port and edge checked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from rtgraph import registry
from rtgraph.errors import Diagnostic, GraphError, suggest
from rtgraph.graph import Plan, PlannedEdge, PlannedNode, Signal
from rtgraph.node import Node, Source
from rtgraph.plain_words import config_diagnostics
from rtgraph.port import ANY_TENSOR, Input, Output, Shape
from rtgraph.segments import cut_into_segments
from rtgraph.spec import EdgeSpec, GraphSpec, check_source
from rtgraph.yaml_source import parse_source, read_source

if TYPE_CHECKING:
    from rtgraph.yaml_source import Source as YamlSource


def load_plan(
    path: str | Path,
    *,
    variables: Mapping[str, str] | None = None,
    overrides: Sequence[tuple[str, str]] = (),
    swaps: Mapping[str, str] | None = None,
) -> Plan:
    """Read a graph file and plan it; parameters as for `rtgraph.spec.load_graph`.

    Raises GraphError with all the mistakes of the file, of its references and of the options.
    """
    source = read_source(path)
    return _plan(check_source(source, variables, overrides, swaps), source, swaps or {})


def plan_text(text: str, name: str = "<string>", **options: Any) -> Plan:
    """`load_plan` for a graph written as text."""
    source = parse_source(text, name)
    return _plan(check_source(source, **options), source, options.get("swaps") or {})


def make_plan(spec: GraphSpec, source: YamlSource) -> Plan:
    """Plan a checked specification."""
    return _plan(spec, source)


def _plan(spec: GraphSpec | None, source: YamlSource, swapped: Collection[str] = ()) -> Plan:
    """A swapped node may lack ports that its edges name: those edges are left out."""
    if spec is None:
        raise GraphError(source.problems)
    builder = _Builder(spec, source, set(swapped))
    builder.make_nodes()
    builder.make_edges()
    builder.sort()
    builder.resolve_signals()
    builder.check_signals()
    builder.check_frame()
    builder.check_clock()
    builder.check_threads()
    if builder.problems:
        raise GraphError(builder.problems)
    nodes = sorted(builder.nodes.values(), key=lambda n: n.position)
    edges = sorted(builder.edges, key=lambda e: (e.producer.position, e.consumer.position))
    return Plan(spec, source, nodes, edges, cut_into_segments(nodes, edges, spec.threads))


class _Builder:
    """Collects mistakes as it goes, so that all of them are reported together.

    A node or an edge that is wrong is left out; what it leaves behind is no mistake of its own.
    """

    def __init__(self, spec: GraphSpec, source: YamlSource, swapped: set[str]) -> None:
        self.spec = spec
        self.source = source
        self.swapped = swapped
        #: Of every node whose type there is, and of those the ones that could be made.
        self.classes: dict[str, type[Node]] = {}
        self.nodes: dict[str, PlannedNode] = {}
        self.edges: list[PlannedEdge] = []
        self.problems: list[Diagnostic] = list(source.problems)
        #: The nodes of the file, those too that could not be made.
        self.names = [
            *spec.nodes,
            *(str(loc[1]) for loc in source.failed if loc[:1] == ("nodes",) and len(loc) == 2),
        ]

    def is_whole(self, node: PlannedNode) -> bool:
        """Whether all that the file says of a node's inputs could be understood."""
        broken = any(loc[:3] == ("nodes", node.name, "inputs") for loc in self.source.failed)
        return not broken and set(node.inputs) == set(node.spec.inputs)

    def report(
        self,
        loc: tuple[str | int, ...],
        message: str,
        expected: str | None = None,
        hint: str | None = None,
        *,
        key: bool = False,
    ) -> None:
        self.problems.append(self.source.diagnostic(loc, message, expected, hint, key=key))

    def make_nodes(self) -> None:
        for name, spec in self.spec.nodes.items():
            loc = ("nodes", name)
            cls = registry.find(spec.type)
            if cls is None:
                expected = (
                    "a registered node type; `rtgraph nodes` lists them, `--import MODULE` adds a module's"
                )
                self.report(
                    (*loc, "type"),
                    f"there is no node type '{spec.type}'",
                    expected,
                    registry.nearest(spec.type),
                )
                continue
            self.classes[name] = cls
            try:
                config = cls.Config.model_validate(spec.config)
            except ValidationError as error:
                self.problems += config_diagnostics(self.source, (*loc, "config"), error, cls.Config)
                continue
            self.nodes[name] = PlannedNode(name, cls(config, name), spec)

    def make_edges(self) -> None:
        """Also of nodes whose config is wrong: their ports are known, and all mistakes are told at once."""
        for name, cls in self.classes.items():
            spec = self.spec.nodes[name]
            for port_name, edge_specs in spec.inputs.items():
                loc = ("nodes", name, "inputs", port_name)
                port = cls.inputs.get(port_name)
                if port is None:
                    if name not in self.swapped:
                        self.report(
                            loc,
                            f"{spec.type} has no input '{port_name}'",
                            _one_of(cls.inputs),
                            suggest(port_name, cls.inputs),
                            key=True,
                        )
                    continue
                if len(edge_specs) > 1 and not port.many:
                    self.report(
                        loc,
                        f"input '{port_name}' of {spec.type} takes one producer, not {len(edge_specs)}",
                        "one node.port; flow.merge joins several",
                    )
                    continue
                for i, edge_spec in enumerate(edge_specs):
                    self.make_edge(self.nodes.get(name), port, edge_spec, (*loc, i))
            for port_name, port in cls.inputs.items():
                loc = ("nodes", name, "inputs", port_name)
                if port_name not in spec.inputs and not port.optional and loc not in self.source.failed:
                    self.report(
                        ("nodes", name),
                        f"input '{port_name}' of {spec.type} is not connected",
                        f"inputs: {{{port_name}: node.output}} with {port.type}",
                        key=True,
                    )

    def make_edge(
        self, consumer: PlannedNode | None, port: Input, spec: EdgeSpec, loc: tuple[str | int, ...]
    ) -> None:
        cls = self.classes.get(spec.node)
        if cls is None:
            if spec.node not in self.names:  # otherwise its own mistake has been reported
                self.report(
                    loc,
                    f"there is no node '{spec.node}'",
                    _one_of(self.names),
                    suggest(spec.node, self.names),
                )
            return
        if spec.port not in cls.outputs:
            hint = suggest(spec.port, cls.outputs)
            self.report(
                loc,
                f"{cls.type_name} has no output '{spec.port}'",
                _one_of(cls.outputs),
                hint and f"{spec.node}.{hint}",
            )
            return
        producer = self.nodes.get(spec.node)
        if producer is None or consumer is None:  # one of them has a mistake in its config
            return
        kind = spec.edge or ("queue" if spec.capacity or spec.overflow else port.edge)
        edge = PlannedEdge(
            producer,
            spec.port,
            consumer,
            port.name,
            kind,
            capacity=1 if kind == "latest" else spec.capacity or port.capacity,
            overflow=spec.overflow or port.overflow,
            tolerance_ms=spec.tolerance_ms or port.tolerance_ms,
            written=spec.edge is not None or spec.capacity is not None or spec.overflow is not None,
            loc=loc,
        )
        consumer.inputs.setdefault(port.name, []).append(edge)
        self.edges.append(edge)

    def sort(self) -> None:
        """Topological order, of the file where there is a choice. Edges that leave a `breaks_cycle` node
        don't bind."""
        waiting = dict(self.nodes)
        position = 0
        while waiting:
            ready = next(
                (
                    n
                    for n in waiting.values()
                    if not any(self.binds(e) and e.producer.name in waiting for e in n.incoming)
                ),
                None,
            )
            if ready is None:
                self.report_cycle(waiting)
                return
            ready.position = position
            position += 1
            del waiting[ready.name]
        for edge in self.edges:
            edge.feedback = not self.binds(edge) and self.reaches(edge.consumer, edge.producer)
        for consumer in self.nodes.values():
            kinds = {e.kind for e in consumer.incoming}
            if "match" in kinds and "queue" not in kinds and self.is_whole(consumer):
                edge = next(e for e in consumer.incoming if e.kind == "match")
                self.report(
                    edge.loc,
                    f"node '{consumer.name}' has nothing to match by",
                    "another input with edge: queue, whose timestamps lead",
                )

    @staticmethod
    def binds(edge: PlannedEdge) -> bool:
        return not edge.producer.node.breaks_cycle

    def reaches(self, start: PlannedNode, end: PlannedNode) -> bool:
        """Whether packets of one node can come to another."""
        seen, todo = {start.name}, [start]
        while todo:
            node = todo.pop()
            if node is end:
                return True
            after = [e.consumer for e in self.edges if e.producer is node and e.consumer.name not in seen]
            seen.update(n.name for n in after)
            todo += after
        return False

    def report_cycle(self, waiting: Mapping[str, PlannedNode]) -> None:
        node = next(iter(waiting.values()))
        trail: list[PlannedNode] = []
        while node not in trail:
            trail.append(node)
            edge = next(e for e in node.incoming if self.binds(e) and e.producer.name in waiting)
            node = edge.producer
        circle = [*trail[trail.index(node) :], node]
        text = " -> ".join(n.name for n in reversed(circle))
        last = next(e for e in circle[0].incoming if e.producer is circle[1])
        self.report(
            last.loc, f"the graph runs in a circle: {text}", "a flow.delay somewhere on the way round"
        )

    def resolve_signals(self) -> None:
        """Fill in what each output sends. A pass-through repeats its input, so this runs until nothing
        changes."""
        for node in self.nodes.values():
            for name, port in node.node.outputs.items():
                node.outputs[name] = Signal(
                    port.type, port.shape(node.node.config), port.rate_hz(node.node.config)
                )
        for _ in range(len(self.nodes) + 1):
            changed = False
            for node in sorted(self.nodes.values(), key=lambda n: n.position):
                for name, port in node.node.outputs.items():
                    signal = self.inherit(node, port, node.outputs[name])
                    changed = changed or signal != node.outputs[name]
                    node.outputs[name] = signal
            if not changed:
                return

    def inherit(self, node: PlannedNode, port: Output, signal: Signal) -> Signal:
        rate = signal.rate_hz
        if rate is None and not node.is_source:
            rate = next(
                (e.signal.rate_hz for e in node.incoming if e.kind == "queue" and e.signal.rate_hz), None
            )
        if port.like is None or port.like not in node.inputs:
            return Signal(signal.type, signal.shape, rate)
        origins = [e.signal for e in node.inputs[port.like]]
        shape = origins[0].shape if signal.shape is None else signal.shape
        if rate is None and not node.is_source:
            rate = origins[0].rate_hz
        if len(origins) > 1:  # their packets follow one another on one output
            rates = [o.rate_hz for o in origins]
            rate = None if None in rates else sum(r for r in rates if r)
        return Signal(origins[0].type, shape, rate)

    def check_signals(self) -> None:
        # Behind a mistake it may be unknown what an output sends.
        unsure = (ANY_TENSOR,) if self.problems else ()
        for node in self.nodes.values():
            if not node.is_native:
                continue
            loose = [n for n, s in node.outputs.items() if not s.is_static and s.type not in unsure]
            for name in loose:
                self.report(
                    ("nodes", node.name, "type"),
                    f"output '{name}' of {node.spec.type} has no fixed size ({node.outputs[name]})",
                    "a fixed dtype and shape, declared or its input's, because the node is native",
                )
        for edge in self.edges:
            sent, port, config = edge.signal, edge.port, edge.consumer.node.config
            where = f"input '{edge.input}' of {edge.consumer.spec.type}"
            first = edge.consumer.inputs[edge.input][0].signal
            if sent.type in unsure or first.type in unsure:
                continue
            if (sent.type, sent.shape) != (first.type, first.shape):
                self.report(
                    edge.loc,
                    f"{edge.producer.name}.{edge.output} sends {sent}",
                    f"{first}, as the first producer",
                )
                continue
            if ANY_TENSOR not in (sent.type, port.type) and (sent.type.name, sent.type.dtype) != (
                port.type.name,
                port.type.dtype,
            ):
                self.report(
                    edge.loc,
                    f"{edge.producer.name}.{edge.output} sends {sent.type} ({sent.type.dtype})",
                    f"{port.type} ({port.type.dtype}) for {where}",
                )
                continue
            if port.type is ANY_TENSOR and sent.type.dtype == "object":
                self.report(
                    edge.loc, f"{edge.producer.name}.{edge.output} sends objects", f"arrays for {where}"
                )
                continue
            shape = port.shape(config)
            if shape is not None and sent.shape is not None and not _shapes_agree(shape, sent.shape):
                self.report(
                    edge.loc,
                    f"{edge.producer.name}.{edge.output} sends shape {_shape(sent.shape)}",
                    f"shape {_shape(shape)} for {where}",
                )
            rate = port.rate_hz(config)
            if rate is not None and sent.rate_hz is not None and abs(rate - sent.rate_hz) > 1e-6 * rate:
                self.report(
                    edge.loc,
                    f"{edge.producer.name}.{edge.output} sends {sent.rate_hz:g} packets a second",
                    f"{rate:g} a second for {where}",
                )
            if edge.consumer.is_native and not sent.is_static:
                self.report(
                    edge.loc,
                    f"{edge.producer.name}.{edge.output} sends packets of no fixed size ({sent})",
                    f"a fixed dtype and shape, because {edge.consumer.spec.type} is native",
                )

    def check_frame(self) -> None:
        if self.spec.frame is None:
            return
        name, _, output = self.spec.frame.partition(".")
        node = self.nodes.get(name)
        if node is None:
            if name not in self.names:
                self.report(
                    ("frame",), f"there is no node '{name}'", _one_of(self.names), suggest(name, self.names)
                )
        elif output not in node.node.outputs:
            hint = suggest(output, node.node.outputs)
            self.report(
                ("frame",),
                f"{node.spec.type} has no output '{output}'",
                _one_of(node.node.outputs),
                hint and f"{name}.{hint}",
            )

    def check_clock(self) -> None:
        if self.spec.clock != "audio" or len(self.nodes) < len(self.names):
            return
        clocks = [n.name for n in self.nodes.values() if isinstance(n.node, Source) and n.node.provides_clock]
        if len(clocks) != 1:
            given = "none has" if not clocks else f"{', '.join(clocks)} have"
            self.report(
                ("clock",),
                f"clock: audio needs one source with a sample clock; {given} one",
                "one audio device in the graph, or clock: system",
            )

    def check_threads(self) -> None:
        named = {n.thread for n in self.spec.nodes.values() if n.thread}
        for name in self.spec.threads:
            if name not in named and len(self.spec.nodes) == len(self.names):
                self.report(
                    ("threads", name),
                    f"no node runs on thread '{name}'",
                    "a node with thread: " + name,
                    suggest(name, named),
                    key=True,
                )
        sources: dict[str, str] = {}  # by thread
        for node in self.nodes.values():
            thread = node.spec.thread or ""
            if not thread or not node.is_source or node.node.inputs:
                continue
            if sources.setdefault(thread, node.name) != node.name:
                self.report(
                    ("nodes", node.name, "thread"),
                    f"thread '{thread}' already runs the source '{sources[thread]}'",
                    "a thread of its own for each source",
                )


def _one_of(names: Collection[str]) -> str:
    return "one of " + ", ".join(sorted(names)) if names else "none: it has no such ports"


def _shape(shape: Shape) -> str:
    return "[" + ", ".join("*" if d is None else str(d) for d in shape) + "]"


def _shapes_agree(a: Shape, b: Shape) -> bool:
    return len(a) == len(b) and all(x is None or y is None or x == y for x, y in zip(a, b, strict=True))
