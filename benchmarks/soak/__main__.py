"""Runs a graph for a long time while a WebSocket client watches, and says whether anything grows.

    python -m rtgraph.benchmarks.soak --minutes 30 --json soak.json

The graph, its client and this process, which measures how late the machine's timer is, are three processes.
Exit code 1: memory or latency grew, files or threads were left behind, faces stopped, or more than 0.1 % of
an edge's packets were lost.
"""

from __future__ import annotations

import argparse
import json
import queue
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from rtgraph.cli.options import plan_of
from rtgraph.graph import Plan
from rtgraph.nodes.sink.face_sender import UdpConfig

from ..report import machine_facts
from .verdict import faults, growth, losses

_SLEEP_S = 0.005
_COLUMNS = "  time   RSS MB  faces  p50 ms  p99 ms  max ms  skipped  missed  datagrams  timer p99 ms  max"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m rtgraph.benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--every", type=float, default=10.0, metavar="SECONDS", help="between two samples")
    parser.add_argument("--graph", default="vr_audio_eye", help="one with a node `viewer`")
    parser.add_argument("--set", action="append", default=[], metavar="NODE.FIELD=VALUE")
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args()
    report = soak(given.graph, given.set, given.minutes * 60, given.every)
    if given.json:
        given.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print("\n".join(summary(report)))
    sys.exit(1 if report["faults"] else 0)


def soak(graph: str, sets: list[str], seconds: float, every_s: float) -> dict[str, Any]:
    """The report: machine, settings, samples, the profile of the whole run, and what is wrong."""
    plan = plan_of(graph, sets, None, None, None)
    senders = _senders(plan)
    port = _free_port()
    watched = {"url": f"http://127.0.0.1:{port}/socket", "senders": len(senders), "every_s": every_s}
    client = _Process("client", watched)
    ports = client.next()
    settings = [*sets, f"viewer.port={port}"]
    settings += [f"{name}.port={udp}" for name, udp in zip(senders, ports, strict=True)]
    subject = _Process("subject", {"graph": graph, "sets": settings, "seconds": seconds, "every_s": every_s})
    samples: list[dict[str, Any]] = []
    print(_COLUMNS, flush=True)
    try:
        while "profile" not in (told := _wait_measuring(subject)):
            p99, most = np.quantile(told.pop("late_ms"), [0.99, 1.0]).round(3).tolist()
            told |= client.latest() | {"timer_p99_ms": p99, "timer_max_ms": most}
            told["time_s"] = every_s * (len(samples) + 1)
            samples.append(told)
            print(_row(told), flush=True)
    finally:
        client.end()
        subject.end()
    return {
        "machine": machine_facts(),
        "graph": graph,
        "set": sets,
        "minutes": seconds / 60,
        "every_s": every_s,
        "peak_mb": told["peak_mb"],
        "torch": told["torch"],
        "faults": faults(samples),
        "samples": samples,
        "profile": told["profile"],
    }


def summary(report: dict[str, Any]) -> list[str]:
    """The end of the table: what grew, what was missed, the verdict."""
    samples, deadline = report["samples"], report["profile"]["deadline"]
    lines = [
        f"{deadline['frames']} frames, {deadline['missed']} deadlines of {deadline['budget_ms']} ms missed "
        f"{deadline['by_node'] or ''}; arrival to frame p50 {deadline['frame_ms']['p50']:.2f} ms, "
        f"p99 {deadline['frame_ms']['p99']:.2f} ms",
        f"peak memory {report['peak_mb']:.0f} MB, torch {'loaded' if report['torch'] else 'not loaded'}",
    ]
    if samples:
        lines.append(
            f"memory {growth([s['rss_mb'] for s in samples]):+.1f} MB, median latency "
            f"{growth([s['p50_ms'] for s in samples]):+.2f} ms from beginning to end; "
            f"timer late by up to {max(s['timer_max_ms'] for s in samples):.1f} ms"
        )
        lost = {edge: n for edge, counts in samples[-1]["edges"].items() if (n := losses(counts))}
        lines.append("packets lost: " + (", ".join(f"{n} on {edge}" for edge, n in lost.items()) or "none"))
    return [*lines, *([f"FAULT: {fault}" for fault in report["faults"]] or ["clean"])]


def _senders(plan: Plan) -> list[str]:
    return [node.name for node in plan.nodes if isinstance(node.node.config, UdpConfig)]


def _wait_measuring(subject: _Process) -> dict[str, Any]:
    """The subject's next line, with how late sleeps ended meanwhile."""
    late_ms: list[float] = []
    while True:
        begun = time.perf_counter()
        time.sleep(_SLEEP_S)
        late_ms.append((time.perf_counter() - begun - _SLEEP_S) * 1e3)
        if (line := subject.poll()) is not None:
            return {**line, "late_ms": late_ms}


def _row(s: dict[str, Any]) -> str:
    return (
        f"{s['time_s']:6.0f}  {s['rss_mb']:7.1f}  {s['faces']:5d}  {s['p50_ms']:6.2f}  {s['p99_ms']:6.2f}  "
        f"{s['max_ms']:6.1f}  {s['skipped']:7d}  {s['missed']:6d}  {s['datagrams']:9d}  "
        f"{s['timer_p99_ms']:12.2f}  {s['timer_max_ms']:.1f}"
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class _Process:
    """A module of this package that prints lines of JSON."""

    def __init__(self, module: str, arguments: dict[str, Any]) -> None:
        command = [sys.executable, "-m", f"{__package__}.{module}", json.dumps(arguments)]
        self._module = module
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self._lines: queue.Queue[Any] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(("{", "[")):  # nodes may print, too
                self._lines.put(json.loads(line))

    def poll(self) -> Any:
        """The next line, or None. RuntimeError where the process has failed."""
        try:
            return self._lines.get_nowait()
        except queue.Empty:
            if self._process.poll() not in (None, 0):
                raise RuntimeError(f"the {self._module} ended with {self._process.returncode}") from None
            return None

    def next(self, timeout_s: float = 20.0) -> Any:
        return self._lines.get(timeout=timeout_s)

    def latest(self) -> Any:
        """The newest line that is there; waits for one where there is none."""
        line = self.next()
        while not self._lines.empty():
            line = self._lines.get()
        return line

    def end(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait(10)


if __name__ == "__main__":
    main()
