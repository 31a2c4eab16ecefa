"""Signals: what each output of a graph sends, and whether that suits the inputs it is connected to."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from rtgraph.graph import PlannedEdge, PlannedNode, Signal
from rtgraph.places import Loc
from rtgraph.port import ANY_TENSOR, Output, Shape, TensorType


@dataclass(frozen=True)
class Mismatch:
    """One thing that does not fit: where in the file, what is there, what was expected."""

    loc: Loc
    message: str
    expected: str


def resolve_signals(nodes: Collection[PlannedNode]) -> None:
    """Fill in what each output sends. A pass-through repeats its input: this runs until nothing changes."""
    for node in nodes:
        for name, port in node.node.outputs.items():
            config = node.node.config
            node.outputs[name] = Signal(
                port.type,
                port.shape(config),
                port.rate_hz(config),
                port.sample_rate_hz(config),
                port.shared(config),
            )
    for _ in range(len(nodes) + 1):
        changed = False
        for node in sorted(nodes, key=lambda n: n.position):
            for name, port in node.node.outputs.items():
                signal = _inherit(node, port, node.outputs[name])
                changed = changed or signal != node.outputs[name]
                node.outputs[name] = signal
        if not changed:
            return


def _inherit(node: PlannedNode, port: Output, signal: Signal) -> Signal:
    rate = signal.rate_hz
    if rate is None and not node.is_source:
        rate = next((e.signal.rate_hz for e in node.incoming if e.kind == "queue" and e.signal.rate_hz), None)
    if port.like is None or port.like not in node.inputs:
        return Signal(signal.type, signal.shape, rate, signal.sample_rate_hz, signal.shared)
    origins = [e.signal for e in node.inputs[port.like]]
    first = origins[0]
    shape = first.shape if signal.shape is None else signal.shape
    sample_rate = signal.sample_rate_hz
    if sample_rate is None and shape == first.shape:  # of another shape, its elements are no samples any more
        sample_rate = first.sample_rate_hz
    if rate is None and not node.is_source:
        rate = first.rate_hz
    if len(origins) > 1:  # their packets follow one another on one output
        rates = [o.rate_hz for o in origins]
        rate = None if None in rates else sum(r for r in rates if r)
    return Signal(first.type, shape, rate, sample_rate, first.shared)


def mismatches(
    nodes: Collection[PlannedNode], edges: Collection[PlannedEdge], unsure: Collection[TensorType] = ()
) -> Iterator[Mismatch]:
    """Everything that does not fit. unsure: types of which nothing is known, behind another mistake."""
    for node in nodes:
        if not node.is_native:
            continue
        for name, signal in node.outputs.items():
            if not signal.is_static and signal.type not in unsure:
                yield Mismatch(
                    ("nodes", node.name, "type"),
                    f"output '{name}' of {node.spec.type} has no fixed size ({signal})",
                    "a fixed dtype and shape, declared or its input's, because the node is native",
                )
    for edge in edges:
        first = edge.consumer.inputs[edge.input][0].signal
        if edge.signal.type not in unsure and first.type not in unsure:
            yield from _along(edge, first)


def _along(edge: PlannedEdge, first: Signal) -> Iterator[Mismatch]:
    """What does not fit along one edge. first: what the first producer of the same input sends."""
    sent, port, config = edge.signal, edge.port, edge.consumer.node.config
    sender = f"{edge.producer.name}.{edge.output}"
    where = f"input '{edge.input}' of {edge.consumer.spec.type}"
    if (sent.type, sent.shape) != (first.type, first.shape) or _differ(
        sent.sample_rate_hz, first.sample_rate_hz
    ):
        yield Mismatch(edge.loc, f"{sender} sends {sent}", f"{first}, as the first producer")
        return
    if ANY_TENSOR not in (sent.type, port.type) and (sent.type.name, sent.type.dtype) != (
        port.type.name,
        port.type.dtype,
    ):
        yield Mismatch(
            edge.loc,
            f"{sender} sends {sent.type} ({sent.type.dtype})",
            f"{port.type} ({port.type.dtype}) for {where}",
        )
        return
    if port.type is ANY_TENSOR and sent.type.dtype == "object":
        yield Mismatch(edge.loc, f"{sender} sends objects", f"arrays for {where}")
        return
    shape = port.shape(config)
    if shape is not None and sent.shape is not None and not _shapes_agree(shape, sent.shape):
        yield Mismatch(
            edge.loc, f"{sender} sends shape {_shape(sent.shape)}", f"shape {_shape(shape)} for {where}"
        )
    rate = port.rate_hz(config)
    if rate is not None and sent.rate_hz is not None and _differ(rate, sent.rate_hz):
        yield Mismatch(
            edge.loc, f"{sender} sends {sent.rate_hz:g} packets a second", f"{rate:g} a second for {where}"
        )
    samples = port.sample_rate_hz(config)
    if samples is not None and sent.sample_rate_hz is not None and _differ(samples, sent.sample_rate_hz):
        remedy = _sample_rate_remedy(edge, samples, sent.sample_rate_hz)
        yield Mismatch(
            edge.loc,
            f"{sender} sends {sent.sample_rate_hz:g} samples a second",
            f"{samples:g} a second for {where}" + (remedy and f": {remedy}"),
        )
    mine = port.shared(config)
    if mine is not None and sent.shared is not None and mine != sent.shared:
        yield Mismatch(
            edge.loc,
            f"{sender} is made with `{port.shares}: {sent.shared}`",
            f"`{port.shares}: {mine}` for {where}: give both nodes the same",
        )
    if edge.consumer.is_native and not sent.is_static:
        yield Mismatch(
            edge.loc,
            f"{sender} sends packets of no fixed size ({sent})",
            f"a fixed dtype and shape, because {edge.consumer.spec.type} is native",
        )


def _sample_rate_remedy(edge: PlannedEdge, wanted: float, sent: float) -> str:
    """Which options would make both ends agree."""
    ways = []
    origin = _sample_rate_origin(edge.producer, edge.output)
    if origin is not None:
        ways.append(f"`{origin[1]}: {wanted:g}` in node '{origin[0].name}'")
    if edge.port.sample_rate_field:
        ways.append(f"`{edge.port.sample_rate_field}: {sent:g}` in node '{edge.consumer.name}'")
    return ", or ".join(ways)


def _sample_rate_origin(node: PlannedNode, output: str) -> tuple[PlannedNode, str] | None:
    """The node and its option that decide upon the samples a second of an output."""
    seen = []
    while node not in seen:
        seen.append(node)
        port = node.node.outputs[output]
        if port.sample_rate_field:
            return node, port.sample_rate_field
        if port.like is None or port.like not in node.inputs:
            return None
        edge = node.inputs[port.like][0]
        node, output = edge.producer, edge.output
    return None


def _differ(a: float | None, b: float | None) -> bool:
    """Whether two rates contradict each other."""
    return a is not None and b is not None and abs(a - b) > 1e-6 * a


def _shape(shape: Shape) -> str:
    return "[" + ", ".join("*" if d is None else str(d) for d in shape) + "]"


def _shapes_agree(a: Shape, b: Shape) -> bool:
    return len(a) == len(b) and all(x is None or y is None or x == y for x, y in zip(a, b, strict=True))
