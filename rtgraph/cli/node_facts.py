"""What can be told of a node type: its ports, its config, its docs."""

from __future__ import annotations

import inspect
import re
import types
from typing import Any, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined, to_jsonable_python

from rtgraph.node import NativeNode, Node, NodeConfig, Source
from rtgraph.port import Input, Output, Port

_LIMITS = {
    "gt": ">",
    "ge": ">=",
    "lt": "<",
    "le": "<=",
    "multiple_of": "multiple of",
    "min_length": "length >=",
    "max_length": "length <=",
    "pattern": "matches",
}


def summary(cls: type[Node]) -> str:
    """The first sentence of the docs."""
    paragraph = " ".join(_doc(cls).partition("\n\n")[0].split())
    return re.split(r"(?<=\.) (?=[A-Z])", paragraph)[0]


def language(cls: type[Node]) -> str:
    return "native" if issubclass(cls, NativeNode) else "python"


def node_facts(cls: type[Node]) -> dict[str, Any]:
    """Everything, ready for JSON. Shapes and rates are those of the default config; "config" where they
    depend on a field that has no default, null where nothing is fixed."""
    config = _default_config(cls)
    return {
        "type": cls.type_name,
        "doc": _doc(cls),
        "language": language(cls),
        "module": cls.__module__,
        "source": issubclass(cls, Source),
        "inputs": [_input(port, config) for port in cls.inputs.values()],
        "outputs": [_output(port, config) for port in cls.outputs.values()],
        "config": [_field(name, info) for name, info in cls.Config.model_fields.items()],
    }


def _doc(cls: type[Node]) -> str:
    # Not inspect.getdoc: it would answer with the base's docs where a node has none.
    return inspect.cleandoc(cls.__doc__ or "")


def _default_config(cls: type[Node]) -> NodeConfig:
    try:
        return cls.Config()
    except ValidationError:  # some field must be given: a config without it, of which rules may make sense
        return cls.Config.model_construct()


def _port(port: Port, config: NodeConfig) -> dict[str, Any]:
    def of_config(rule: Any) -> Any:
        try:
            return to_jsonable_python(rule(config))
        except Exception:  # a rule of the node's own, asked about a config that is not whole
            return "config"

    return {
        "name": port.name,
        "type": port.type.name,
        "dtype": port.type.dtype,
        "shape": of_config(port.shape),
        "unit": port.type.unit,
        "rate_hz": of_config(port.rate_hz),
        "sample_rate_hz": of_config(port.sample_rate_hz),
        "doc": port.doc or port.type.doc,
    }


def _input(port: Input, config: NodeConfig) -> dict[str, Any]:
    facts = _port(port, config) | {"edge": port.edge}
    if port.edge == "queue":
        facts |= {"capacity": port.capacity, "overflow": port.overflow}
    if port.edge == "match":
        facts["tolerance_ms"] = port.tolerance_ms
    return facts | {"optional": port.optional, "many": port.many}


def _output(port: Output, config: NodeConfig) -> dict[str, Any]:
    return _port(port, config) | {"like": port.like}


def _field(name: str, info: FieldInfo) -> dict[str, Any]:
    required = info.is_required()
    # Not called where it wants the other fields' values.
    factory = None if info.default_factory_takes_validated_data else info.default_factory
    default = info.default if factory is None else factory()  # type: ignore[call-arg]
    return {
        "name": name,
        "type": _type_text(info.annotation),
        "required": required,
        "default": None if default is PydanticUndefined else to_jsonable_python(default, fallback=str),
        "limits": _limits(info),
        "description": info.description or "",
    }


def _limits(info: FieldInfo) -> str:
    found = []
    for rule in info.metadata:
        for name, words in _LIMITS.items():
            value = getattr(rule, name, None)
            if value is not None:
                found.append(f"{words} {value}")
    return ", ".join(found)


def _type_text(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return " | ".join(_type_text(a) for a in arguments)
    if origin is not None and str(origin) == "typing.Literal":
        return " | ".join(repr(a) for a in arguments)
    if str(origin) == "typing.Annotated":
        return _type_text(arguments[0])
    if origin is not None:
        return f"{_type_text(origin)}[{', '.join('...' if a is ... else _type_text(a) for a in arguments)}]"
    if annotation is type(None):
        return "None"
    return annotation.__name__ if isinstance(annotation, type) else str(annotation).removeprefix("typing.")
