"""The graph under test, in a process of its own; argument: JSON of what `main` takes.

Prints a line of JSON every `every_s`, with counts since the start, and one with the profile at the end.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from rtgraph import Runner
from rtgraph.cli.options import plan_of
from rtgraph.profiler import Profile


def status(*fields: str) -> dict[str, int]:
    """Numbers of /proc/self/status by name; memory in kB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    values = {line.partition(":")[0]: line.split()[1] for line in lines if len(line.split()) > 1}
    return {field: int(values[field]) for field in fields}


def sample(profile: Profile) -> dict[str, object]:
    """What is told every few seconds."""
    own = status("VmRSS", "Threads")
    return {
        "rss_mb": own["VmRSS"] / 1024,
        "threads": own["Threads"],
        "files": len(list(Path("/proc/self/fd").iterdir())),
        "frames": profile.deadline.frames,
        "missed": profile.deadline.missed,
        "edges": {name: {"passed": e.passed, **e.dropped} for name, e in profile.edges.items() if e.dropped},
        "counters": {name: n.counters for name, n in profile.nodes.items() if n.counters},
    }


def main(graph: str, sets: list[str], seconds: float, every_s: float) -> None:
    with Runner(plan_of(graph, sets, None, None, None)) as runner:
        runner.start(duration_s=seconds)
        due = time.monotonic()
        while not runner.wait(max(0.0, due + every_s - time.monotonic())):
            due += every_s
            print(json.dumps(sample(runner.profile())), flush=True)
        runner.finish()
        own = status("VmHWM")
        torch = "torch" in sys.modules
        end = {"profile": runner.profile().as_dict(), "peak_mb": own["VmHWM"] / 1024, "torch": torch}
        print(json.dumps(end), flush=True)


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
