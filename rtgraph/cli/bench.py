"""`rtgraph bench`: runs a suite of speed comparisons."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Annotated

import typer

from rtgraph.cli.lazy_group import UsageError
from rtgraph.cli.options import check_can_write
from rtgraph.errors import suggest

GROUP = "rtgraph.benchmarks"


def bench(
    suite: Annotated[
        str | None,
        typer.Argument(metavar="[SUITE]", help="Without one, the suites are listed.", show_default=False),
    ] = None,
    json_path: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", help="Write the report as JSON.", show_default=False),
    ] = None,
    runs: Annotated[int, typer.Option(min=1, help="Interleaved runs; the medians count.")] = 5,
    quick: Annotated[bool, typer.Option("--quick", help="Small and rough: does it work at all?")] = False,
) -> None:
    """Measure speed against peers in one run, and print both sides with their ratio."""
    suites: dict[str, EntryPoint] = {entry.name: entry for entry in entry_points(group=GROUP)}
    if suite is None:
        width = max(map(len, suites), default=0)
        for name in sorted(suites):
            about = (suites[name].load().__doc__ or "").partition("\n")[0]
            typer.echo(f"{name:{width}}  {about}".rstrip())
        return
    if suite not in suites:
        near = suggest(suite, suites)
        known = ", ".join(sorted(suites)) or "none is installed"
        raise UsageError(
            f"there is no suite '{suite}' (known: {known})" + (f"; did you mean '{near}'?" if near else "")
        )
    check_can_write("--json", json_path)
    suites[suite].load().main(json_path, runs=runs, quick=quick)
