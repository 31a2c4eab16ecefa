"""The command `rtgraph`: its global options. Each command has a file of its own, errors are answered in
lazy_group.py."""

from __future__ import annotations

from typing import Annotated

import typer

from rtgraph import __version__
from rtgraph.cli.lazy_group import LazyGroup
from rtgraph.cli.log import log_to_stderr

app = typer.Typer(
    name="rtgraph", cls=LazyGroup, add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rtgraph {__version__}")
        raise typer.Exit


@app.callback()
def rtgraph(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    verbose: Annotated[
        int, typer.Option("--verbose", "-v", count=True, help="Say more; twice: say everything.")
    ] = 0,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Real-time dataflow graphs, declared in YAML, run by a lock-free C++ scheduler."""
    log_to_stderr(verbose)
