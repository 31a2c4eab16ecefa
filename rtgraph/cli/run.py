"""`rtgraph run`: runs a graph to its end, and prints what was measured."""

from __future__ import annotations

import math
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from rtgraph.cli.follow import follow
from rtgraph.cli.interrupts import Interrupts
from rtgraph.cli.options import (
    GraphArgument,
    ImportOption,
    SetOption,
    SwapOption,
    VarOption,
    check_can_write,
    plan_of,
)
from rtgraph.cli.terminal import print_wide, say
from rtgraph.errors import NodeError, RtGraphError
from rtgraph.files import output_files
from rtgraph.graph import Plan
from rtgraph.profiler import Profile
from rtgraph.scheduler import Runner
from rtgraph.trace import TraceEvent, write_trace
from rtgraph.value_check import found_values, with_value_checks, without_checks


def run(
    graph: GraphArgument,
    sets: SetOption = None,
    swaps: SwapOption = None,
    variables: VarOption = None,
    duration: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="End after so long, on the graph's clock.", show_default=False),
    ] = None,
    fast: Annotated[
        bool,
        typer.Option("--fast", help="As fast as the machine goes, on a manual clock; the same each time."),
    ] = False,
    profile_json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the profile as JSON.", show_default=False)
    ] = None,
    trace: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write which node ran when, for ui.perfetto.dev.", show_default=False
        ),
    ] = None,
    check_values: Annotated[
        bool, typer.Option("--check-values", help="Look for NaN and Inf in all that nodes send; takes time.")
    ] = False,
    modules: ImportOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors and warnings only.")] = False,
) -> None:
    """Run a graph until its input ends, the duration is over, or Ctrl-C.

    A first Ctrl-C or SIGTERM stops the sources and finishes what is under way; a second one ends at once.
    """
    if duration is not None and not 0 < duration < math.inf:
        raise typer.BadParameter("the duration must be more than 0 seconds", param_hint="--duration")
    check_can_write("--profile-json", profile_json)
    check_can_write("--trace", trace)
    plan = plan_of(graph, [*(sets or ()), *(["clock=manual"] if fast else ())], swaps, variables, modules)
    if check_values:
        plan = with_value_checks(plan)
    tell = (lambda text: None) if quiet else say

    with Interrupts() as interrupts, Runner(plan, trace=trace is not None) as runner:
        runner.start(duration_s=duration)
        interrupts.begin_counting()
        ended = follow(
            runner,
            interrupts,
            tell,
            status=sys.stdout.isatty() and not quiet,
            duration_s=None if runner.clock == "manual" else duration,
        )
        failure: NodeError | None = None
        events: list[TraceEvent] = []
        if ended:
            try:
                runner.finish()
            except NodeError as error:
                failure = error
            events = runner.trace_events()
        profile = without_checks(runner.profile()) if check_values else runner.profile()
        report(profile, events, profile_json, trace, quiet)
        wrong = found_values(plan) if check_values else []
        if check_values and not wrong:
            tell("no NaN and no Inf in what nodes sent")
        if not ended:
            say("error: a node does not return; its `close` is not called")
            sys.stdout.flush()
            os._exit(130)
        if failure is not None:
            raise failure
    for path in written(plan):
        tell(f"wrote {path}")
    if wrong:
        raise RtGraphError("\n".join(wrong))
    if interrupts.count > 1:
        raise typer.Exit(130)


def written(plan: Plan) -> list[str]:
    """The files that the graph's nodes were to write, as far as they are there."""
    paths = (
        getattr(planned.node.config, field)
        for planned in plan.nodes
        for field in output_files(type(planned.node.config))
    )
    return [path for path in dict.fromkeys(paths) if path and Path(path).is_file()]


def report(
    profile: Profile, events: list[TraceEvent], profile_json: Path | None, trace: Path | None, quiet: bool
) -> None:
    """Print the table and write the files that were asked for."""
    if not quiet:
        print_wide(profile.table())
    try:
        if profile_json is not None:
            profile.write_json(profile_json)
        if trace is not None:
            write_trace(trace, events)
    except OSError as error:
        raise RtGraphError(f"{error.filename} cannot be written: {error.strerror}") from error
