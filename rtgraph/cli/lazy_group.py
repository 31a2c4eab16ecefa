"""The group of commands: imports a command's file when that command is asked for, and answers its errors."""

from __future__ import annotations

import importlib
import re
import traceback
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import typer
from typer.core import TyperGroup

from rtgraph.errors import GraphError, NodeError, RtGraphError, suggest

GROUP = "rtgraph.commands"

#: Our own commands, in the order of the help: name -> module and function.
_COMMANDS = {
    "run": "rtgraph.cli.run:run",
    "check": "rtgraph.cli.check:check",
    "show": "rtgraph.cli.show:show",
    "nodes": "rtgraph.cli.nodes:nodes",
    "new-node": "rtgraph.cli.new_node:new_node",
    "bench": "rtgraph.cli.bench:bench",
}

Function = Callable[..., Any]


class LazyGroup(TyperGroup):
    """Our commands, and those that installed packages announce through the entry-point group
    `rtgraph.commands`."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(dict.fromkeys([*_COMMANDS, *sorted(_announced())]))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in _COMMANDS:
            module, _, name = _COMMANDS[cmd_name].partition(":")
            return _as_command(cmd_name, getattr(importlib.import_module(module), name))
        entry = _announced().get(cmd_name)
        return entry and _load(entry)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name = args[0]
        if name not in _COMMANDS and name not in _announced():
            near = suggest(name, self.list_commands(ctx))
            ctx.fail(f"there is no command '{name}'" + (f"; did you mean '{near}'?" if near else ""))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except RtGraphError as error:
            _tell(error, debug=ctx.params["debug"])
            raise typer.Exit(2 if isinstance(error, GraphError | UsageError) else 1) from None
        except ModuleNotFoundError as error:  # of an extra; a command imports some only when it needs them
            entry = _announced().get(ctx.invoked_subcommand or "")
            remedy = entry and _remedy(entry, error)
            if not remedy:
                raise
            _tell(RtGraphError(f"{error}{remedy}"), debug=ctx.params["debug"])
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            typer.echo("interrupted", err=True)
            raise typer.Exit(130) from None


class UsageError(RtGraphError):
    """What was asked for cannot be: a missing module, an unknown name, a file in the way."""


def _tell(error: RtGraphError, debug: bool) -> None:
    traceback_text = error.traceback_text if isinstance(error, NodeError) else None
    if debug:
        typer.echo("".join(traceback.format_exception(error)) + (traceback_text or ""), err=True)
    # A mistake in a graph file begins with its place there, as editors expect it.
    typer.echo(str(error) if isinstance(error, GraphError) else f"error: {error}", err=True)
    if traceback_text and not debug:
        typer.echo("`rtgraph --debug ...` shows the node's traceback", err=True)


def _announced() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP) if entry.name not in _COMMANDS}


def _load(entry: EntryPoint) -> Any:
    try:
        return _as_command(entry.name, entry.load())
    except Exception as error:  # another package's fault must not take the help of all others with it
        return _broken(entry, error)


def _broken(entry: EntryPoint, error: Exception) -> Any:
    """In place of a command whose module cannot be imported (an extra that is not installed, say)."""

    why = f"{error}{_remedy(entry, error)}"

    def command() -> None:
        raise RtGraphError(f"command '{entry.name}' ({entry.value}) cannot be loaded: {why}") from error

    # The help is drawn by rich, to which square brackets mean colours.
    command.__doc__ = f"Not available: {why}".replace("[", "\\[")
    return _as_command(entry.name, command, allow_extra_args=True, ignore_unknown_options=True)


def _remedy(entry: EntryPoint, error: Exception) -> str:
    """The extra of the command's own package that brings the module which is missing."""
    if not isinstance(error, ModuleNotFoundError) or entry.dist is None or not error.name:
        return ""
    package = error.name.partition(".")[0]
    extras = [
        extra[1]
        for requirement in entry.dist.requires or ()
        if re.match(re.escape(package) + r"\b", requirement, re.IGNORECASE)
        and (extra := re.search(r"extra == ['\"]([\w-]+)['\"]", requirement))
    ]
    if extras:
        return f"; pip install '{entry.dist.name}[{entry.name if entry.name in extras else extras[-1]}]'"
    return ""


def _as_command(name: str, function: Function, **settings: bool) -> Any:
    if isinstance(function, typer.Typer):  # a group of commands
        group = typer.main.get_command(function)
        group.name = name
        return group
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command(name, context_settings=dict(settings))(function)
    return typer.main.get_command(app)
