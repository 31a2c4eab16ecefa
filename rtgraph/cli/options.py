"""The options that all commands on a graph share, and the plan they lead to."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from rtgraph.cli.lazy_group import UsageError
from rtgraph.errors import RtGraphError, told
from rtgraph.files import find_graph
from rtgraph.graph import Plan
from rtgraph.planner import load_plan
from rtgraph.registry import import_module

GraphArgument = Annotated[
    str,
    typer.Argument(metavar="GRAPH", help="A graph file, or the name of a bundled one.", show_default=False),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NODE.FIELD=VALUE", help="Set a field of a node's config, or clock or budget_ms."
    ),
]
SwapOption = Annotated[
    list[str] | None,
    typer.Option(
        "--swap", metavar="NODE=TYPE", help="Give a node another type; its config is dropped, its edges stay."
    ),
]
VarOption = Annotated[
    list[str] | None, typer.Option("--var", metavar="NAME=VALUE", help="Set a variable of the graph.")
]
ImportOption = Annotated[
    list[str] | None,
    typer.Option(
        "--import",
        metavar="MODULE",
        help="Import a module that registers node types, by its name, which is looked for in the working "
        "directory first, or by its file.",
    ),
]


def plan_of(
    graph: str,
    sets: Sequence[str] | None,
    swaps: Sequence[str] | None,
    variables: Sequence[str] | None,
    modules: Sequence[str] | None,
) -> Plan:
    """The plan of a graph with its options. Raises GraphError; UsageError for a module."""
    import_modules(modules)
    return load_plan(
        find_graph(graph),
        overrides=_pairs("--set", "NODE.FIELD=VALUE", sets),
        swaps=dict(_pairs("--swap", "NODE=TYPE", swaps)),
        variables=dict(_pairs("--var", "NAME=VALUE", variables)),
    )


def import_modules(names: Sequence[str] | None) -> None:
    """Import what `--import` names, with the working directory first on the path. Raises UsageError."""
    if names and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    for name in names or ():
        try:
            import_module(name)
        except RtGraphError as error:
            raise UsageError(str(error) if str(error).startswith("--import") else told(error)) from error
        except Exception as error:
            raise UsageError(f"--import {name}: {told(error)}") from error


def check_can_write(option: str, path: Path | None) -> None:
    """Before a long run, not after it: the folder of an output file is there. Raises typer.BadParameter."""
    if path is None:
        return
    if path.is_dir():
        raise typer.BadParameter(f"{path} is a folder; name a file", param_hint=option)
    if not path.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {path.parent}", param_hint=option)


def _pairs(option: str, form: str, texts: Sequence[str] | None) -> list[tuple[str, str]]:
    pairs = []
    for text in texts or ():
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise typer.BadParameter(f"'{text}' is not {form}", param_hint=option)
        pairs.append((key, value))
    return pairs
