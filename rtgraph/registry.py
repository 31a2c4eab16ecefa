"""The registry: which node types there are, found through decorators and entry points."""

from __future__ import annotations

import importlib
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TypeVar

from rtgraph.errors import RtGraphError, suggest, told
from rtgraph.node import NativeNode, Node, Source

log = logging.getLogger(__name__)

GROUP = "rtgraph.nodes"

_types: dict[str, type[Node]] = {}
_loaded: set[str] = set()

N = TypeVar("N", bound=type[Node])

_NAME = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
# Of a folder, so much is searched for the module that has a type.
_MOST_FILES = 200
_MOST_BYTES = 1_000_000


def register(name: str) -> Callable[[N], N]:
    """Class decorator: make a node type known to graph files as `family.name`."""
    if not isinstance(name, str):
        raise TypeError(f'register takes a name: @register("my.{name.__name__.lower()}")')
    if not _NAME.fullmatch(name):
        raise RtGraphError(f"'{name}' cannot be a node type; expected family.name, of a to z, 0 to 9 and _")

    def add(cls: N) -> N:
        if not (isinstance(cls, type) and issubclass(cls, Node)):
            raise TypeError(f"{cls.__name__} is no node: class {cls.__name__}(Node)")
        if cls.process is Node.process and not issubclass(cls, NativeNode):
            near = suggest("process", vars(cls))
            arguments = ", ".join(["self", *cls.inputs, "ctx"])
            raise TypeError(
                f"{cls.__name__} has no process({arguments})" + (f"; it has '{near}'" if near else "")
            )
        if not cls.inputs and not issubclass(cls, Source):
            raise TypeError(
                f"{cls.__name__} has no inputs, so nothing would ever fire it: class {cls.__name__}(Source)"
            )
        known = _types.get(name)
        if known is not None and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise RtGraphError(
                f"node type {name!r} is already registered by {known.__module__}.{known.__qualname__}"
            )
        cls.type_name = name
        _types[name] = cls
        return cls

    return add


def find(name: str) -> type[Node] | None:
    """The node type of this name, loading only the packages whose entry point announces its family.

    Raises RtGraphError where such a package cannot be loaded.
    """
    if name not in _types:
        family = name.partition(".")[0]
        for entry in entry_points(group=GROUP):
            if entry.name == family:
                _load(entry)
    return _types.get(name)


def all_types() -> dict[str, type[Node]]:
    """Every node type there is, by name; loads all entry points. One that cannot be loaded is told of."""
    for entry in entry_points(group=GROUP):
        try:
            _load(entry)
        except RtGraphError as error:
            log.warning("%s", error)
    return dict(sorted(_types.items()))


def nearest(name: str) -> str | None:
    """The registered name that looks most like this one."""
    return suggest(name, all_types())


def remedy(name: str, *folders: Path) -> str:
    """What would make a type known that is not: a module in one of the folders that names it, or a decorator
    on a class that has none."""
    for folder in folders:
        for path in sorted(folder.glob("*.py"))[:_MOST_FILES]:
            named = re.compile(rb"@register\(\s*[\"']" + re.escape(name.encode()) + rb"[\"']")
            if path.stat().st_size < _MOST_BYTES and named.search(path.read_bytes()):
                return f"{path.name} has it: --import {_as_import(path)}"
    bare = [
        cls for cls in _subclasses(Node) if not cls.type_name and not cls.__module__.startswith("rtgraph.")
    ]
    if bare:
        classes = ", ".join(f"{cls.__module__}.{cls.__name__}" for cls in bare)
        return f'a registered node type; no @register("{name}") stands over {classes}'
    return "a registered node type; `rtgraph nodes` lists them, `--import MODULE` adds a module's"


def _subclasses(cls: type[Node]) -> Iterator[type[Node]]:
    for sub in cls.__subclasses__():
        yield sub
        yield from _subclasses(sub)


def _as_import(path: Path) -> str:
    """What `--import` needs to find this file from the working directory."""
    return path.stem if path.parent.resolve() == Path.cwd() else os.path.relpath(path)


def import_module(name: str) -> None:
    """Import a module that registers node types, by its name or its file: `--import` of the command line."""
    if name.endswith(".py"):
        file = Path(name)
        if not file.is_file():
            raise RtGraphError(f"--import {name}: there is no such file")
        sys.path.insert(0, str(file.resolve().parent))
        name = file.stem
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        near = suggest(name, [path.stem for path in Path.cwd().glob("*.py")])
        raise RtGraphError(
            f"--import {name}: no module of this name can be imported from here"
            + (f"; did you mean '{near}'?" if near else "")
        ) from None


def _load(entry: EntryPoint) -> None:
    # An entry point's name is a family of node types: "audio" announces "audio.*".
    if entry.value in _loaded:
        return
    _loaded.add(entry.value)
    try:
        entry.load()
    except Exception as error:  # whatever a package does when it is imported; the others are none the worse
        raise RtGraphError(f"node types {entry.name}.* cannot be loaded: {told(error)}") from error
