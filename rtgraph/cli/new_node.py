"""`rtgraph new-node`: writes a node to begin with, its test, and a graph that uses it."""

from __future__ import annotations

import importlib.util
import keyword
import re
import string
import sys
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from rtgraph import registry
from rtgraph.cli.lazy_group import UsageError
from rtgraph.errors import RtGraphError
from rtgraph.files import bundled

_NAME = re.compile(r"[a-z][a-z0-9_]*")
#: What the written files import: their class cannot be called so.
_TAKEN = {
    *("AudioChunk", "Context", "EndOfStream", "Field", "Input", "Level", "NativeNode", "Node", "NodeConfig"),
    *("Output", "Packet", "Reading", "Source", "TensorType"),
}
#: What a template becomes.
_WRITTEN_AS = {
    "node.py.in": "{name}.py",
    "test_node.py.in": "test_{name}.py",
    "graph.yaml.in": "{name}.yaml",
    "node.cpp.in": "{name}.cpp",
    "CMakeLists.txt.in": "CMakeLists.txt",
}


class Takes(str, Enum):
    """What a new node takes."""

    any = "any"
    audio = "audio"


def new_node(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Lower case, such as smooth.", show_default=False)
    ],
    takes: Annotated[
        Takes, typer.Option("--from", help="What it takes: arrays of any kind, or sound.")
    ] = Takes.any,
    source: Annotated[bool, typer.Option("--source", help="It takes nothing: a sensor.")] = False,
    native: Annotated[
        bool, typer.Option("--native", help="Its work is done in C++; it takes sound.")
    ] = False,
    family: Annotated[str, typer.Option(help="The node type is FAMILY.NAME.")] = "my",
    folder: Annotated[Path, typer.Option("--dir", metavar="DIR", help="Where the files go.")] = Path(),
) -> None:
    """Write NAME.py, test_NAME.py and NAME.yaml, which run as they are; with --native NAME.cpp and its
    CMakeLists.txt, too, which build as they are."""
    if source and (native or takes is not Takes.any):
        raise UsageError("a --source takes nothing: leave out --from and --native, or --source")
    kind = "native" if native else "source" if source else takes.value
    _check_name("NAME", name)
    _check_name("--family", family)
    _check_free(name, family)
    class_name = "".join(word.capitalize() for word in name.split("_"))
    if class_name in _TAKEN:
        class_name += "Node"
    templates = bundled("templates") / kind
    files = {
        folder / target.format(name=name): templates / template
        for template, target in _WRITTEN_AS.items()
        if (templates / template).is_file()
    }
    present = [str(path) for path in files if path.exists()]
    if present:
        raise UsageError(f"{', '.join(present)} exists already; choose another NAME or --dir")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, template in files.items():
            text = string.Template(template.read_text(encoding="utf-8"))
            content = text.substitute(name=name, family=family, class_name=class_name)
            with path.open("x", encoding="utf-8") as file:
                file.write(content)
    except OSError as error:
        raise RtGraphError(f"{error.filename} cannot be written: {error.strerror}") from error
    typer.echo("wrote " + ", ".join(str(path) for path in files) + "; next:")
    if folder.resolve() != Path.cwd():
        typer.echo(f"  cd {folder}")
    if native:
        typer.echo("  cmake -S . -B build && cmake --build build    # pip install cmake pybind11")
    typer.echo(f"  rtgraph run {name}.yaml --import {name}")
    typer.echo(f"  pytest test_{name}.py")
    typer.echo(f"  rtgraph nodes {family}.{name} --import {name}")


def _check_name(what: str, name: str) -> None:
    if _NAME.fullmatch(name) and not keyword.iskeyword(name):
        return
    nearest = re.sub("[^a-z0-9]+", "_", re.sub("(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()).strip("_")
    near = _NAME.fullmatch(nearest) and not keyword.iskeyword(nearest)
    before, dot, after = name.partition(".")
    if dot and what == "NAME" and _NAME.fullmatch(before) and _NAME.fullmatch(after):
        nearest = f"{after} --family {before}"
    raise UsageError(
        f"{what} '{name}' cannot be a name; expected a to z, 0 to 9 and _, from a letter on, no keyword"
        + (f"; did you mean '{nearest}'?" if near else "")
    )


def _check_free(name: str, family: str) -> None:
    # A module of ours that hides an installed one would break whatever imports that.
    if name in sys.stdlib_module_names or importlib.util.find_spec(name) is not None:
        raise UsageError(f"NAME '{name}' is a Python module already; choose another")
    if registry.find(f"{family}.{name}") is not None:
        raise UsageError(f"node type '{family}.{name}' exists already; choose another NAME or --family")
