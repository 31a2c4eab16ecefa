"""Fills the variables of a graph file, `${...}`, into its data."""

from __future__ import annotations

import os
import re
from typing import Any

from rtgraph.errors import suggest
from rtgraph.places import Loc
from rtgraph.yaml_reader import core_scalar
from rtgraph.yaml_source import MAX_BYTES, Source

MAX_VARIABLE_DEPTH = 64  # variables that refer to variables

_REFERENCE = re.compile(r"\$\$\{|\$\{([^{}]*)(\}?)")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ENVIRONMENT = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)(?::(.*))?", re.DOTALL)


class _UnresolvedError(Exception):
    """A variable has no value; why is among the problems already."""


class _Variables:
    """Fills `${name}`, `${env:NAME}` and `${env:NAME:default}` into a source's data; `$${` is `${`."""

    def __init__(self, source: Source) -> None:
        self._source = source
        declared = source.data.get("variables") if isinstance(source.data, dict) else None
        self._declared: dict[str, Any] = declared if isinstance(declared, dict) else {}
        self._values: dict[str, Any] = {}
        self._failed: set[str] = set()
        self._open: list[str] = []  # variables being worked out, to find cycles
        self._room = MAX_BYTES  # characters that substitution may still make

    def fill(self, value: Any, loc: Loc) -> Any:
        if isinstance(value, dict):
            return {name: self.fill(child, (*loc, name)) for name, child in value.items()}
        if isinstance(value, list):
            return [self.fill(child, (*loc, i)) for i, child in enumerate(value)]
        if not isinstance(value, str) or "${" not in value:
            return value
        try:
            if len(loc) == 2 and loc[0] == "variables":
                return self._declared_value(str(loc[1]), loc, value)
            return self._expand(value, loc)
        except _UnresolvedError:
            self._source.failed.add(loc)
            return value

    def _expand(self, text: str, loc: Loc) -> Any:
        whole = _REFERENCE.fullmatch(text)
        if whole and whole.group() != "$${":
            return self._reference(whole, loc)
        parts, end = [], 0
        unresolved = False
        for found in _REFERENCE.finditer(text):
            parts.append(text[end : found.start()])
            end = found.end()
            try:
                parts.append("${" if found.group() == "$${" else _as_text(self._reference(found, loc)))
            except _UnresolvedError:
                unresolved = True  # and go on: all mistakes at once
            had_room, self._room = self._room >= 0, self._room - len(parts[-1])
            if self._room < 0:
                if had_room:  # told once, at the place where it ran out
                    message = f"variables make more than {MAX_BYTES:,} characters"
                    self._problem(loc, found.group(), message, "shorter values")
                raise _UnresolvedError
        if unresolved:
            raise _UnresolvedError
        return "".join([*parts, text[end:]])

    def _reference(self, found: re.Match[str], loc: Loc) -> Any:
        """The value of one `${...}`, with its type."""
        written, inner = found.group(), found.group(1)
        if not found.group(2):
            self._problem(loc, written, "'${' is not closed", "${name}, or $${ for the characters themselves")
            raise _UnresolvedError
        if _VARIABLE.fullmatch(inner):
            return self._declared_value(inner, loc, written)
        environment = _ENVIRONMENT.fullmatch(inner)
        if environment is None:
            self._problem(loc, written, f"'{written}' names no variable", "${name} or ${env:NAME:default}")
            raise _UnresolvedError
        name, default = environment.groups()
        text = os.environ.get(name, default)
        if text is None:
            message = f"the environment variable '{name}' is not set and has no default here"
            self._problem(loc, written, message, f"${{env:{name}:default}}, or {name} set")
            raise _UnresolvedError
        return core_scalar(text)

    def _declared_value(self, name: str, loc: Loc, written: str) -> Any:
        """The value of a variable, worked out once. loc, written: where it is asked for, and how."""
        if name in self._values:
            return self._values[name]
        if name in self._failed:
            raise _UnresolvedError
        if name not in self._declared:
            known = ", ".join(self._declared) or "a name declared under 'variables:'"
            self._problem(
                loc, written, f"there is no variable '{name}'", known, suggest(name, self._declared)
            )
            raise _UnresolvedError
        if name in self._open:
            cycle = " -> ".join([*self._open[self._open.index(name) :], name])
            self._problem(loc, written, f"variables refer to each other: {cycle}", "a value")
            raise _UnresolvedError
        if len(self._open) >= MAX_VARIABLE_DEPTH:
            self._problem(
                loc, written, f"variables refer to each other more than {MAX_VARIABLE_DEPTH} deep", "a value"
            )
            raise _UnresolvedError
        value = self._declared[name]
        if isinstance(value, dict | list):
            raise _UnresolvedError  # the model of the file reports it
        self._open.append(name)
        try:
            self._values[name] = self._expand(value, ("variables", name)) if isinstance(value, str) else value
        except _UnresolvedError:
            self._failed.add(name)
            raise
        finally:
            self._open.pop()
        return self._values[name]

    def _problem(self, loc: Loc, written: str, message: str, expected: str, hint: str | None = None) -> None:
        span = self._source.span(loc).find(written)
        self._source.problems.append(span.diagnostic(message, expected, hint))


def fill_variables(source: Source) -> None:
    """Replace every `${...}` in the source's data; what cannot be filled in is told in `source.problems`."""
    source.data = _Variables(source).fill(source.data, ())


def _as_text(value: str | int | float | bool | None) -> str:
    """A scalar inside a longer text, as YAML writes it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)
