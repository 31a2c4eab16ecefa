"""What a profile says of each node's time, for pictures of a graph."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from rtgraph.errors import RtGraphError
from rtgraph.graph import Plan


@dataclass(frozen=True)
class NodeTime:
    """One node's compute time per firing, and its share (0..1) of the sum over all nodes."""

    p50_us: float
    p99_us: float
    p50_share: float
    p99_share: float

    def __str__(self) -> str:
        return f"p50 {_duration(self.p50_us)}, p99 {_duration(self.p99_us)}"


def read_times(path: Path, plan: Plan) -> dict[str, NodeTime]:
    """By node name, from what `rtgraph run --profile-json` wrote. Raises RtGraphError."""
    try:
        nodes = json.loads(path.read_text(encoding="utf-8"))["nodes"]
        times = {
            name: (float(n["compute_us"]["p50"]), float(n["compute_us"]["p99"])) for name, n in nodes.items()
        }
    except OSError as error:
        raise RtGraphError(f"--profile-json {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RtGraphError(
            f"{path} is no profile; expected what `rtgraph run --profile-json` writes"
        ) from error
    missing = [node.name for node in plan.nodes if node.name not in times]
    if missing:
        raise RtGraphError(f"{path} is the profile of another graph: it lacks {', '.join(missing)}")
    p50_sum = sum(p50 for p50, _ in times.values()) or 1.0
    p99_sum = sum(p99 for _, p99 in times.values()) or 1.0
    return {name: NodeTime(p50, p99, p50 / p50_sum, p99 / p99_sum) for name, (p50, p99) in times.items()}


def _duration(us: float) -> str:
    return f"{us / 1e3:.3g} ms" if us >= 1e3 else f"{us:.3g} µs"
