"""Runs a plan: opens the nodes, hands them to the C++ scheduler, waits, closes them."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rtgraph import _core
from rtgraph.context import Context
from rtgraph.errors import GraphError, NodeError, RtGraphError
from rtgraph.graph import Plan, PlannedEdge, PlannedNode, Signal
from rtgraph.node import NativeNode, Node, Outputs, Source
from rtgraph.packet import Packet
from rtgraph.profiler import Profile

log = logging.getLogger("rtgraph")

#: How long Python threads may keep the GIL while another wants it, during a run. CPython's own 5 ms would be
#: a third of a 15 ms budget.
_SWITCH_INTERVAL_S = 0.0005
_TRACE_EVENTS = 1 << 18  # per segment; the newest are kept


class Runner:
    """One plan, run as often as wanted, one run at a time.

        with Runner(plan) as runner:
            runner.run(duration_s=10)
            print(runner.profile().table())

    `clock` overrules the file's. Nodes are opened when the runner is entered and closed when it is left. The
    methods belong to one thread, but for `stop` and `kill`, which any thread or signal handler may call.
    """

    def __init__(self, plan: Plan, *, clock: str | None = None, trace: bool = False) -> None:
        self.plan = plan
        self.clock = clock or plan.spec.clock
        self._trace = trace
        self._contexts = {
            n.name: Context(n.name, plan.folder, self.clock, self._profile_so_far) for n in plan.nodes
        }
        self._opened: list[PlannedNode] = []
        self._primed: dict[str, Outputs] = {}
        self._work: dict[str, object] = {}
        self._run: _core.Run | None = None
        self._switch_interval = 0.0

    def __enter__(self) -> Runner:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        """Open every node in topological order. After an error those that are open are closed again."""
        try:
            for planned in self.plan.nodes:
                # A node that fails half-way may hold something already, so it is closed like the others.
                self._opened.append(planned)
                self._open_node(planned)
        except BaseException:
            self.close()
            raise

    def _open_node(self, planned: PlannedNode) -> None:
        node = planned.node
        try:
            self._primed[planned.name] = node.open(self._contexts[planned.name])
            if isinstance(node, NativeNode):
                capsule = node.native()
                self._work[planned.name] = capsule
                if error := _core.native_open(capsule):
                    raise NodeError(planned.name, error)
            else:
                self._work[planned.name] = node.process
        except (RtGraphError, KeyboardInterrupt):
            raise
        except Exception as error:
            raise NodeError(planned.name, f"open failed: {type(error).__name__}: {error}") from error

    def run(self, *, duration_s: float | None = None) -> None:
        """Run to the end: of the input, of `duration_s`, or at `stop`. Raises NodeError where a node
        failed."""
        self.start(duration_s=duration_s)
        while not self.wait(0.1):
            pass
        self.finish()

    def start(self, *, duration_s: float | None = None) -> None:
        """Start the run's threads and return."""
        if self._run is not None:
            raise RtGraphError("this runner is running already; call finish() first")
        if not self._opened:
            raise RtGraphError("the runner is not open; use `with Runner(plan) as runner:`")
        self._run = self._build()
        self._switch_interval = sys.getswitchinterval()
        sys.setswitchinterval(min(self._switch_interval, _SWITCH_INTERVAL_S))
        self._run.start(duration_ns=int((duration_s or 0.0) * 1e9))

    def wait(self, timeout_s: float) -> bool:
        """Whether the run has ended, after waiting for that for a while."""
        return self._running().wait(timeout_s)

    def stop(self) -> None:
        """Ask for a clean end: sources stop, what is under way is finished."""
        if self._run is not None:
            self._run.request_stop()

    def kill(self) -> None:
        """End at once; packets under way are lost."""
        if self._run is not None:
            self._run.abort()

    def finish(self) -> None:
        """After the end: join the threads. Raises NodeError where a node failed."""
        run = self._running()
        run.join()
        sys.setswitchinterval(self._switch_interval)
        self._profile = Profile.from_core(run.profile(), self.plan, self.clock)
        self._events = run.trace() if self._trace else []
        for name, _, seq, message, _ in run.errors().values():
            if self.plan[name].spec.on_error == "skip":
                log.warning(
                    "node '%s' skipped packets after errors; the last, at packet %d: %s", name, seq, message
                )
        for message in run.warnings():
            log.warning("%s", message)
        failure = run.failure()
        self._run = None
        if failure is not None:
            name, port, seq, message, traceback_text = failure
            if places := re.findall(r'File "([^"]+)", line (\d+), in (\S+)', traceback_text):
                file, line, function = places[-1]
                message += f" ({Path(file).name}:{line}, in {function})"
            raise NodeError(name, message, port=port or None, seq=seq, traceback_text=traceback_text or None)

    def profile(self) -> Profile:
        """The figures so far, or of the last run."""
        if self._run is not None:
            return Profile.from_core(self._run.profile(), self.plan, self.clock)
        return self._profile

    def _profile_so_far(self) -> Profile | None:
        run = self._run  # read once: the run may end in the middle
        return None if run is None else Profile.from_core(run.profile(), self.plan, self.clock)

    def trace_events(self) -> list[tuple[str, str, int, int, int]]:
        """[(segment, node, seq, start_ns, duration_ns)] of the last run, where `trace` was asked for."""
        return self._events

    def reset(self) -> None:
        """Between runs: every node forgets the past."""
        for planned in self._opened:
            planned.node.reset()
            if planned.is_native:
                _core.native_reset(self._work[planned.name])

    def close(self) -> None:
        """Close every open node, the last opened first. Errors are logged: closing goes on."""
        if self._run is not None:
            self._run.abort()
            self._run.join()
            self._run = None
            sys.setswitchinterval(self._switch_interval)
        while self._opened:
            planned = self._opened.pop()
            try:
                if planned.name in self._work and planned.is_native:
                    _core.native_close(self._work[planned.name])
                planned.node.close()
            except Exception:
                log.exception("node '%s' failed to close", planned.name)
        self._work.clear()

    def _running(self) -> _core.Run:
        if self._run is None:
            raise RtGraphError("nothing is running; call start() first")
        return self._run

    def _build(self) -> _core.Run:
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
        if self._trace:
            run.enable_trace(_TRACE_EVENTS)
        return run

    def _add_node(self, run: _core.Run, segment: int, planned: PlannedNode, source: int) -> int:
        node = planned.node
        driver, rate_hz, first_tick_ns, endless = self._driver(planned)
        return run.add_node(
            segment=segment,
            name=planned.name,
            work=self._work[planned.name],
            context=self._contexts[planned.name],
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
        primed = self._primed.get(planned.name)
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
