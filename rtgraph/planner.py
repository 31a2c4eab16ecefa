"""From a checked graph file to a plan: every reference looked up, every port and edge checked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtgraph import registry
from rtgraph.errors import Diagnostic, GraphError, suggest
from rtgraph.graph import Plan, PlannedEdge, PlannedNode
from rtgraph.node import Node, Source
from rtgraph.node_maker import make_node
from rtgraph.order import sort_nodes
from rtgraph.places import Loc
from rtgraph.port import ANY_TENSOR, Input
from rtgraph.segments import cut_into_segments
from rtgraph.signals import mismatches, resolve_signals
from rtgraph.spec import EdgeSpec, GraphSpec, NodeSpec, check_source
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

    def is_doubtful(self, loc: Loc) -> bool:
        """Of an input, `nodes, NAME, inputs, PORT`: whether it could not be read, or may stand in a field
        that its node does not have, a misspelt `inputs`."""
        unknown = [f for f in self.source.failed if len(f) == 3 and f[2] not in NodeSpec.model_fields]
        return loc in self.source.failed or any(f[:2] == loc[:2] for f in unknown)

    def report(
        self,
        loc: Loc,
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
                self.report(
                    (*loc, "type"),
                    f"there is no node type '{spec.type}'",
                    registry.remedy(spec.type, Path.cwd(), self.source.folder),
                    registry.nearest(spec.type),
                )
                continue
            self.classes[name] = cls
            node, problems = make_node(name, spec, cls, self.source)
            self.problems += problems
            if node is not None:
                self.nodes[name] = node

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
                if port_name not in spec.inputs and not port.optional and not self.is_doubtful(loc):
                    lost = [p for p in spec.inputs if p not in cls.inputs] if name in self.swapped else []
                    why = f": --swap kept no edge, as the file connects {', '.join(lost)}" if lost else ""
                    self.report(
                        ("nodes", name),
                        f"input '{port_name}' of {spec.type} is not connected{why}",
                        f"inputs: {{{port_name}: node.output}} with {port.type}",
                        key=True,
                    )

    def make_edge(self, consumer: PlannedNode | None, port: Input, spec: EdgeSpec, loc: Loc) -> None:
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
        if not self.has_output(spec.node, cls, spec.port, loc):
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

    def has_output(self, name: str, cls: type[Node], port: str, loc: Loc) -> bool:
        """Whether the node of that name has the output; if not, it is reported."""
        if port in cls.outputs:
            return True
        if port or not cls.outputs:
            hint, message = suggest(port, cls.outputs), f"{cls.type_name} has no output '{port}'"
        else:
            hint, message = next(iter(cls.outputs)), f"'{name}' names no port"
        self.report(loc, message, _one_of(cls.outputs), hint and f"{name}.{hint}")
        return False

    def sort(self) -> None:
        """Also looks for what only the order tells: circles, and inputs with nothing to match by."""
        circle = sort_nodes(self.nodes.values(), self.edges)
        if circle:
            way = " -> ".join([circle[0].producer.name, *(e.consumer.name for e in circle)])
            self.report(
                circle[-1].loc,
                f"the graph runs in a circle: {way}",
                "a flow.delay somewhere on the way round",
            )
            return
        for consumer in self.nodes.values():
            kinds = {e.kind for e in consumer.incoming}
            if "match" in kinds and "queue" not in kinds and self.is_whole(consumer):
                edge = next(e for e in consumer.incoming if e.kind == "match")
                self.report(
                    edge.loc,
                    f"node '{consumer.name}' has nothing to match by",
                    "another input with edge: queue, whose timestamps lead",
                )

    def check_signals(self) -> None:
        resolve_signals(self.nodes.values())
        # Behind a mistake it may be unknown what an output sends.
        unsure = (ANY_TENSOR,) if self.problems else ()
        for found in list(mismatches(self.nodes.values(), self.edges, unsure)):
            self.report(found.loc, found.message, found.expected)

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
        else:
            self.has_output(name, type(node.node), output, ("frame",))

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
