"""`rtgraph show`: draws a graph, as Mermaid text or as an SVG picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rtgraph.cli.mermaid import mermaid
from rtgraph.cli.options import (
    GraphArgument,
    ImportOption,
    SetOption,
    SwapOption,
    VarOption,
    check_can_write,
    plan_of,
)
from rtgraph.cli.svg import svg
from rtgraph.cli.times import read_times
from rtgraph.errors import RtGraphError


def show(
    graph: GraphArgument,
    as_mermaid: Annotated[
        bool, typer.Option("--mermaid", help="Print Mermaid text; so without --svg too.")
    ] = False,
    svg_path: Annotated[
        Path | None, typer.Option("--svg", metavar="FILE", help="Write an SVG picture.", show_default=False)
    ] = None,
    profile_json: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Colour by the times that `run --profile-json` wrote.", show_default=False
        ),
    ] = None,
    sets: SetOption = None,
    swaps: SwapOption = None,
    variables: VarOption = None,
    modules: ImportOption = None,
) -> None:
    """Draw a graph: its nodes by segment, and how packets wait between them."""
    check_can_write("--svg", svg_path)
    plan = plan_of(graph, sets, swaps, variables, modules)
    times = None if profile_json is None else read_times(profile_json, plan)
    if svg_path is not None:
        try:
            svg_path.write_text(svg(plan, times), encoding="utf-8")
        except OSError as error:
            raise RtGraphError(f"{svg_path} cannot be written: {error.strerror}") from error
    if as_mermaid or svg_path is None:
        typer.echo(mermaid(plan, times), nl=False)
