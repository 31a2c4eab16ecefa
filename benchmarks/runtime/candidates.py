"""The candidates of the runtime benchmark: how each is started, and what it printed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .bare_ring import bare_ring
from .errors import NoFiguresError
from .peers_venv import PINS, peer_python

FOLDER = Path(__file__).parent
METRICS = ("messages_per_s", "hop_us_p50", "hop_us_p99")
TIMEOUT_S = 300

# Messages of the bare ring's throughput and paced runs, full and quick.
BARE_RING_MESSAGES = {False: ("5000000", "2000"), True: ("500000", "200")}


@dataclass(frozen=True)
class Candidate:
    """One program that measures the chain and prints its figures as one JSON line."""

    name: str  # as it stands in the report
    command: Callable[[bool], list[str]]  # quick -> command line; raises NoFiguresError

    def measure(self, quick: bool) -> dict[str, float]:
        """Run it once: messages_per_s, hop_us_p50, hop_us_p99. Raises NoFiguresError."""
        command = self.command(quick)
        environment = os.environ | {"PYTHONPATH": str(FOLDER)}  # for `import chain`
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, env=environment)
        except subprocess.TimeoutExpired as error:
            raise NoFiguresError(f"did not end within {TIMEOUT_S} s: {' '.join(command)}") from error
        if done.returncode != 0:
            said = done.stderr.strip().splitlines() or ["nothing on stderr"]
            raise NoFiguresError(f"ended with code {done.returncode}: {said[-1]} ({' '.join(command)})")
        try:
            figures = json.loads(done.stdout.strip().splitlines()[-1])
            return {metric: float(figures[metric]) for metric in METRICS}
        except (IndexError, KeyError, TypeError, ValueError) as error:
            expected = f"one JSON line with {', '.join(METRICS)}"
            raise NoFiguresError(f"expected {expected}, got {done.stdout!r} ({' '.join(command)})") from error


def peer(name: str, variant: str = "") -> Candidate:
    """peers/<name>_chain.py, or <name>_<variant>_chain.py, in the venv of that peer."""
    script = f"{name}_{variant}_chain.py" if variant else f"{name}_chain.py"

    def command(quick: bool) -> list[str]:
        return [str(peer_python(name)), str(FOLDER / "peers" / script), *_quick(quick)]

    return Candidate(f"{name} {PINS[name]}" + (f", {variant}" if variant else ""), command)


def python_calls() -> Candidate:
    """Plain Python calls in our own interpreter."""
    script = str(FOLDER / "peers" / "python_calls.py")
    return Candidate("plain Python calls", lambda quick: [sys.executable, script, *_quick(quick)])


def bare(mode: str) -> Candidate:
    """bare_ring.cpp, `inline` or over two `threads`."""
    return Candidate(f"bare C++, {mode}", lambda quick: [str(bare_ring()), mode, *BARE_RING_MESSAGES[quick]])


def ours(script: str) -> Candidate:
    """ours/<script>.py in our own interpreter."""
    path = FOLDER / "ours" / f"{script}.py"

    def command(quick: bool) -> list[str]:
        if not path.exists():
            raise NoFiguresError(f"missing script: {path}")
        return [sys.executable, str(path), *_quick(quick)]

    return Candidate(f"ours/{script}.py", command)


def _quick(quick: bool) -> list[str]:
    return ["--quick"] if quick else []
