"""Waits for a run's end: passes interrupts on, keeps the status line, says what a slow end is waiting for."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from rtgraph.cli.interrupts import Interrupts
from rtgraph.graph import Plan, PlannedNode
from rtgraph.profiler import Profile
from rtgraph.scheduler import Runner

_POLL_S = 0.1
_STATUS_S = 1.0
_KILL_S = 2.0  # how long a killed run may take; after that a node hangs in its own code


def follow(
    runner: Runner,
    interrupts: Interrupts,
    say: Callable[[str], None],
    *,
    status: bool = False,
    duration_s: float | None = None,
    drain_notice_s: float = 5.0,
) -> bool:
    """Wait until the started run has ended; False where it was killed and a node hangs nevertheless.

    status: keep a line on stdout, which is a terminal. duration_s: when a live run is due to end by itself.
    drain_notice_s: how often a run that is due to end says which nodes still run.
    """
    now = time.monotonic()
    next_status_s = now + _STATUS_S
    next_notice_s = None if duration_s is None else now + duration_s + drain_notice_s
    stopping = False
    while not runner.wait(_POLL_S):
        now = time.monotonic()
        if interrupts.count >= 2:
            say("ending at once")
            runner.kill()
            return runner.wait(_KILL_S)
        if interrupts.count == 1 and not stopping:
            stopping = True
            say("stopping; interrupt again to end at once")
            runner.stop()
            next_notice_s = now + drain_notice_s
        if next_notice_s is not None and now >= next_notice_s:
            next_notice_s = now + drain_notice_s
            nodes = still_running(runner.profile(), runner.plan)
            say("waiting for nodes that still run: " + (", ".join(nodes) or "sources in their own code"))
        if status and now >= next_status_s:
            next_status_s = now + _STATUS_S
            _show(_status_line(runner.profile(), runner.plan))
    if status:
        _show("")
    return True


def still_running(profile: Profile, plan: Plan) -> list[str]:
    """The nodes that have packets before them which they have not finished."""
    return [node.name for node in plan.nodes if _waiting(node, profile) > 0]


def _waiting(node: PlannedNode, profile: Profile) -> int:
    """How many firings a node has before it, as far as its queues tell."""
    queues = []
    for port, edges in node.inputs.items():
        if node.node.inputs[port].optional or edges[0].kind != "queue":
            continue
        figures = [profile.edges[edge.name] for edge in edges]
        queues.append(sum(f.passed - sum(f.dropped.values()) for f in figures))
    if not queues:
        return 0
    fires_on_any = node.node.fires == "any" or any(port.many for port in node.node.inputs.values())
    figures_of_node = profile.nodes[node.name]
    return (sum(queues) if fires_on_any else min(queues)) - figures_of_node.count


def _status_line(profile: Profile, plan: Plan) -> str:
    sources = ", ".join(f"{profile.nodes[n.name].count} of {n.name}" for n in plan.nodes if n.is_source)
    dropped = sum(sum(edge.dropped.values()) for edge in profile.edges.values())
    parts = [f"{profile.duration_s:.0f} s", f"packets: {sources}"]
    if dropped:
        parts.append(f"{dropped} dropped")
    if profile.deadline.missed:
        parts.append(f"{profile.deadline.missed} deadlines missed")
    return "  ".join(parts)


def _show(line: str) -> None:
    """Replace the row that the cursor stands in."""
    sys.stdout.write(f"\r\x1b[2K{line}")
    sys.stdout.flush()
