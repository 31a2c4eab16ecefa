"""`rtgraph nodes`: which node types there are, and what one of them takes, sends and can be told."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Annotated, Any

import typer

from rtgraph import registry
from rtgraph.cli.lazy_group import UsageError
from rtgraph.cli.node_facts import language, node_facts, summary
from rtgraph.cli.node_snippet import entry, imports
from rtgraph.cli.options import ImportOption, import_modules
from rtgraph.cli.terminal import print_wide


def nodes(
    node_type: Annotated[
        str | None,
        typer.Argument(metavar="[TYPE]", help="One node type, such as audio.file.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    modules: ImportOption = None,
) -> None:
    """List the node types; with TYPE, the ports, the config and the docs of one."""
    import_modules(modules)
    if node_type is None:
        types = registry.all_types()
        if as_json:
            typer.echo(json.dumps([node_facts(cls) for cls in types.values()], indent=2, ensure_ascii=False))
        else:
            _print_rows(
                "",
                [
                    {"type": name, "language": language(cls), "summary": summary(cls)}
                    for name, cls in types.items()
                ],
            )
        return
    cls = registry.find(node_type)
    if cls is None:
        near = registry.nearest(node_type)
        raise UsageError(
            f"there is no node type '{node_type}'"
            + (
                f"; did you mean '{near}'?"
                if near
                else f"; expected {registry.remedy(node_type, Path.cwd())}"
            )
        )
    facts = node_facts(cls) | {"imports": imports(cls), "entry": entry(cls, registry.all_types().values())}
    if as_json:
        typer.echo(json.dumps(facts, indent=2, ensure_ascii=False))
    else:
        _print_facts(facts)


def _print_facts(facts: dict[str, Any]) -> None:
    kind = "source" if facts["source"] else "node"
    typer.echo(f"{facts['type']}: a {facts['language']} {kind} of {facts['module']}\n")
    typer.echo(facts["doc"] or "(no docs)")
    _print_rows(
        "inputs", [_port_row(port) | {"edge": _edge(port), "doc": port["doc"]} for port in facts["inputs"]]
    )
    _print_rows("outputs", [_port_row(port) | {"doc": port["doc"]} for port in facts["outputs"]])
    _print_rows("config", [_field_row(field) for field in facts["config"]])
    typer.echo("in a graph file\n")
    typer.echo(textwrap.indent(facts["entry"], "  "))
    typer.echo("\nin Python\n")
    typer.echo(textwrap.indent("\n".join(facts["imports"]), "  "))


def _port_row(port: dict[str, Any]) -> dict[str, str]:
    like = port.get("like")
    shape = port["shape"]
    if isinstance(shape, list):
        shape = "[" + ", ".join("*" if size is None else str(size) for size in shape) + "]"
    return {
        "name": port["name"],
        "type": f"as {like}" if like else port["type"],
        "dtype": "" if like else port["dtype"],
        "shape": _or_config(shape),
        "unit": port["unit"],
        "rate": _hz(port["rate_hz"]),
        "samples": _hz(port["sample_rate_hz"]),
    }


def _hz(rate: float | str | None) -> str:
    return _or_config(rate) if rate is None or isinstance(rate, str) else f"{rate:g} Hz"


def _or_config(value: str | None) -> str:
    return "by config" if value == "config" else value or ""


def _edge(port: dict[str, Any]) -> str:
    text: str = port["edge"]
    if text == "queue":
        text += f" {port['capacity']}, {port['overflow']}"
    if text == "match":
        text += f" ±{port['tolerance_ms']:g} ms"
    return text + (", optional" if port["optional"] else "") + (", many" if port["many"] else "")


def _field_row(field: dict[str, Any]) -> dict[str, str]:
    default = "(required)" if field["required"] else json.dumps(field["default"], ensure_ascii=False)
    return {
        "name": field["name"],
        "type": field["type"],
        "default": default,
        "limits": field["limits"],
        "description": field["description"],
    }


def _print_rows(title: str, rows: list[dict[str, str]]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    if not rows:
        return
    columns = [name for name in rows[0] if any(row[name] for row in rows)]
    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        table.add_column(name, no_wrap=name in ("name", "type", "dtype", "shape"))
    for row in rows:
        table.add_row(*(Text(row[name]) for name in columns))  # Text: square brackets are no markup
    print_wide(table)
