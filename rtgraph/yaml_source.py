"""Graph files as plain data: YAML 1.2 scalars, the place of every key and value.

The parser's events are read directly rather than through `yaml.compose`, because events keep the place of an
alias and let nesting and alias expansion be bounded while the file is read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from rtgraph.errors import Diagnostic, GraphError, suggest

#: The way to a value from the top of the file: ("nodes", "mic", "config", "hop_ms").
Loc = tuple[str | int, ...]

MAX_BYTES = 4_000_000  # of a file, and of the text that variables may add to it
MAX_ALIAS_NODES = 10_000  # values that aliases may add to a file
MAX_DEPTH = 64  # mappings and lists within each other

_STR_TAGS = ("!", "tag:yaml.org,2002:str")
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # what YAML parsers count as one
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

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

# What the two parsers (libyaml and PyYAML's own) say, in plain words: pattern, message, expected.
_PLAIN_WORDS: tuple[tuple[str, str, str | None], ...] = (
    (
        "mapping values are not allowed",
        "a ':' has no place here",
        "text that holds ': ' in quotes, or one field a line",
    ),
    ("expected ',' or '[]}]'", "a bracket is not closed here", "',' or the closing bracket"),
    ("could not find expected ':'", "there is no ':' after this name", "name: value"),
    (
        "expected (key|<block end>)",
        "this line does not line up with the fields above it",
        "the same indentation",
    ),
    ("expected '-' indicator", "this line does not line up with the list above it", "the same indentation"),
    ("unexpected end of stream", "these quotes are never closed", "a closing quote"),
    ("expected '?<document start>", "there is more text after the end of the value", "one mapping"),
    ("cannot start any token", "a value cannot start with this character", "the value in quotes"),
    ("undefined tag handle", "tags (!name) are not part of graph files", "a plain value, or text in quotes"),
    (
        "unknown directive|duplicate %YAML|YAML document|version number",
        "this % line is not known",
        "no such line",
    ),
)
# Here the name or the quote that was begun is the place that helps.
_SHOWN_AT_START = ("could not find expected ':'", "unexpected end of stream")


class Text:
    """A named text cut into lines: a graph file, or an option of the command line."""

    def __init__(self, name: str, content: str) -> None:
        self.name = name
        self.content = content
        self.lines = _LINE_BREAK.split(content)
        if len(self.lines) > 1 and not self.lines[-1]:
            self.lines.pop()  # the end of the last line is no line

    def span(
        self, line: int, column: int, end_line: int | None = None, end_column: int | None = None
    ) -> Span:
        """A place by 0-based numbers, moved into the text where a parser points behind its end."""
        line, column = self._inside(line, column)
        if end_line is None or end_column is None:
            return Span(self, line, column, line, column)
        return Span(self, line, column, *max((line, column), self._inside(end_line, end_column)))

    def _inside(self, line: int, column: int) -> tuple[int, int]:
        if line >= len(self.lines):
            return len(self.lines) - 1, len(self.lines[-1])
        return line, min(column, len(self.lines[line]))


@dataclass(frozen=True)
class Span:
    """A place in a text: 0-based, the end exclusive."""

    text: Text
    line: int
    column: int
    end_line: int
    end_column: int

    def diagnostic(self, message: str, expected: str | None = None, hint: str | None = None) -> Diagnostic:
        row = self.text.lines[self.line]
        end = self.end_column if self.end_line == self.line else len(row.rstrip())
        return Diagnostic(
            message=message,
            file=self.text.name,
            line=self.line + 1,
            column=self.column + 1,
            end_column=max(end, self.column + 1) + 1,
            source=row,
            expected=expected,
            hint=hint,
        )

    def find(self, part: str) -> Span:
        """The first place of `part` within this span, or the span itself."""
        for number in range(self.line, self.end_line + 1):
            row = self.text.lines[number]
            start = self.column if number == self.line else 0
            stop = self.end_column if number == self.end_line else len(row)
            at = row.find(part, start, stop)
            if at >= 0:
                return Span(self.text, number, at, number, at + len(part))
        return self


@dataclass
class Source:
    """A YAML text as data, with the place of every key and value.

    data: dicts (every key is text), lists and scalars. spans, key_spans: places by path. problems: what was
    found wrong while reading on. failed: paths of wrong values, of which nothing more needs to be said.
    """

    origin: Text
    data: Any = None
    spans: dict[Loc, Span] = field(default_factory=dict)
    key_spans: dict[Loc, Span] = field(default_factory=dict)
    problems: list[Diagnostic] = field(default_factory=list)
    failed: set[Loc] = field(default_factory=set)

    @property
    def path(self) -> str:
        """The file's name as it was given."""
        return self.origin.name

    @property
    def text(self) -> str:
        return self.origin.content

    def nearest(self, loc: Loc) -> Loc:
        """The longest written path along `loc`. A 0 is skipped where one value stands for a list of one."""
        known: Loc = ()
        for part in loc:
            if (*known, part) in self.spans:
                known = (*known, part)
            elif part != 0:
                break
        return known

    def span(self, loc: Loc, key: bool = False) -> Span:
        """The place of a value (or of its key), or of its nearest written ancestor."""
        known = self.nearest(loc)
        return self.key_spans.get(known, self.spans[known]) if key else self.spans[known]

    def diagnostic(
        self, loc: Loc, message: str, expected: str | None = None, hint: str | None = None, key: bool = False
    ) -> Diagnostic:
        """A mistake at the value at `loc` (at its key with `key`), or at the nearest written ancestor."""
        return self.span(loc, key).diagnostic(message, expected, hint)

    def value(self, loc: Loc) -> Any:
        """The value that `loc` leads to, or None."""
        value = self.data
        for part in loc:
            if isinstance(value, dict) or (
                isinstance(value, list) and isinstance(part, int) and part < len(value)
            ):
                value = value.get(part) if isinstance(value, dict) else value[part]  # type: ignore[index]
            else:
                return None
        return value

    def put(self, loc: Loc, other: Source, key: Span) -> Loc | None:
        """Set the value at `loc` to that of `other`, with its places; missing mappings on the way are made.

        Returns None, or the path of the value on the way that is no mapping (nothing is changed then).
        """
        for depth in range(len(loc)):
            if not isinstance(self.value(loc[:depth]), dict | None):
                return loc[:depth]
        parent = self.data
        for depth, part in enumerate(loc[:-1], start=1):
            if parent.get(part) is None:
                parent[part] = {}
                self.spans[loc[:depth]] = self.key_spans[loc[:depth]] = key
            parent = parent[part]
        self.drop(loc)
        parent[loc[-1]] = other.data
        self.spans |= {loc + path: span for path, span in other.spans.items()}
        self.key_spans |= {loc + path: span for path, span in other.key_spans.items()}
        self.key_spans[loc] = key
        return None

    def drop(self, loc: Loc) -> None:
        """Remove the value at `loc`, if there is one."""
        parent = self.value(loc[:-1])
        if isinstance(parent, dict):
            parent.pop(loc[-1], None)
            self.spans = {path: span for path, span in self.spans.items() if path[: len(loc)] != loc}
            self.key_spans = {path: span for path, span in self.key_spans.items() if path[: len(loc)] != loc}


def read_source(path: str | Path) -> Source:
    """Read a YAML file. Raises GraphError where it cannot be read or has a syntax error."""
    name = os.fspath(path)
    try:
        with open(name, "rb") as file:
            content = file.read(MAX_BYTES + 1)  # bounded also for what has no size, such as a pipe
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise GraphError([_unreadable(name, error)]) from None
    if len(content) > MAX_BYTES:
        raise GraphError([_in_file(name, f"the file is larger than {MAX_BYTES:,} bytes", "a graph file")])
    if b"\0" in content:
        raise GraphError([_in_file(name, "this is a binary file", "YAML text in UTF-8")])
    try:
        return parse_source(content.decode("utf-8"), name)
    except UnicodeDecodeError as error:
        origin = Text(name, content.decode("utf-8", "replace"))
        before = _LINE_BREAK.split(content[: error.start].decode("utf-8"))
        message = f"byte 0x{content[error.start]:02x} is not UTF-8"
        span = origin.span(len(before) - 1, len(before[-1]))
        raise GraphError([span.diagnostic(message, "the file saved as UTF-8")]) from None


def parse_source(text: str, name: str = "<string>") -> Source:
    """Parse YAML text. Raises GraphError on a syntax error; lesser mistakes are kept in `Source.problems`."""
    text = text.removeprefix("\ufeff")
    origin = Text(name, text)
    source = _parse(origin, text)
    if source is None:
        raise GraphError(
            [origin.span(0, 0).diagnostic("the file is empty", "a mapping that starts with 'version: 1'")]
        )
    return source


def parse_option(option: str, start: int) -> Source:
    """Parse the value that begins at character `start` of an option, such as `--set mic.path=a.wav`."""
    origin = option_text(option)
    value = option[start:]
    # Spaces in place of what comes before keep the parser's lines and columns true to the option.
    source = _parse(origin, re.sub("[^\n\r\x85\u2028\u2029]", " ", option[:start]) + value)
    if source is None:
        before = _LINE_BREAK.split(option[:start])
        span = origin.span(len(before) - 1, len(before[-1]))
        if value.strip():
            raise GraphError(
                [span.diagnostic("a value that starts with '#' is a comment", "quotes around it")]
            )
        source = Source(origin, spans={(): span})
    return source


def option_text(option: str) -> Text:
    """A command line option as a text that diagnostics can point into."""
    return Text(_LINE_BREAK.split(option)[0], option)


def core_scalar(text: str) -> str | int | float | bool | None:
    """What a plain scalar means by YAML 1.2's core schema."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text, 0 if text.startswith(("0x", "0o")) else 10)
    return float(text) if _FLOAT.fullmatch(text) else text


def _in_file(name: str, message: str, expected: str | None = None, hint: str | None = None) -> Diagnostic:
    """A mistake of the file as a whole."""
    return Text(name, "").span(0, 0).diagnostic(message, expected, hint)


def _unreadable(name: str, error: OSError | ValueError) -> Diagnostic:
    path = Path(name)
    if isinstance(error, IsADirectoryError):
        return _in_file(name, f"{name} is a folder", "a graph file")
    if isinstance(error, FileNotFoundError):
        folder = path.parent
        if not folder.is_dir():
            return _in_file(name, f"there is no folder {folder}", "the path of a graph file")
        nearest = suggest(path.name, (entry.name for entry in folder.iterdir() if entry.is_file()))
        return _in_file(name, f"there is no file {name}", None, nearest and str(folder / nearest))
    reason = error.strerror if isinstance(error, OSError) else error
    return _in_file(name, f"{name} cannot be read: {reason}")


def _parse(origin: Text, text: str) -> Source | None:
    """Parse YAML that stands at the same lines and columns in `origin`. None where it holds no value."""
    found = _UNPRINTABLE.search(text)
    if found:
        rows = _LINE_BREAK.split(text[: found.start()])
        span = origin.span(len(rows) - 1, len(rows[-1]))
        raise GraphError(
            [span.diagnostic(f"character U+{ord(found.group()):04X} is not allowed", "printable text")]
        )
    source = Source(origin)
    reader = _Reader(source, text)
    try:
        root = reader.document()
    except yaml.MarkedYAMLError as error:
        raise GraphError([*source.problems, _syntax_error(origin, error)]) from None
    if root is None:
        return None
    source.data = reader.build(root, ())
    return source


def _syntax_error(origin: Text, error: yaml.MarkedYAMLError) -> Diagnostic:
    """The parser's complaint, in plain words, at the place that helps most."""
    problem = error.problem or "syntax error"
    mark = error.problem_mark or error.context_mark
    span = origin.span(mark.line, mark.column) if mark else origin.span(0, 0)
    row = origin.lines[span.line]
    indentation = row[: len(row) - len(row.lstrip())]
    if "\t" in indentation:
        tab = indentation.index("\t")
        span = origin.span(span.line, tab, span.line, len(indentation))
        return span.diagnostic("a tab cannot indent YAML", "spaces")
    if row[: span.column].endswith("$") and row[span.column :].startswith("{"):
        span = origin.span(span.line, span.column - 1, span.line, span.column + 1)
        return span.diagnostic("${...} inside { } or [ ] needs quotes", 'for example {path: "${clip}"}')
    plain = next((words[1:] for words in _PLAIN_WORDS if re.search(words[0], problem)), None)
    message, expected = plain or (problem, None)
    start = error.context_mark
    if start and any(words in problem for words in _SHOWN_AT_START):
        span = origin.span(start.line, start.column)
    elif start and mark and (start.line, start.column) < (mark.line, mark.column):
        message += f" (begun in line {start.line + 1}, column {start.column + 1})"
    return span.diagnostic(message, expected)


@dataclass(slots=True)
class _Item:
    """One YAML value before aliases are replaced by what they stand for.

    content: a scalar, a list of items, a mapping's (name, its place, item) or an alias's anchored item.
    """

    span: Span
    content: Any
    is_mapping: bool = False
    is_alias: bool = False


class _Reader:
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
