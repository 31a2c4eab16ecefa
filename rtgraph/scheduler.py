"""Runs a plan: opens the nodes, hands them to the C++ scheduler, waits, closes them."""

from __future__ import annotations

import logging
import sys

from rtgraph import _core
from rtgraph.context import Context
from rtgraph.errors import NodeError, RtGraphError, last_place, told
from rtgraph.graph import Plan, PlannedNode
from rtgraph.node import NativeNode, Outputs
from rtgraph.profiler import Profile
from rtgraph.run_builder import build_run

log = logging.getLogger("rtgraph")

#: How long Python threads may keep the GIL while another wants it, during a run. CPython's own 5 ms would be
#: a third of a 15 ms budget.
_SWITCH_INTERVAL_S = 0.0005


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
            n.name: Context(
                n.name,
                plan.folder,
                self.clock,
                self._profile_so_far,
                {port: edges[0].signal for port, edges in n.inputs.items()},
            )
            for n in plan.nodes
        }
        self._opened: list[PlannedNode] = []
        self._primed: dict[str, Outputs] = {}
        self._work: dict[str, object] = {}
        self._run: _core.Run | None = None
        self._switch_interval = 0.0

    def __enter__(self) -> Runner:
        self.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self._close_after_an_error()

    def open(self) -> None:
        """Open every node in topological order. After an error those that are open are closed again."""
        try:
            for planned in self.plan.nodes:
                # A node that fails half-way may hold something already, so it is closed like the others.
                self._opened.append(planned)
                self._open_node(planned)
        except BaseException:
            self._close_after_an_error()
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
            raise NodeError(planned.name, f"open failed: {told(error)}") from error

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
        self._run = build_run(
            self.plan, self.clock, self._work, self._contexts, self._primed, trace=self._trace
        )
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
            if place := last_place(traceback_text):
                message += f" ({place})"
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
        """Close every open node, the last opened first. What some raise keeps no other from it, and is raised
        at the end as one RtGraphError."""
        if errors := self._close_nodes():
            raise RtGraphError("\n".join(str(error) for error in errors)) from errors[0]

    def _close_after_an_error(self) -> None:
        """What is under way stays the error that is raised; those of closing are logged."""
        for error in self._close_nodes():
            log.error("%s", error)

    def _close_nodes(self) -> list[RtGraphError]:
        if self._run is not None:
            self._run.abort()
            self._run.join()
            self._run = None
            sys.setswitchinterval(self._switch_interval)
        errors = []
        while self._opened:
            try:
                self._close_node(self._opened.pop())
            except RtGraphError as error:
                errors.append(error)
        self._work.clear()
        return errors

    def _close_node(self, planned: PlannedNode) -> None:
        try:
            if planned.name in self._work and planned.is_native:
                _core.native_close(self._work[planned.name])
            planned.node.close()
        except RtGraphError:
            raise
        except Exception as error:
            raise NodeError(planned.name, f"close failed: {told(error)}") from error

    def _running(self) -> _core.Run:
        if self._run is None:
            raise RtGraphError("nothing is running; call start() first")
        return self._run
