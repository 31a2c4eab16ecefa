"""Makes the nodes of a graph: their Config checked, the files that it names looked for, and what is wrong
with the class itself told at its place in the class's own file."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from rtgraph.errors import Diagnostic, told
from rtgraph.files import MissingFileError, find_file, input_files
from rtgraph.graph import PlannedNode
from rtgraph.node import Node, NodeConfig
from rtgraph.places import Loc, Text
from rtgraph.plain_words import config_diagnostics, describe_default
from rtgraph.spec import NodeSpec
from rtgraph.yaml_source import Source


def make_node(
    name: str, spec: NodeSpec, cls: type[Node], source: Source
) -> tuple[PlannedNode | None, list[Diagnostic]]:
    """The node, or None where it cannot be made; and what is wrong."""
    loc = ("nodes", name)
    try:
        config = cls.Config.model_validate(spec.config)
    except ValidationError as error:
        defaults = list(_wrong_defaults(cls, spec, error))
        return None, defaults or config_diagnostics(source, (*loc, "config"), error, cls.Config)
    try:
        node = cls(config, name)
        if not (hasattr(node, "config") and hasattr(node, "name")):
            raise TypeError("it does not call super().__init__(config, name)")
    except Exception as error:  # the node's own code
        message = f"{cls.__name__}.__init__ failed: {told(error)}"
        remedy = "what needs care in `open(self, ctx)`, and no __init__"
        return None, [source.diagnostic((*loc, "type"), message, remedy)]
    if broken := list(_broken_rules(cls, config)):
        return None, [source.diagnostic((*loc, "type"), text) for text in broken]
    return PlannedNode(name, node, spec), list(_missing_files(source, (*loc, "config"), config))


def _broken_rules(cls: type[Node], config: NodeConfig) -> Iterator[str]:
    """What ports say of their shapes and rates, where that fails."""
    for name, port in {**cls.inputs, **cls.outputs}.items():
        try:
            port.shape(config), port.rate_hz(config), port.sample_rate_hz(config)
        except Exception as error:  # the node's own code
            yield f"{cls.__name__}.{name} cannot tell its shape or rate: {told(error)}"


def _missing_files(source: Source, loc: Loc, config: NodeConfig) -> Iterator[Diagnostic]:
    for field in input_files(type(config)):
        path = getattr(config, field)
        if path is None or (*loc, field) in source.failed:
            continue
        try:
            find_file(path, source.folder)
        except MissingFileError as error:
            whose = "" if (*loc, field) in source.spans else f", which is the default of '{field}'"
            expected = "a file in " + " or ".join(str(folder) for folder in error.looked_in)
            yield source.diagnostic((*loc, field), f"there is no file '{path}'{whose}", expected, error.near)


def _wrong_defaults(cls: type[Node], spec: NodeSpec, error: ValidationError) -> Iterator[Diagnostic]:
    """Of what is wrong, the defaults that the class itself gives: no fault of the graph file's."""
    for details in error.errors(include_url=False):
        field = details["loc"][0] if details["loc"] else None
        if isinstance(field, str) and field not in spec.config and details["type"] != "missing":
            message, expected = describe_default(field, details)
            yield _in_class(cls.Config, field, f"{message}; {spec.type} says so itself", expected)


def _in_class(cls: type, field: str, message: str, expected: str | None) -> Diagnostic:
    """A mistake in the line of a class in which a field begins, or in the class's first line."""
    try:
        rows, first = inspect.getsourcelines(cls)
        path = Path(inspect.getsourcefile(cls) or "")
    except (OSError, TypeError):  # made without a file
        return Diagnostic(message, cls.__module__, 1, 1, 2, expected=expected)
    path = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    found = next((i for i, row in enumerate(rows) if re.match(rf"\s*{field}\b", row)), 0)
    text = Text(str(path), "\n" * (first - 1) + "".join(rows))
    number = first - 1 + found
    indentation = len(rows[found]) - len(rows[found].lstrip())
    return text.span(number, indentation, number, len(rows[found].rstrip())).diagnostic(message, expected)
