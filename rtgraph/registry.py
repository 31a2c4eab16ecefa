"""The registry: which node types there are, found through decorators and entry points."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from rtgraph.errors import RtGraphError, last_line, suggest
from rtgraph.node import Node

log = logging.getLogger(__name__)

GROUP = "rtgraph.nodes"

_types: dict[str, type[Node]] = {}
_loaded: set[str] = set()

N = TypeVar("N", bound=type[Node])


def register(name: str) -> Callable[[N], N]:
    """Class decorator: make a node type known to graph files as `family.name`."""

    def add(cls: N) -> N:
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


def import_module(name: str) -> None:
    """Import a module that registers node types: `--import` of the command line."""
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        raise RtGraphError(f"--import {name}: no module of this name can be imported from here") from None


def _load(entry: EntryPoint) -> None:
    # An entry point's name is a family of node types: "audio" announces "audio.*".
    if entry.value in _loaded:
        return
    _loaded.add(entry.value)
    try:
        entry.load()
    except Exception as error:  # whatever a package does when it is imported; the others are none the worse
        why = f"{type(error).__name__}: {error} ({last_line(error)})"
        raise RtGraphError(f"node types {entry.name}.* cannot be loaded: {why}") from error
