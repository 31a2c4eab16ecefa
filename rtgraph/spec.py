"""The graph file as checked models, and the loader that answers every mistake at its place in the file."""

from __future__ import annotations

import re
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from rtgraph.errors import Diagnostic, GraphError, suggest
from rtgraph.yaml_source import (
    Loc,
    Source,
    fill_variables,
    option_text,
    parse_option,
    parse_source,
    read_source,
)

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_PORT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VARIABLE = _PORT


def _mistake(message: str, expected: str | None = None, hint: str | None = None) -> PydanticCustomError:
    """A validator's complaint in the words that the user will read."""
    return PydanticCustomError(
        "rtgraph", "{message}", {"message": message, "expected": expected, "hint": hint}
    )


def _check_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        nearest = re.sub("[^a-z0-9_]+", "_", name.lower()).strip("_")
        hint = nearest if _NAME.fullmatch(nearest) else None
        raise _mistake(
            f"'{_clip(name)}' is not a valid name", "a to z, 0 to 9 and _, starting with a letter", hint
        )
    return name


def _check_port_name(name: str) -> str:
    if not _PORT.fullmatch(name):
        raise _mistake(
            f"'{_clip(name)}' is not a valid port name", "letters, digits and _, starting with a letter"
        )
    return name


def _check_variable_name(name: str) -> str:
    if not _VARIABLE.fullmatch(name):
        raise _mistake(
            f"'{_clip(name)}' is not a valid variable name", "letters, digits and _, starting with a letter"
        )
    return name


def _check_node_port(text: str) -> str:
    node, dot, port = text.partition(".")
    if not (dot and _NAME.fullmatch(node) and _PORT.fullmatch(port)):
        raise _mistake(f"'{_clip(text)}' names no port", "node.port")
    return text


def _check_type(text: str) -> str:
    family, dot, name = text.partition(".")
    if not (dot and _NAME.fullmatch(family) and _NAME.fullmatch(name)):
        raise _mistake(f"'{_clip(text)}' is not a node type", "family.name, such as audio.file")
    return text


def _check_scalar(value: Any) -> Any:
    if isinstance(value, dict | list):
        raise _mistake(f"a variable cannot be {_describe(value)}", "text, a number, true, false or null")
    return value


def _nothing_is_empty(value: Any) -> Any:
    """`config:` with nothing behind it means an empty mapping."""
    return {} if value is None else value


Name = Annotated[str, AfterValidator(_check_name)]
PortName = Annotated[str, AfterValidator(_check_port_name)]
VariableName = Annotated[str, AfterValidator(_check_variable_name)]
NodePort = Annotated[str, AfterValidator(_check_node_port)]
NodeType = Annotated[str, AfterValidator(_check_type)]
Scalar = Annotated[Any, AfterValidator(_check_scalar)]  # str | int | float | bool | None


class _Model(BaseModel):
    # strict: YAML has typed its scalars already, so that text in quotes never becomes a number by accident.
    # defer_build: only GraphSpec's schema is built, when the first graph is loaded; imports stay fast.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class EdgeSpec(_Model):
    """Where an input's packets come from and how they wait; None where the file leaves it to the port.

    Written as `node.port` or as a mapping with `from`.
    """

    source: NodePort = Field(alias="from", description="node.port")
    edge: Literal["queue", "latest", "match"] | None = None
    capacity: Annotated[int, Field(ge=1, le=65536)] | None = None  # packets
    overflow: Literal["block", "drop_oldest", "drop_newest", "error"] | None = None
    tolerance_ms: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None

    @property
    def node(self) -> str:
        """The producing node's name."""
        return self.source.partition(".")[0]

    @property
    def port(self) -> str:
        """The producing node's output."""
        return self.source.partition(".")[2]

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"from": value}
        if not isinstance(value, dict | EdgeSpec):
            raise _mistake(f"an input cannot be {_describe(value)}", "node.port, or a mapping with 'from'")
        return value

    @field_validator("capacity", "overflow")
    @classmethod
    def _only_queue(cls, value: Any, info: ValidationInfo) -> Any:
        edge = info.data.get("edge")
        if value is not None and edge in ("latest", "match"):
            raise _mistake(
                f"'{info.field_name}' has no meaning with edge: {edge}", "edge: queue, or no such field"
            )
        return value

    @field_validator("tolerance_ms")
    @classmethod
    def _only_match(cls, value: float | None, info: ValidationInfo) -> float | None:
        edge = info.data.get("edge", "match")  # an edge that is wrong itself is reported as such
        if value is not None and edge != "match":
            given = f"edge: {edge}" if edge else "no 'edge' given"
            raise _mistake(f"'tolerance_ms' has no meaning with {given}", "edge: match, or no such field")
        return value


def _as_tuples(value: Any) -> Any:
    """One edge or several of a port, always as a tuple."""
    if not isinstance(value, dict):
        return value
    return {port: tuple(edge) if isinstance(edge, list | tuple) else (edge,) for port, edge in value.items()}


def _check_edges(edges: tuple[EdgeSpec, ...]) -> tuple[EdgeSpec, ...]:
    # Not min_length: pydantic counts valid items only and would complain a second time of each wrong one.
    if not edges:
        raise _mistake("an input cannot be an empty list", "node.port, or no such input")
    return edges


def _check_isolate(value: Any) -> Any:
    if value == "process":
        raise _mistake("isolate: process is not available yet", "isolate: none")
    return value


class NodeSpec(_Model):
    """One node: its type, its options, its wiring."""

    type: NodeType = Field(description="family.name, such as audio.file")
    config: Annotated[dict[str, Any], BeforeValidator(_nothing_is_empty)] = {}
    #: By input port, one edge or more: several producers may feed one port. An edge that the file writes
    #: without a list has the loc (..., port, 0) too.
    inputs: Annotated[
        dict[PortName, Annotated[tuple[EdgeSpec, ...], AfterValidator(_check_edges)]],
        BeforeValidator(_as_tuples),
        BeforeValidator(_nothing_is_empty),
    ] = {}
    thread: Name | None = None
    isolate: Annotated[Literal["none"], BeforeValidator(_check_isolate)] = "none"
    on_error: Literal["stop", "skip"] = "stop"


class ThreadSpec(_Model):
    """Where a named thread runs and how urgent it is."""

    cpus: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)] | None = None  # core numbers
    priority: Annotated[int, Field(ge=1, le=99)] | None = None  # of SCHED_FIFO


class GraphSpec(_Model):
    """A graph file. References between its parts (node names, ports, threads) are checked by the plan."""

    version: Literal[1] = Field(description="1")
    name: str | None = None
    doc: str | None = None
    clock: Literal["system", "audio", "manual"] = "system"
    budget_ms: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    frame: NodePort | None = None  # the output at which a frame is complete
    variables: Annotated[dict[VariableName, Scalar], BeforeValidator(_nothing_is_empty)] = {}
    threads: Annotated[
        dict[Name, Annotated[ThreadSpec, BeforeValidator(_nothing_is_empty)]],
        BeforeValidator(_nothing_is_empty),
    ] = {}
    nodes: dict[Name, NodeSpec] = Field(min_length=1, description="a mapping from names to nodes")


def load_graph(
    path: str | Path,
    *,
    variables: Mapping[str, str] | None = None,
    overrides: Sequence[tuple[str, str]] = (),
    swaps: Mapping[str, str] | None = None,
) -> tuple[GraphSpec, Source]:
    """Read and check a graph file.

    variables: values in place of the file's own, as YAML text. swaps: {node: type} gives a node another type,
    drops its config and keeps its inputs. overrides: ("node.field", YAML text) sets a field of a node's
    config, ("clock" | "budget_ms", YAML text) one of the graph; they come after the swaps.

    Raises GraphError with all the mistakes of the file and of the options; with a syntax error in the file,
    that one alone.
    """
    return _check(read_source(path), variables or {}, overrides, swaps or {})


def parse_graph(
    text: str,
    name: str = "<string>",
    *,
    variables: Mapping[str, str] | None = None,
    overrides: Sequence[tuple[str, str]] = (),
    swaps: Mapping[str, str] | None = None,
) -> tuple[GraphSpec, Source]:
    """`load_graph` for a text; `name` stands for the file in diagnostics."""
    return _check(parse_source(text, name), variables or {}, overrides, swaps or {})


def config_diagnostics(
    source: Source, loc_prefix: Loc, error: ValidationError, model: type[BaseModel]
) -> list[Diagnostic]:
    """What pydantic found wrong in the part of the file at `loc_prefix`, in plain words, at its place there.

    model: the model that was validated, for the names of valid fields. Values whose variables could not be
    filled in are passed over: that is reported already.
    """
    found: dict[tuple[Loc, bool, str, str | None], list[str]] = {}  # place and message -> what was expected
    for details in error.errors(include_url=False):
        path, is_key = _written_path(source, loc_prefix, details)
        if path in source.failed:
            continue
        message, expected, hint = _plain_words(details, path, model)
        # The branches of a union complain of one value, each in its own way: one mistake, several remedies.
        remedies = found.setdefault((path, is_key, message, hint), [])
        if expected is not None and expected not in remedies:
            remedies.append(expected)
    return [
        source.diagnostic(path, message, " or ".join(remedies) or None, hint, key=is_key)
        for (path, is_key, message, hint), remedies in found.items()
    ]


def _check(
    source: Source,
    variables: Mapping[str, str],
    overrides: Sequence[tuple[str, str]],
    swaps: Mapping[str, str],
) -> tuple[GraphSpec, Source]:
    if isinstance(source.data, dict):
        for node, type_name in swaps.items():
            _apply(source, "--swap", node, type_name, _swap)
        for field, value in overrides:
            _apply(source, "--set", field, value, _override)
        for name, value in variables.items():
            _apply(source, "--var", name, value, _set_variable)
    fill_variables(source)
    try:
        spec = GraphSpec.model_validate(source.data)
    except ValidationError as error:
        raise GraphError(source.problems + config_diagnostics(source, (), error, GraphSpec)) from None
    if source.problems:
        raise GraphError(source.problems)
    return spec, source


# Options of the command line. Each is a text of its own, `--set mic.path=a.wav`, that diagnostics point into.


class _Option:
    """One option: its name and key, and the source that its value becomes."""

    def __init__(self, source: Source, flag: str, key: str, value: str) -> None:
        self.source = source
        self.key = key
        self.start = len(flag) + 1
        self.text = option_text(f"{flag} {key}={value}")
        self.value_start = self.start + len(key) + 1

    def problem(self, part: str, message: str, expected: str | None = None, hint: str | None = None) -> None:
        """Report a mistake at the first place of `part` in the option's key."""
        at = self.start + max(0, self.key.find(part))
        span = self.text.span(0, at, 0, at + len(part))
        self.source.problems.append(span.diagnostic(message, expected, hint))

    def put(self, loc: Loc) -> None:
        value = parse_option(self.text.content, self.value_start)
        self.source.problems += value.problems
        key = self.text.span(0, self.start, 0, self.start + len(self.key))
        blocking = self.source.put(loc, value, key)
        if blocking is not None:
            what = _describe(self.source.value(blocking))
            self.problem(
                str(blocking[-1]), f"'{blocking[-1]}' is {what}, not a mapping", "the whole value set at once"
            )

    def has_node(self, node: str) -> bool:
        nodes = self.source.value(("nodes",))
        known = nodes if isinstance(nodes, dict) else {}
        if node not in known:
            self.problem(
                node, f"there is no node '{_clip(node)}'", ", ".join(known) or None, suggest(node, known)
            )
        return node in known


def _apply(source: Source, flag: str, key: str, value: str, action: Any) -> None:
    option = _Option(source, flag, key, value)
    try:
        action(option)
    except GraphError as error:  # a syntax error in the option's value
        source.problems += error.diagnostics


def _swap(option: _Option) -> None:
    if option.has_node(option.key):
        option.source.drop(("nodes", option.key, "config"))
        option.put(("nodes", option.key, "type"))


def _override(option: _Option) -> None:
    node, dot, rest = option.key.partition(".")
    if not dot:
        if option.key in ("budget_ms", "clock"):
            option.put((option.key,))
        else:
            hint = suggest(option.key, ("budget_ms", "clock"))
            option.problem(
                option.key, f"'{_clip(option.key)}' cannot be set", "node.field, budget_ms or clock", hint
            )
    elif not all(rest.split(".")):
        option.problem(option.key, f"'{_clip(option.key)}' names no field", "node.field")
    elif option.has_node(node):
        option.put(("nodes", node, "config", *rest.split(".")))


def _set_variable(option: _Option) -> None:
    declared = option.source.value(("variables",))
    known = declared if isinstance(declared, dict) else {}
    if option.key not in known:
        message = f"the graph declares no variable '{_clip(option.key)}'"
        option.problem(option.key, message, ", ".join(known) or None, suggest(option.key, known))
    else:
        option.put(("variables", option.key))


# Pydantic's findings in plain words.

_TYPES = {
    "int": "a whole number",
    "float": "a number",
    "string": "text",
    "bool": "true or false",
    "dict": "a mapping",
    "model": "a mapping",
    "dataclass": "a mapping",
    "mapping": "a mapping",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "frozen_set": "a list",
    "none": "null",
    "path": "a path",
    "date": "a date",
    "datetime": "a date and time",
}
_BOUNDS = {
    "gt": "more than {}",
    "ge": "at least {}",
    "lt": "less than {}",
    "le": "at most {}",
    "multiple_of": "a multiple of {}",
}


def _written_path(source: Source, prefix: Loc, details: ErrorDetails) -> tuple[Loc, bool]:
    """The path in the file of pydantic's location, and whether the mistake is about the key there.

    The location also holds union branches and list items that the file does not write; they are skipped.
    """
    loc = details["loc"]
    kind = details["type"]
    is_key = kind in ("missing", "extra_forbidden")
    if kind == "missing":
        loc = loc[:-1]
    if loc and loc[-1] == "[key]":
        loc, is_key = loc[:-1], True
    path = source.nearest(prefix)
    if path == prefix:
        for part in loc:
            if (*path, part) in source.spans:
                path = (*path, part)
    return path, is_key


def _plain_words(
    details: ErrorDetails, path: Loc, model: type[BaseModel]
) -> tuple[str, str | None, str | None]:
    """(message, expected, hint) for one finding."""
    kind, context, value = details["type"], details.get("ctx", {}), details.get("input")
    if kind == "rtgraph":
        return context["message"], context["expected"], context["hint"]
    if kind in ("value_error", "assertion_error"):
        return str(context.get("error", details["msg"])), None, None
    name = str(details["loc"][-1]) if details["loc"] else ""
    if kind == "missing":
        field = _fields_at(model, details["loc"][:-1]).get(name)
        description = field.description if field else None
        return (
            f"{_where(path)} has no '{name}'",
            f"{name}: {description}" if description else f"a field '{name}'",
            None,
        )
    if kind == "extra_forbidden":
        fields = _fields_at(model, details["loc"][:-1])
        return (
            f"{_where(path[:-1])} has no field '{_clip(name)}'",
            ", ".join(fields) or "no fields",
            suggest(name, fields),
        )
    what = _where(path)
    if kind in ("too_short", "string_too_short") and not value:
        return f"{what} is empty", "at least one item" if kind == "too_short" else "text", None
    message = f"{what} cannot be {_describe(value)}"
    if kind in ("literal_error", "enum"):
        choices = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        return (
            message,
            str(context.get("expected")).replace("'", ""),
            suggest(value, choices) if isinstance(value, str) else None,
        )
    for bound, words in _BOUNDS.items():
        if bound in context:
            limit = context[bound]
            return message, words.format(f"{limit:g}" if isinstance(limit, float) else limit), None
    if kind == "int_from_float":
        return message, "a whole number", None
    if kind == "union_tag_invalid":
        tags = re.findall(r"'([^']*)'", str(context.get("expected_tags", "")))
        tag = str(context.get("tag"))
        return f"{what} cannot be of kind '{_clip(tag)}'", ", ".join(tags), suggest(tag, tags)
    expected = _TYPES.get(re.sub("_(type|parsing|attributes_type|required)$", "", kind))
    return message, expected or re.sub("^(Input|Value) should be (a valid )?", "", details["msg"]), None


def _where(path: Loc) -> str:
    """A path as the user would say it."""
    match path:
        case ():
            return "the graph file"
        case ("nodes", node):
            return f"node '{node}'"
        case ("nodes", node, "config"):
            return f"the config of node '{node}'"
        case ("nodes", node, "inputs", port):
            return f"input '{port}' of node '{node}'"
        case (*_, str(parent), int(index)):
            return f"item {index + 1} of '{_clip(parent)}'"
        case (*_, last):
            return f"'{_clip(str(last))}'"
    raise AssertionError(path)


def _describe(value: Any) -> str:
    """What came, in a few words."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"'{_clip(value)}'" if isinstance(value, str) else _clip(str(value))


def _clip(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _fields_at(annotation: Any, loc: Sequence[str | int]) -> dict[str, FieldInfo]:
    """The fields that a mapping at `loc` below a model may have, by the names that a file uses."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _fields_at(args[0], loc)
    if origin in (Union, types.UnionType):
        named = [branch for branch in args if loc and loc[0] in _branch_names(branch)]
        return {name: field for branch in named or args for name, field in _fields_at(branch, loc).items()}
    if origin is not None:
        if not (args and loc):
            return {}
        return _fields_at(args[-1] if issubclass(origin, Mapping) else args[0], loc[1:])
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return {}
    fields = {field.alias or name: field for name, field in annotation.model_fields.items()}
    if not loc:
        return fields
    if loc[0] in fields:
        return _fields_at(fields[str(loc[0])].annotation, loc[1:])
    return _fields_at(annotation, loc[1:])  # pydantic puts the name of a union's branch into the location


def _branch_names(annotation: Any) -> list[Any]:
    """What a location may call this branch of a union: the model's name, or a value of its discriminator."""
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return []
    tags = [get_args(field.annotation) for field in annotation.model_fields.values()]
    return [annotation.__name__, *(tag for values in tags for tag in values)]
