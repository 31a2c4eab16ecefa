"""How soon a face is there, and what memory it takes: `rtgraph run` as a user starts it, seen from outside.

    python -m rtgraph.benchmarks.soak.startup --runs 5

A face is there when its first UDP packet has arrived. The first run is left out: it reads files that others
find in the system's cache.
"""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

from rtgraph.cli.options import plan_of
from rtgraph.nodes.sink.face_sender import UdpConfig

from ..report import machine_facts

_RUN_S = 5.0
_PATIENCE_S = 30.0


def start(graph: str) -> tuple[float, float, bool]:
    """Seconds to the first packet, MB of memory after some seconds, and whether torch was loaded."""
    plan = plan_of(graph, None, None, None, None)
    senders = [node.name for node in plan.nodes if isinstance(node.node.config, UdpConfig)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(_PATIENCE_S)
        port = receiver.getsockname()[1]
        sets = ["--set", "viewer.port=0", "--set", f"{senders[0]}.port={port}"]
        command = [sys.executable, "-m", "rtgraph.cli", "run", graph, "--quiet", *sets]
        begun = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            receiver.recv(4096)
            took_s = time.perf_counter() - begun
            time.sleep(_RUN_S)
            proc = Path(f"/proc/{process.pid}")
            [rss] = [line for line in (proc / "status").read_text().splitlines() if line.startswith("VmRSS:")]
            torch = "libtorch" in (proc / "maps").read_text()
        finally:
            process.terminate()
            process.wait(10)
    return took_s, int(rss.split()[1]) / 1024, torch


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m rtgraph.benchmarks.soak.startup", description=__doc__)
    parser.add_argument("--graph", default="vr_audio_eye", help="one with a viewer and a UDP sender")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args()
    start(given.graph)
    found = [start(given.graph) for _ in range(given.runs)]
    seconds, memory_mb = [took for took, _, _ in found], [rss for _, rss, _ in found]
    torch = any(loaded for _, _, loaded in found)
    report = {
        "machine": machine_facts(),
        "graph": given.graph,
        "first_face_s": seconds,
        "rss_mb": memory_mb,
        "torch": torch,
    }
    if given.json:
        given.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(
        f"{given.graph}: first face after {statistics.median(seconds):.2f} s (worst {max(seconds):.2f}); "
        f"{statistics.median(memory_mb):.0f} MB; torch {'loaded' if torch else 'not loaded'}; "
        f"{given.runs} runs"
    )


if __name__ == "__main__":
    main()
