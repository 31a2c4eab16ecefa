"""The tables in which a profile is shown on a terminal."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from rtgraph.profiler import Profile, Quantiles
from rtgraph.remarks import overloaded, remarks


def profile_table(profile: Profile) -> RenderableType:
    """Nodes, the edges that dropped or queued anything, paths, one line on deadlines, and remarks."""
    parts: list[RenderableType] = [_nodes(profile)]
    edges = _edges(profile)
    if edges.row_count:
        parts.append(edges)
    if profile.paths:
        parts.append(_paths(profile))
    parts.append(_closing_line(profile))
    parts += [Text(f"note: {remark}", style="yellow") for remark in remarks(profile)]
    return Group(*parts)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for i, column in enumerate(columns):
        table.add_column(column, justify="left" if i == 0 else "right", no_wrap=True)
    return table


def _nodes(profile: Profile) -> Table:
    failed = any(n.errors for n in profile.nodes.values())
    table = _table(
        f"{profile.graph}: {profile.duration_s:.2f} s on the {profile.clock} clock; µs, waits at p99",
        *("node", "segment", "count", "p50", "p95", "p99", "max", "queued", "GIL"),
        *(["errors"] if failed else []),
    )
    for name, n in profile.nodes.items():
        kind = "" if n.native else " [dim]py[/dim]"
        waits = (_number(n.wait_us.p99), _number(n.gil_wait_us.p99))
        errors = [str(n.errors)] if failed else []
        table.add_row(name + kind, n.segment, str(n.count), *_four(n.compute_us), *waits, *errors)
    return table


def _edges(profile: Profile) -> Table:
    table = _table("edges between threads", "edge", "passed", "depth p99", "capacity", "dropped")
    for name, e in profile.edges.items():
        if e.inline and not e.dropped:
            continue
        dropped = ", ".join(f"{n} {reason}" for reason, n in e.dropped.items())
        table.add_row(name, str(e.passed), _number(e.depth.p99), str(e.capacity or ""), dropped)
    return table


def _paths(profile: Profile) -> Table:
    """Latency has the device's part in it; look-ahead comes on top."""
    columns = ("look-ahead", "latency p50", "p95", "p99", "max", "device p50", "age p99")
    table = _table("capture to sink, in ms", "path", *columns)
    for name, p in profile.paths.items():
        device = profile.nodes[name.partition(" -> ")[0]].device_ms
        held = _number(device.p50) if device and profile.clock != "manual" else ""
        table.add_row(name, _number(p.look_ahead_ms), *_four(p.latency_ms), held, _number(p.age_ms.p99))
    return table


def _closing_line(profile: Profile) -> Text:
    parts = []
    deadline = profile.deadline
    if deadline.frames:
        frame = deadline.frame_ms
        budget = f" of {deadline.budget_ms:g} ms" if deadline.budget_ms else ""
        parts.append(
            f"{deadline.frames} frames, arrival to frame p50 {frame.p50:.3g} p99 {frame.p99:.3g}{budget}"
        )
        if deadline.budget_ms:
            by = ", ".join(f"{n} by {name}" for name, n in deadline.by_node.items())
            missed = "1 deadline" if deadline.missed == 1 else f"{deadline.missed} deadlines"
            parts.append(f"{missed} missed" + (f" ({by})" if by else ""))
    late_by_itself = overloaded(profile)  # the timer is not to blame
    late = [n.late_us.p99 for n in profile.nodes.values() if n.late_us and n.segment not in late_by_itself]
    if late and profile.clock != "manual":
        parts.append(f"timer lateness p99 {_number(max(late))} µs")
    if profile.clock == "audio":
        parts.append(f"audio clock drift {profile.drift_ppm:+.1f} ppm")
    return Text("; ".join(parts))


def _four(q: Quantiles) -> list[str]:
    return [_number(v) for v in (q.p50, q.p95, q.p99, q.max)]


def _number(value: float) -> str:
    if value == 0:
        return "0"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
