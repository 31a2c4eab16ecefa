"""What can be copied of a node type: its entry in a graph file, and the imports for a node beside it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, get_args

from pydantic.fields import FieldInfo

from rtgraph.node import Node
from rtgraph.port import ANY_TENSOR, OBJECT, Input, TensorType


def entry(cls: type[Node], types: Iterable[type[Node]]) -> str:
    """The node as it stands in a graph file: what must be given, and inputs from types that send the like."""
    name = cls.type_name.rpartition(".")[2]
    rows = ["nodes:", f"  {name}:", f"    type: {cls.type_name}"]
    required = {field: info for field, info in cls.Config.model_fields.items() if info.is_required()}
    if required:
        rows += ["    config:", *(f"      {field}: {_example(info)}" for field, info in required.items())]
    if cls.inputs:
        senders = list(types)
        rows += ["    inputs:", *(f"      {_input(port, senders)}" for port in cls.inputs.values())]
    return "\n".join(rows)


def imports(cls: type[Node]) -> list[str]:
    """The lines that import the class and the types of its ports, for a node that is connected to it."""
    names: dict[str, list[str]] = {cls.__module__: [cls.__qualname__]}  # by module
    for port in (*cls.inputs.values(), *cls.outputs.values()):
        place = None if port.type in (ANY_TENSOR, OBJECT) else _home(port.type, cls.__module__)
        if place and place[1] not in names.setdefault(place[0], []):
            names[place[0]].append(place[1])
    return [f"from {module} import {', '.join(found)}" for module, found in names.items()]


def _home(kind: TensorType, user: str) -> tuple[str, str] | None:
    """The module and the name by which a type is best imported: of the package of its user, or
    of a module that holds types."""
    nodes = sorted(name for name in sys.modules if name.startswith("rtgraph.nodes."))
    families = [name for name in nodes if name.count(".") == 2]
    types = [name for name in nodes if name.endswith(".types")]
    for module in (user.rpartition(".")[0], *families, *types, *nodes, user):
        for name, value in list(vars(sys.modules[module]).items()) if module in sys.modules else []:
            if value is kind:
                return module, name
    return None


def _input(port: Input, types: Iterable[type[Node]]) -> str:
    senders = {
        cls.type_name: f"{cls.type_name.rpartition('.')[2]}.{output.name}"
        for cls in types
        for output in cls.outputs.values()
        if port.type is not ANY_TENSOR and output.type == port.type and not output.like
    }
    source = next(iter(senders.values()), "node.output")
    said = ["optional"] if port.optional else []
    said.append("any array" if port.type is ANY_TENSOR else str(port.type))
    if senders:
        said[-1] += f", as {', '.join(senders)} {'sends' if len(senders) == 1 else 'send'} it"
    return f"{'# ' if port.optional else ''}{port.name}: {source}  # {'; '.join(said)}"


def _example(info: FieldInfo) -> str:
    """A value that a required field may have, and what it is."""
    what = f"  # {info.description}" if info.description else ""
    choices = get_args(info.annotation)
    if choices and all(isinstance(choice, str) for choice in choices):
        return (
            f"{choices[0]}{what}: {', '.join(choices)}" if what else f"{choices[0]}  # {', '.join(choices)}"
        )
    least: Any = max((getattr(rule, "ge", getattr(rule, "gt", 0)) or 0 for rule in info.metadata), default=0)
    if info.annotation in (int, float):
        return f"{least + 1:g}{what}"
    origin = getattr(info.annotation, "__origin__", None)
    return ("[1]" if origin in (list, tuple) else '"..."') + what
