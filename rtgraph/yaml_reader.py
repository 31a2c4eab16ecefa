"""Reads YAML: a parser's events become items, the items data, with the place of every key and value.

The events are read directly rather than through `yaml.compose`, because events keep the place of an alias and
let nesting and alias expansion be bounded while the file is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from rtgraph.errors import GraphError, suggest
from rtgraph.places import Loc, Span

if TYPE_CHECKING:
    from rtgraph.yaml_source import Source

MAX_ALIAS_NODES = 10_000  # values that aliases may add to a file
MAX_DEPTH = 64  # mappings and lists within each other

_STR_TAGS = ("!", "tag:yaml.org,2002:str")

# YAML 1.2, section 10.3.2 (core schema). Everything else is text, so on, off, yes and no are text too.
_WORDS: dict[str, float | bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **{sign + word: float(sign + "inf") for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")},
}
# Beyond 300 digits a number is read as a float: Python refuses to convert very long whole numbers.
_INTEGER = re.compile(r"[-+]?[0-9]{1,300}|0o[0-7]{1,300}|0x[0-9a-fA-F]{1,300}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


def core_scalar(text: str) -> str | int | float | bool | None:
    """What a plain scalar means by YAML 1.2's core schema."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text, 0 if text.startswith(("0x", "0o")) else 10)
    return float(text) if _FLOAT.fullmatch(text) else text


@dataclass(slots=True)
class _Item:
    """One YAML value before aliases are replaced by what they stand for.

    content: a scalar, a list of items, a mapping's (name, its place, item) or an alias's anchored item.
    """

    span: Span
    content: Any
    is_mapping: bool = False
    is_alias: bool = False


class Reader:
    """One pass over the parser's events into items, then one over the items into data and places."""

    def __init__(self, source: Source, text: str) -> None:
        self._source = source
        self._text = source.origin
        self._events: Iterator[Any] = yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        self._anchors: dict[str, _Item | None] = {}  # None while the anchored value is still open
        self._alias_nodes = 0

    def document(self) -> _Item | None:
        """The root item, or None for an empty file."""
        root: _Item | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent) and root is not None:
                message = "a second document starts here"
                self._source.problems.append(self._span(event).diagnostic(message, "one graph a file"))
                break
            if isinstance(event, yaml.NodeEvent):
                root = self._item(event, 0)
        return root

    def _span(self, event: Any, end: Any = None) -> Span:
        start, stop = event.start_mark, (end or event).end_mark
        return self._text.span(start.line, start.column, stop.line, stop.column)

    def _fail(
        self, span: Span, message: str, expected: str | None = None, hint: str | None = None
    ) -> GraphError:
        return GraphError([*self._source.problems, span.diagnostic(message, expected, hint)])

    def _item(self, event: Any, depth: int) -> _Item:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if depth > MAX_DEPTH:
            raise self._fail(self._span(event), f"nested more than {MAX_DEPTH} deep", "a flatter file")
        is_scalar = isinstance(event, yaml.ScalarEvent)
        if event.tag is not None and not (is_scalar and event.tag in _STR_TAGS):
            message = "tags (!name) are not part of graph files"
            self._source.problems.append(
                self._span(event).diagnostic(message, "a plain value, or text in quotes")
            )
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        if is_scalar:
            item = _Item(
                self._span(event), event.value if event.style or event.tag else core_scalar(event.value)
            )
        elif isinstance(event, yaml.SequenceStartEvent):
            item = self._sequence(event, depth)
        else:
            item = self._mapping(event, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = item
        return item

    def _alias(self, event: Any) -> _Item:
        span = self._span(event)
        if event.anchor not in self._anchors:
            hint = suggest(event.anchor, self._anchors)
            raise self._fail(
                span, f"there is no anchor '&{event.anchor}' before this alias", hint=hint and f"*{hint}"
            )
        target = self._anchors[event.anchor]
        if target is None:
            raise self._fail(span, f"alias '*{event.anchor}' stands for a value that contains itself")
        return _Item(span, target, is_alias=True)

    def _sequence(self, start: Any, depth: int) -> _Item:
        items = []
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._item(event, depth + 1))
        return _Item(self._span(start, event), items)

    def _mapping(self, start: Any, depth: int) -> _Item:
        pairs: list[tuple[str, Span, _Item]] = []
        first: dict[str, Span] = {}
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            span = self._span(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise self._fail(span, "a mapping's key must be a name", "name: value")
            self._item(event, depth + 1)  # for its tag and anchor
            value = self._item(next(self._events), depth + 1)
            if event.value in first:
                where = f"first in line {first[event.value].line + 1}"
                self._source.problems.append(
                    span.diagnostic(f"duplicate name '{event.value}' ({where})", "each name once")
                )
                continue
            first[event.value] = span
            pairs.append((event.value, span, value))
        return _Item(self._span(start, event), pairs, is_mapping=True)

    def build(self, item: _Item, loc: Loc, in_alias: bool = False) -> Any:
        """The item as data; each use of an alias is a copy, so that an option changes one place only."""
        self._source.spans[loc] = span = item.span
        if item.is_alias:
            item, in_alias = item.content, True
        if in_alias:
            self._alias_nodes += 1
            if self._alias_nodes > MAX_ALIAS_NODES:
                raise self._fail(span, f"aliases add more than {MAX_ALIAS_NODES:,} values", "a smaller file")
        if item.is_mapping:
            for name, key_span, _ in item.content:
                path = (*loc, name)
                self._source.key_spans[path] = key_span
            return {name: self.build(value, (*loc, name), in_alias) for name, _, value in item.content}
        if isinstance(item.content, list):
            return [self.build(value, (*loc, i), in_alias) for i, value in enumerate(item.content)]
        return item.content
