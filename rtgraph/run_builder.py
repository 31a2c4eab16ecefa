"""Hands a plan to the C++ scheduler: segments, nodes with their ports and drivers, edges, first packets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rtgraph import _core
from rtgraph.context import Context
from rtgraph.errors import GraphError, NodeError
from rtgraph.graph import Plan, PlannedEdge, PlannedNode, Signal
from rtgraph.node import NativeNode, Node, Outputs, Source
from rtgraph.packet import Packet

_TRACE_EVENTS = 1 << 18  # per segment; the newest are kept


def build_run(
    plan: Plan,
    clock: str,
    work: Mapping[str, object],
    contexts: Mapping[str, Context],
    primed: Mapping[str, Outputs],
    *,
    trace: bool,
) -> _core.Run:
    """A run ready to start. By node: work, what processes (a bound method, or a native node's capsule);
    primed, what `open` returned."""
    run = _Builder(plan, clock, work, contexts, primed).build()
    if trace:
        run.enable_trace(_TRACE_EVENTS)
    return run


@dataclass(frozen=True)
class _Builder:
    plan: Plan
    clock: str
    work: Mapping[str, object]
    contexts: Mapping[str, Context]
    primed: Mapping[str, Outputs]

    def build(self) -> _core.Run:
        plan = self.plan
        origins = [n for n in plan.nodes if n.is_source and not any(n.incoming)]
        run = _core.Run(self.clock, len(origins))
        index: dict[str, int] = {}
        for segment in plan.segments:
            place = run.add_segment(segment.name, segment.thread.cpus or [], segment.thread.priority or 0)
            for planned in segment.nodes:
                source = origins.index(planned) if planned in origins else -1
                index[planned.name] = self._add_node(run, place, planned, source)
        for edge in plan.edges:
            self._connect(run, index, edge)
        for planned in plan.nodes:
            if not any(e.producer is planned for e in plan.edges):
                run.measure_paths(index[planned.name])
            self._prime(run, index[planned.name], planned)
        if plan.frame is not None:
            planned, output = plan.frame
            budget_ns = int((plan.spec.budget_ms or 0.0) * 1e6)
            run.set_frame(index[planned.name], _position(planned.node.outputs, output), budget_ns)
        return run

    def _add_node(self, run: _core.Run, segment: int, planned: PlannedNode, source: int) -> int:
        node = planned.node
        driver, rate_hz, first_tick_ns, endless = self._driver(planned)
        return run.add_node(
            segment=segment,
            name=planned.name,
            work=self.work[planned.name],
            context=self.contexts[planned.name],
            order=_argument_order(node),
            inputs=[self._input(planned, name) for name in node.inputs],
            outputs=[(name, *_wire_type(planned.outputs[name])) for name in node.outputs],
            fires_any=node.fires == "any" or any(p.many for p in node.inputs.values()),
            skip_errors=planned.spec.on_error == "skip",
            driver=driver,
            rate_hz=rate_hz,
            first_tick_ns=first_tick_ns,
            endless=endless,
            source=source,
        )

    def _driver(self, planned: PlannedNode) -> tuple[str, float, int, bool]:
        node = planned.node
        if not isinstance(node, Source):
            return "inputs", 0.0, 0, False
        rate_hz = node.rate_hz()
        if rate_hz is not None:
            return "rate", rate_hz, node.first_tick_ns(), node.endless
        if self.clock == "manual":
            raise GraphError(
                [
                    self.plan.source.diagnostic(
                        ("nodes", planned.name, "type"),
                        f"{planned.spec.type} is driven by a device and cannot follow a manual clock",
                        f"a live clock, or --swap {planned.name}=TYPE with a source of a fixed rate",
                    )
                ]
            )
        return "device", 0.0, 0, node.endless

    def _input(
        self, planned: PlannedNode, name: str
    ) -> tuple[str, bool, str | None, Iterable[int | None] | None]:
        port = planned.node.inputs[name]
        edges = planned.inputs.get(name, [])
        kind = edges[0].kind if edges else port.edge
        dtype, shape = _wire_type(edges[0].signal) if edges else (None, None)
        return kind, port.optional or not edges, dtype, shape

    def _connect(self, run: _core.Run, index: Mapping[str, int], edge: PlannedEdge) -> None:
        run.connect(
            name=edge.name,
            from_node=index[edge.producer.name],
            output=_position(edge.producer.node.outputs, edge.output),
            to_node=index[edge.consumer.name],
            port=_position(edge.consumer.node.inputs, edge.input),
            kind=edge.kind,
            overflow=edge.overflow,
            capacity=0 if edge.inline else edge.capacity,
            tolerance_ns=int(edge.tolerance_ms * 1e6),
            feedback=edge.feedback,
        )

    def _prime(self, run: _core.Run, index: int, planned: PlannedNode) -> None:
        primed = self.primed.get(planned.name)
        if primed is None:
            return
        if not planned.node.breaks_cycle or not isinstance(primed, Mapping | list):
            given = "outputs" if isinstance(primed, Mapping | list) else f"a {type(primed).__name__}"
            raise NodeError(
                planned.name,
                f"open returned {given}; only one with breaks_cycle may, and then a dict or a list of them",
            )
        now = 0 if self.clock == "manual" else _core.monotonic_ns()
        for outputs in [primed] if isinstance(primed, Mapping) else primed:
            for name, value in outputs.items():
                stamp = value.timestamp_ns if isinstance(value, Packet) else now
                data = value.data if isinstance(value, Packet) else value
                try:
                    run.prime(index, _position(planned.node.outputs, name), data, stamp)
                except TypeError as error:
                    raise NodeError(planned.name, f"open: {error}", port=name) from None


def _wire_type(signal: Signal) -> tuple[str | None, Iterable[int | None] | None]:
    if signal.type.dtype in ("any", "object"):
        return None, None
    return signal.type.dtype, signal.shape


def _argument_order(node: Node) -> list[int]:
    """For each argument of `process` before ctx, which input it takes."""
    if isinstance(node, NativeNode):
        return []
    import inspect

    names = [p for p in inspect.signature(node.process).parameters if p != "ctx"]
    return [_position(node.inputs, name) for name in names]


def _position(ports: Mapping[str, Any], name: str) -> int:
    return list(ports).index(name)
