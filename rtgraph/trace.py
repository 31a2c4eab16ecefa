"""Writes which node ran when as a Chrome trace, which Perfetto (ui.perfetto.dev) and chrome://tracing
open."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

TraceEvent = tuple[str, str, int, int, int]  # segment, node, seq, start ns, duration ns


def write_trace(path: Path, events: Sequence[TraceEvent]) -> None:
    """One row a segment, one slice a firing; times in µs since the first event."""
    start = min((e[3] for e in events), default=0)
    threads = {name: i for i, name in enumerate(dict.fromkeys(e[0] for e in events), start=1)}
    rows: list[dict[str, object]] = [
        {"ph": "M", "pid": 1, "tid": tid, "name": "thread_name", "args": {"name": name}}
        for name, tid in threads.items()
    ]
    rows += [
        {
            "ph": "X",
            "pid": 1,
            "tid": threads[segment],
            "name": node,
            "cat": "node",
            "ts": (at - start) / 1e3,
            "dur": duration / 1e3,
            "args": {"seq": seq},
        }
        for segment, node, seq, at, duration in events
    ]
    path.write_text(json.dumps({"displayTimeUnit": "ms", "traceEvents": rows}) + "\n", encoding="utf-8")
