"""What the viewer tells of the time that a graph takes: the profile so far, as the page shows it."""

from __future__ import annotations

from typing import Any

from rtgraph.profiler import Profile


def timing(profile: Profile) -> dict[str, Any]:
    """The data of a section of kind TIMING (docs/viewer-messages.md)."""
    deadline = profile.deadline
    return {
        "budget_ms": deadline.budget_ms,
        "missed": deadline.missed,
        "frames": deadline.frames,
        "frame_ms": deadline.frame_ms.p50,
        "look_ahead_ms": max((path.look_ahead_ms for path in profile.paths.values()), default=0.0),
        "nodes": [
            {
                "name": name,
                "native": node.native,
                "count": node.count,
                "p50_us": node.compute_us.p50,
                "p99_us": node.compute_us.p99,
                "missed": deadline.by_node.get(name, 0),
            }
            for name, node in profile.nodes.items()
        ],
        "devices": [
            {"name": name, "p50_ms": node.device_ms.p50, "p95_ms": node.device_ms.p95}
            for name, node in profile.nodes.items()
            if node.device_ms is not None and profile.clock != "manual"
        ],
        "paths": [
            {
                "source": source,
                "sink": sink,
                "look_ahead_ms": path.look_ahead_ms,
                "p50_ms": path.latency_ms.p50,
                "p95_ms": path.latency_ms.p95,
                "p99_ms": path.latency_ms.p99,
            }
            for (source, _, sink), path in ((key.partition(" -> "), p) for key, p in profile.paths.items())
        ],
    }
