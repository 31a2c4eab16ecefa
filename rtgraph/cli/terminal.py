"""How commands write to the terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.console import RenderableType

_WIDTH_OF_FILES = 200  # columns, where stdout is no terminal: no cell is cut


def say(text: str) -> None:
    """A message to the user, beside the output: a line on stderr."""
    wipe = "\r\x1b[2K" if sys.stderr.isatty() else ""
    typer.echo(wipe + text, err=True)


def print_wide(what: RenderableType) -> None:
    """Print a table on stdout."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else _WIDTH_OF_FILES, highlight=False)
    console.print(what)
