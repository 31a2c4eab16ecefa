"""The one shape in which every benchmark reports: machine facts, and rows of ours beside a peer's.

    {"machine": {...}, "rows": [{"what", "unit", "ours", "peer", "theirs", "ratio"}]}

A figure that could not be measured is null, and so is its ratio; an absent peer's name carries the reason.
"""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.table import Table

Better = Literal["higher", "lower"]
T = TypeVar("T")


def ratio(ours: float, theirs: float, better: Better = "higher") -> float:
    """How many times better ours is: above 1 where ours is better, whichever way the figure counts.

    Raises ValueError where a figure is not a positive, finite number, as no ratio means anything then.
    """
    if better not in ("higher", "lower"):
        raise ValueError(f"ratio: better must be 'higher' or 'lower', got {better!r}")
    for side, figure in (("ours", ours), ("theirs", theirs)):
        if not (math.isfinite(figure) and figure > 0):
            raise ValueError(f"ratio: {side} must be positive and finite, got {figure!r}; measure it again")
    return ours / theirs if better == "higher" else theirs / ours


@dataclass(frozen=True)
class Row:
    """One figure of ours beside a peer's, both in `unit`."""

    what: str
    unit: str
    ours: float | None
    peer: str
    theirs: float | None
    ratio: float | None  # above 1 where ours is better

    @classmethod
    def compare(
        cls,
        what: str,
        unit: str,
        ours: float | None,
        peer: str,
        theirs: float | None,
        better: Better = "higher",
    ) -> Row:
        """A row with its ratio worked out, or without one where a side could not be measured."""
        known = None if ours is None or theirs is None else ratio(ours, theirs, better)
        return cls(what, unit, ours, peer, theirs, known)


def alternate(candidates: Mapping[str, Callable[[], T]], runs: int) -> dict[str, list[T]]:
    """Run the candidates in turn (A B A B ...), so that a drift of the machine meets all of them alike."""
    if runs < 1:
        raise ValueError(f"runs must be 1 or more, got {runs}")
    results: dict[str, list[T]] = {name: [] for name in candidates}
    for _ in range(runs):
        for name, measure in candidates.items():
            results[name].append(measure())
    return results


def interleave(candidates: Mapping[str, Callable[[], float]], runs: int) -> dict[str, float]:
    """The median figure of each candidate over `runs` interleaved runs."""
    return {name: statistics.median(figures) for name, figures in alternate(candidates, runs).items()}


def machine_facts() -> dict[str, Any]:
    """What a reader needs to know about this machine to judge the figures."""
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "os": _os_name(),
        "kernel": f"{platform.system()} {platform.release()}",
        "arch": platform.machine(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def write_json(path: Path, rows: Sequence[Row], machine: Mapping[str, Any] | None = None) -> None:
    """Write the report; `machine` adds facts that this benchmark needs beside the common ones."""
    report = {"machine": machine_facts() | dict(machine or {}), "rows": [asdict(row) for row in rows]}
    path.write_text(json.dumps(report, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def markdown_table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table, for the documentation."""
    lines = ["| what | unit | ours | peer | theirs | ratio |", "|---|---|---:|---|---:|---:|"]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in _cells(row)) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def print_table(rows: Sequence[Row], title: str, console: Console | None = None) -> None:
    """The rows as a table on the terminal; ratios of 1 and above are green."""
    table = Table(title=title)
    for header in ("what", "unit", "ours", "peer", "theirs", "ratio"):
        table.add_column(header, justify="right" if header in ("ours", "theirs", "ratio") else "left")
    for row in rows:
        *cells, last = (escape(cell) for cell in _cells(row))
        colour = "dim" if row.ratio is None else "green" if row.ratio >= 1 else "red"
        table.add_row(*cells, f"[{colour}]{last}[/]")
    (console or Console()).print(table)


def _cells(row: Row) -> tuple[str, ...]:
    return row.what, row.unit, _figure(row.ours), row.peer, _figure(row.theirs), _figure(row.ratio)


def _figure(value: float | None) -> str:
    """Three significant digits; whole numbers from 100 on, grouped by thousands."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    if sys.platform == "darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return platform.processor() or platform.machine()


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:  # not a Linux with an os-release file
        return platform.platform()
