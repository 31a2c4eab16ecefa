"""What the runtime promises beside speed: a busy Python thread, flat memory, a quick start."""

from __future__ import annotations

import contextlib
import os
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

from ..report import Row

NATIVE = """
version: 1
nodes:
  source: {{type: debug.pulse, config: {{size: 1024, rate_hz: {rate}, count: {count}}}}}
  relay: {{type: debug.relay, inputs: {{x: source.out}}}}
  sink: {{type: debug.discard, inputs: {{x: relay.out}}}}
"""
MIXED = NATIVE.replace("debug.relay", "flow.merge")
FRAME_HZ = 200


def rows(runs: int, quick: bool) -> list[Row]:
    """One row each, ours against the same thing without the disturbance (or with CPython's own habits)."""
    frames = 200 if quick else 1000
    packets = 1_000_000 if quick else 10_000_000
    quiet = _median(runs, lambda: _native_p99_us(frames))
    with _busy_thread():
        busy = _median(runs, lambda: _native_p99_us(frames))
        ours_start = _median(runs, lambda: _frame_start_p99_us(frames, None))
        cpython_start = _median(runs, lambda: _frame_start_p99_us(frames, 0.005))
    return [
        Row.compare(
            "native segment beside a busy Python thread, p99", "us", busy, "without it", quiet, "lower"
        ),
        Row.compare(
            "GIL wait of a mixed segment beside a busy Python thread, p99",
            "us",
            ours_start,
            "CPython's 5 ms switch interval",
            cpython_start,
            "lower",
        ),
        Row.compare(
            f"growth of memory over {packets:,} packets", "MiB", _growth_mib(packets), "", None, "lower"
        ),
        Row.compare(
            "import rtgraph",
            "ms",
            _median(runs, lambda: _start_ms("import rtgraph")),
            "python, no import",
            _median(runs, lambda: _start_ms("pass")),
            "lower",
        ),
        Row.compare(
            "rtgraph check hello_audio",
            "ms",
            _median(runs, lambda: _start_ms("from rtgraph.cli import main; main()", "check", "hello_audio")),
            "import numpy, pydantic",
            _median(runs, lambda: _start_ms("import numpy, pydantic")),
            "lower",
        ),
    ]


def _median(runs: int, measure: Callable[[], float]) -> float:
    return statistics.median(measure() for _ in range(runs))


def _native_p99_us(frames: int) -> float:
    """Compute time of a native node in a segment of native nodes."""
    from rtgraph.planner import plan_text
    from rtgraph.scheduler import Runner

    with Runner(plan_text(NATIVE.format(rate=FRAME_HZ, count=frames))) as runner:
        runner.run()
        return runner.profile().nodes["relay"].compute_us.p99


def _frame_start_p99_us(frames: int, switch_interval_s: float | None) -> float:
    """How long a frame of a segment with a Python node waits for the GIL."""
    from rtgraph import scheduler
    from rtgraph.planner import plan_text

    ours = scheduler._SWITCH_INTERVAL_S
    try:
        if switch_interval_s is not None:
            scheduler._SWITCH_INTERVAL_S = switch_interval_s
        with scheduler.Runner(plan_text(MIXED.format(rate=FRAME_HZ, count=frames))) as runner:
            runner.run()
            return runner.profile().nodes["relay"].gil_wait_us.p99
    finally:
        scheduler._SWITCH_INTERVAL_S = ours


def _growth_mib(packets: int) -> float:
    """Resident memory at the end of a long native run over that after a tenth of it."""
    from rtgraph.planner import plan_text
    from rtgraph.scheduler import Runner

    for count in (packets // 10, packets):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with Runner(plan_text(NATIVE.format(rate="null", count=count))) as runner:
            runner.run()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def _start_ms(code: str, *arguments: str) -> float:
    """A process from start to end, as of the second time: with Python's compiled modules in their cache."""
    command = [sys.executable, "-c", code, *arguments]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(command, check=True, capture_output=True, env=environment)
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return (time.perf_counter() - started) * 1e3


@contextlib.contextmanager
def _busy_thread() -> Iterator[None]:
    stop = threading.Event()

    def burn() -> None:
        while not stop.is_set():
            sum(range(1000))

    thread = threading.Thread(target=burn)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
