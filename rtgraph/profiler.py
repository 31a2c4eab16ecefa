"""Profile: the figures of a run, as data, JSON and a table."""

from __future__ import annotations

import functools
import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import RenderableType

    from rtgraph.graph import Plan


@dataclass(frozen=True)
class Quantiles:
    """Of one kind of duration: median, the values that 95 % and 99 % do not exceed (within 3 %), and the
    largest."""

    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    max: float = 0.0

    @staticmethod
    def scaled(summary: tuple[int, int, int, int, int], per_unit: float) -> Quantiles:
        """From the core's (count, p50, p95, p99, max) in ns."""
        return Quantiles(*(round(ns / per_unit, 3) for ns in summary[1:]))


@dataclass(frozen=True)
class NodeProfile:
    """One node's figures. Times are per firing.

    wait_us: how long the packet lay in a queue. gil_wait_us: how long a Python node waited for the GIL.
    late_us: a paced source's firings behind their deadlines. device_ms: from a source's capture to its
    arrival.
    """

    count: int
    compute_us: Quantiles
    wait_us: Quantiles
    gil_wait_us: Quantiles
    segment: str
    native: bool
    errors: int = 0
    counters: dict[str, int] = field(default_factory=dict)
    late_us: Quantiles | None = None
    device_ms: Quantiles | None = None


@dataclass(frozen=True)
class EdgeProfile:
    """One edge. depth: packets waiting, at each push. dropped: by reason, those that are not zero."""

    passed: int
    inline: bool
    capacity: int
    depth: Quantiles
    dropped: dict[str, int]


@dataclass(frozen=True)
class PathProfile:
    """From a source to a sink. latency: from capture, for each packet with a part in what the sink got. age:
    of the source's newest part, whenever the sink fired. look_ahead: what nodes on the way wait for by
    design, which comes on top of both."""

    latency_ms: Quantiles
    age_ms: Quantiles
    look_ahead_ms: float = 0.0


@dataclass(frozen=True)
class DeadlineProfile:
    """frame_ms: from the arrival of the last packet a frame needed to the frame. by_node: misses by the
    slowest node."""

    budget_ms: float | None
    frames: int
    missed: int
    by_node: dict[str, int]
    frame_ms: Quantiles


@dataclass(frozen=True)
class Profile:
    """Everything measured in one run."""

    graph: str
    clock: str
    duration_s: float
    drift_ppm: float
    nodes: dict[str, NodeProfile]
    edges: dict[str, EdgeProfile]
    paths: dict[str, PathProfile]
    deadline: DeadlineProfile

    @staticmethod
    def from_core(raw: dict[str, Any], plan: Plan, clock: str) -> Profile:
        us, ms = 1e3, 1e6
        nodes = {
            name: NodeProfile(
                count=n["compute"][0],
                compute_us=Quantiles.scaled(n["compute"], us),
                wait_us=Quantiles.scaled(n["wait"], us),
                gil_wait_us=Quantiles.scaled(n["host_wait"], us),
                segment=n["segment"],
                native=n["native"],
                errors=n["errors"],
                counters=n["counters"],
                late_us=Quantiles.scaled(n["late"], us) if "late" in n else None,
                device_ms=Quantiles.scaled(n["device"], ms) if "device" in n else None,
            )
            for name, n in raw["nodes"].items()
        }
        edges = {
            name: EdgeProfile(
                e["passed"],
                e["inline"],
                e["capacity"],
                Quantiles.scaled(e["depth"], 1.0),
                {reason: n for reason, n in e["dropped"].items() if n},
            )
            for name, e in raw["edges"].items()
        }
        paths = {
            f"{source} -> {sink}": PathProfile(
                Quantiles.scaled(p["latency"], ms),
                Quantiles.scaled(p["age"], ms),
                _look_ahead_ms(plan, source, sink),
            )
            for (source, sink), p in raw["paths"].items()
        }
        deadline = DeadlineProfile(
            budget_ms=plan.spec.budget_ms,
            frames=raw["frames"],
            missed=raw["missed"],
            by_node={name: n["missed"] for name, n in raw["nodes"].items() if n["missed"]},
            frame_ms=Quantiles.scaled(raw["frame_time"], ms),
        )
        return Profile(
            graph=plan.spec.name or Path(plan.source.path).stem,
            clock=clock,
            duration_s=round(raw["duration_ns"] / 1e9, 6),
            drift_ppm=round(raw["drift_ppm"], 3),
            nodes=nodes,
            edges=edges,
            paths=paths,
            deadline=deadline,
        )

    def as_dict(self) -> dict[str, Any]:
        """The shape that docs/profiling.md describes."""
        return asdict(self)

    def write_json(self, path: Path) -> None:
        path.write_text(json.dumps(self.as_dict(), indent=2) + "\n", encoding="utf-8")

    def table(self) -> RenderableType:
        """What `rtgraph run` prints at its end."""
        from rtgraph.profile_table import profile_table

        return profile_table(self)


def _look_ahead_ms(plan: Plan, source: str, sink: str) -> float:
    """Of the longest way between two nodes. Circles count once: what closes one leads to the next frame."""

    @functools.cache
    def until(name: str) -> float:  # minus infinity where no way leads there
        node = plan[name]
        ways = [until(e.producer.name) for e in node.incoming if not e.feedback]
        before = 0.0 if name == source else max(ways, default=-math.inf)
        return before + node.node.look_ahead_ms

    return max(until(sink), 0.0)
