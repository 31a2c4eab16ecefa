"""The graph file as checked models, and the loader that answers every mistake at its place in the file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any, Literal

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

from rtgraph.errors import GraphError
from rtgraph.options import apply_options
from rtgraph.places import Loc
from rtgraph.plain_words import clip, config_diagnostics, describe, mistake, written_path
from rtgraph.variables import fill_variables
from rtgraph.yaml_source import Source, parse_source, read_source

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_PORT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VARIABLE = _PORT
_TYPE = re.compile(rf"{_NAME.pattern}\.{_NAME.pattern}")


def _check_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        nearest = re.sub("[^a-z0-9_]+", "_", name.lower()).strip("_")
        hint = nearest if _NAME.fullmatch(nearest) else None
        raise mistake(
            f"'{clip(name)}' is not a valid name", "a to z, 0 to 9 and _, starting with a letter", hint
        )
    return name


def _check_port_name(name: str) -> str:
    if not _PORT.fullmatch(name):
        raise mistake(
            f"'{clip(name)}' is not a valid port name", "letters, digits and _, starting with a letter"
        )
    return name


def _check_variable_name(name: str) -> str:
    if not _VARIABLE.fullmatch(name):
        raise mistake(
            f"'{clip(name)}' is not a valid variable name", "letters, digits and _, starting with a letter"
        )
    return name


def _check_node_port(text: str) -> str:
    node, dot, port = text.partition(".")
    # A node alone passes: which outputs it has is known to the planner.
    if not (_NAME.fullmatch(node) and (_PORT.fullmatch(port) if dot else True)):
        raise mistake(f"'{clip(text)}' names no port", "node.port; `rtgraph nodes TYPE` lists the ports")
    return text


def _check_type(text: str) -> str:
    family, dot, name = text.partition(".")
    if not (dot and _NAME.fullmatch(family) and _NAME.fullmatch(name)):
        near = text.lower() if _TYPE.fullmatch(text.lower()) else None
        raise mistake(f"'{clip(text)}' is not a node type", "family.name, such as audio.file", near)
    return text


def _check_scalar(value: Any) -> Any:
    if isinstance(value, dict | list):
        raise mistake(f"a variable cannot be {describe(value)}", "text, a number, true, false or null")
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
        """The producing node's output; nothing where the file names the node alone."""
        return self.source.partition(".")[2]

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"from": value}
        if not isinstance(value, dict | EdgeSpec):
            raise mistake(f"an input cannot be {describe(value)}", "node.port, or a mapping with 'from'")
        return value

    @field_validator("capacity", "overflow")
    @classmethod
    def _only_queue(cls, value: Any, info: ValidationInfo) -> Any:
        edge = info.data.get("edge")
        if value is not None and edge in ("latest", "match"):
            raise mistake(
                f"'{info.field_name}' has no meaning with edge: {edge}", "edge: queue, or no such field"
            )
        return value

    @field_validator("tolerance_ms")
    @classmethod
    def _only_match(cls, value: float | None, info: ValidationInfo) -> float | None:
        edge = info.data.get("edge", "match")  # an edge that is wrong itself is reported as such
        if value is not None and edge != "match":
            given = f"edge: {edge}" if edge else "no 'edge' given"
            raise mistake(f"'tolerance_ms' has no meaning with {given}", "edge: match, or no such field")
        return value


def _as_tuples(value: Any) -> Any:
    """One edge or several of a port, always as a tuple."""
    if not isinstance(value, dict):
        return value
    return {port: tuple(edge) if isinstance(edge, list | tuple) else (edge,) for port, edge in value.items()}


def _check_edges(edges: tuple[EdgeSpec, ...]) -> tuple[EdgeSpec, ...]:
    # Not min_length: pydantic counts valid items only and would complain a second time of each wrong one.
    if not edges:
        raise mistake("an input cannot be an empty list", "node.port, or no such input")
    return edges


def _check_isolate(value: Any) -> Any:
    if value == "process":
        raise mistake("isolate: process is not available yet", "isolate: none")
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
    return _without_problems(read_source(path), variables, overrides, swaps)


def parse_graph(
    text: str,
    name: str = "<string>",
    *,
    variables: Mapping[str, str] | None = None,
    overrides: Sequence[tuple[str, str]] = (),
    swaps: Mapping[str, str] | None = None,
) -> tuple[GraphSpec, Source]:
    """`load_graph` for a text; `name` stands for the file in diagnostics."""
    return _without_problems(parse_source(text, name), variables, overrides, swaps)


def check_source(
    source: Source,
    variables: Mapping[str, str] | None = None,
    overrides: Sequence[tuple[str, str]] = (),
    swaps: Mapping[str, str] | None = None,
) -> GraphSpec | None:
    """What a source says, as far as it can be understood; parameters as of `load_graph`.

    What is wrong is told in `source.problems`. The parts that had to be left out are in `source.failed`, so
    that whoever goes on checking does not complain of what they leave behind. None: nothing is left.
    """
    if not isinstance(source.data, dict):
        message = f"a graph file cannot be {describe(source.data)}"
        source.problems.append(source.diagnostic((), message, "a mapping that starts with 'version: 1'"))
        return None
    apply_options(source, variables or {}, overrides, swaps or {})
    fill_variables(source)
    try:
        return GraphSpec.model_validate(source.data)
    except ValidationError as error:
        source.problems += config_diagnostics(source, (), error, GraphSpec)
        return _without_wrong_parts(source, error)


def _without_problems(
    source: Source,
    variables: Mapping[str, str] | None,
    overrides: Sequence[tuple[str, str]],
    swaps: Mapping[str, str] | None,
) -> tuple[GraphSpec, Source]:
    spec = check_source(source, variables, overrides, swaps)
    if spec is None or source.problems:
        raise GraphError(source.problems)
    return spec, source


def _without_wrong_parts(source: Source, error: ValidationError) -> GraphSpec | None:
    data = deepcopy(source.data)
    for details in error.errors(include_url=False):
        loc = _part(written_path(source, (), details)[0])
        source.failed.add(loc)
        parent = data
        for name in loc[:-1]:
            parent = parent.get(name, {})
        if loc:
            parent.pop(loc[-1], None)
    try:
        return GraphSpec.model_validate({**data, "version": 1})
    except ValidationError:
        return None


def _part(path: Loc) -> Loc:
    """What has to be left out for a mistake at `path`, so that the rest still makes sense."""
    match path:
        case ("nodes", node, "inputs", port, *_):
            return ("nodes", node, "inputs", port)
        case ("nodes", node) | ("nodes", node, "type" | "config" | "inputs", *_):
            return ("nodes", node)
        case ("nodes", node, field, *_):
            return ("nodes", node, field)
    return path[:2] if path[:1] in (("threads",), ("variables",)) else path[:1]
