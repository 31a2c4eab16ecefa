"""The kernels against libraries that do the same work, on one CPU core."""

from __future__ import annotations

from pathlib import Path

from ..report import Row, print_table, write_json


def main(json_path: Path | None, runs: int = 5, quick: bool = False) -> list[Row]:
    """Measure every kernel, print the table, write the report, return its rows.

    A peer that is not installed is named as absent in its row.
    """
    from . import attention, decode, encoder_step, eye_encoder, gpu, mel

    rows = [
        row
        for kernel in (mel, decode, attention, encoder_step, eye_encoder, gpu)
        for row in kernel.rows(runs, quick)
    ]
    print_table(rows, f"kernels, median of {runs} interleaved runs")
    if json_path is not None:
        write_json(json_path, rows)
    return rows
