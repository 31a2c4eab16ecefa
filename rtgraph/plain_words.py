"""What pydantic finds wrong in a graph file, in plain words, at its place there."""

from __future__ import annotations

import re
import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from rtgraph.errors import Diagnostic, suggest
from rtgraph.places import Loc
from rtgraph.yaml_source import Source

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

#: The pattern of a file's name by its endings, as Configs write it.
_ENDINGS = re.compile(r"\(\?i\)\\\.\(?([a-z|]+)\)?\$")


def mistake(message: str, expected: str | None = None, hint: str | None = None) -> PydanticCustomError:
    """A validator's complaint in the words that the user will read."""
    return PydanticCustomError(
        "rtgraph", "{message}", {"message": message, "expected": expected, "hint": hint}
    )


def config_diagnostics(
    source: Source, loc_prefix: Loc, error: ValidationError, model: type[BaseModel]
) -> list[Diagnostic]:
    """What pydantic found wrong in the part of the file at `loc_prefix`, in plain words, at its place there.

    model: the model that was validated, for the names of valid fields. Values whose variables could not be
    filled in are passed over: that is reported already.
    """
    found: dict[tuple[Loc, bool, str, str | None], list[str]] = {}  # place and message -> what was expected
    findings = error.errors(include_url=False)
    for details in findings:
        path, is_key = written_path(source, loc_prefix, details)
        if path in source.failed or _lacks_wrong_items(details, findings):
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


def describe_default(field: str, details: ErrorDetails) -> tuple[str, str | None]:
    """(message, expected) for a default that its own Config refuses."""
    message, expected, _ = _plain_words(details, (field,), BaseModel)
    return f"the default of {message}", expected


def written_path(source: Source, prefix: Loc, details: ErrorDetails) -> tuple[Loc, bool]:
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


def _lacks_wrong_items(details: ErrorDetails, findings: Sequence[ErrorDetails]) -> bool:
    """Whether a list is called too short, but pydantic did not count items that it has found wrong."""
    loc = details["loc"]
    return details["type"] == "too_short" and any(
        len(other["loc"]) > len(loc) and other["loc"][: len(loc)] == loc for other in findings
    )


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
        before, colon, after = name.partition(":")
        if colon and before in fields:
            return f"'{clip(name)}' is one word", "a space behind the ':'", f"{before}: {after}"
        return (
            f"{_where(path[:-1])} has no field '{clip(name)}'",
            ", ".join(fields) or "no fields",
            suggest(name, fields),
        )
    what = _where(path)
    if kind in ("too_short", "string_too_short") and not value:
        return f"{what} is empty", "at least one item" if kind == "too_short" else "text", None
    message = f"{what} cannot be {describe(value)}"
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
    if endings := _ENDINGS.fullmatch(str(context.get("pattern", ""))):
        return message, "a name that ends in " + " or ".join(f".{e}" for e in endings[1].split("|")), None
    if kind == "int_from_float":
        return message, "a whole number", None
    if kind == "union_tag_invalid":
        tags = re.findall(r"'([^']*)'", str(context.get("expected_tags", "")))
        tag = str(context.get("tag"))
        return f"{what} cannot be of kind '{clip(tag)}'", ", ".join(tags), suggest(tag, tags)
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
            return f"item {index + 1} of '{clip(parent)}'"
        case (*_, last):
            return f"'{clip(str(last))}'"
    raise AssertionError(path)


def describe(value: Any) -> str:
    """What came, in a few words."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"'{clip(value)}'" if isinstance(value, str) else clip(str(value))


def clip(text: str, limit: int = 60) -> str:
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
