"""The runtime against its peers: a chain of five no-op nodes, by the rules of chain.py."""

from __future__ import annotations

import functools
import statistics
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..report import Better, Row, alternate, print_table, write_json
from . import limits
from .candidates import Candidate, bare, ours, peer, python_calls
from .errors import NoFiguresError


@dataclass(frozen=True)
class Comparison:
    """One row of the report: the same metric of two candidates."""

    what: str
    unit: str
    ours: Candidate
    theirs: Candidate
    metric: str
    better: Better


PYTHON_CHAIN = ours("python_chain")
NATIVE_ONE_SEGMENT = ours("native_one_segment")
NATIVE_TWO_SEGMENTS = ours("native_two_segments")
BARE_INLINE = bare("inline")
BARE_THREADS = bare("threads")
PYTHON_PEERS = (peer("csp", "live"), peer("csp"), peer("timeflux"), peer("ezmsg"), python_calls())

COMPARISONS = (
    *(
        Comparison("python chain throughput", "messages/s", PYTHON_CHAIN, theirs, "messages_per_s", "higher")
        for theirs in PYTHON_PEERS
    ),
    *(
        Comparison("python chain hop time, p50", "us", PYTHON_CHAIN, theirs, "hop_us_p50", "lower")
        for theirs in PYTHON_PEERS
    ),
    *(
        Comparison("python chain hop time, p99", "us", PYTHON_CHAIN, theirs, "hop_us_p99", "lower")
        for theirs in PYTHON_PEERS
    ),
    Comparison(
        "native chain throughput, one segment",
        "messages/s",
        NATIVE_ONE_SEGMENT,
        BARE_INLINE,
        "messages_per_s",
        "higher",
    ),
    Comparison(
        "native chain throughput, two segments",
        "messages/s",
        NATIVE_TWO_SEGMENTS,
        BARE_THREADS,
        "messages_per_s",
        "higher",
    ),
)


def main(json_path: Path | None, runs: int = 5, quick: bool = False) -> list[Row]:
    """Measure every candidate `runs` times, interleaved; print the table, write the report, return its rows.

    `quick` sends a tenth of the messages. A candidate that is absent or fails leaves its figures empty; the
    reason is printed after the table, and a peer's stands beside its name in the report.
    """
    candidates = {c.name: c for comparison in COMPARISONS for c in (comparison.ours, comparison.theirs)}
    absent: dict[str, str] = {}

    def measure(candidate: Candidate) -> dict[str, float] | None:
        if candidate.name in absent:
            return None
        try:
            return candidate.measure(quick)
        except NoFiguresError as error:
            absent[candidate.name] = str(error)
            return None

    results = alternate({name: functools.partial(measure, c) for name, c in candidates.items()}, runs)
    medians = {
        name: _medians([figures for figures in results[name] if figures is not None])
        for name in candidates
        if name not in absent
    }
    rows = [_row(comparison, medians, absent) for comparison in COMPARISONS] + limits.rows(runs, quick)
    print_table(rows, f"runtime, median of {runs} interleaved runs")
    for name, reason in absent.items():
        print(f"no figures: {name}: {reason}", file=sys.stderr)
    if json_path is not None:
        write_json(json_path, rows)
    return rows


def _medians(figures: list[dict[str, float]]) -> dict[str, float]:
    return {metric: statistics.median(run[metric] for run in figures) for metric in figures[0]}


def _row(
    comparison: Comparison, medians: Mapping[str, Mapping[str, float]], absent: Mapping[str, str]
) -> Row:
    our_name, their_name = comparison.ours.name, comparison.theirs.name
    our_figure = medians[our_name][comparison.metric] if our_name in medians else None
    their_figure = medians[their_name][comparison.metric] if their_name in medians else None
    peer_name = f"{their_name} (absent: {absent[their_name]})" if their_name in absent else their_name
    return Row.compare(
        comparison.what, comparison.unit, our_figure, peer_name, their_figure, comparison.better
    )
