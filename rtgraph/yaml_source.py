"""Graph files as plain data: YAML 1.2 scalars, the place of every key and value."""

from __future__ import annotations

import codecs
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from rtgraph.errors import Diagnostic, GraphError, suggest
from rtgraph.files import bundled_graphs
from rtgraph.places import LINE_BREAK, Loc, Span, Text
from rtgraph.yaml_reader import Reader
from rtgraph.yaml_syntax import syntax_error

MAX_BYTES = 4_000_000  # of a file, and of the text that variables may add to it

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


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
    def folder(self) -> Path:
        """Where relative names of input files are looked for first."""
        path = Path(self.path)
        return path.resolve().parent if path.exists() else Path.cwd()

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
    if name.endswith(".py"):
        remedy = f"a graph file; --import {Path(name).stem} makes the node types of this one known"
        raise GraphError([_in_file(name, f"{name} is Python", remedy)])
    try:
        with open(name, "rb") as file:
            content = file.read(MAX_BYTES + 1)  # bounded also for what has no size, such as a pipe
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise GraphError([_unreadable(name, error)]) from None
    if len(content) > MAX_BYTES:
        raise GraphError([_in_file(name, f"the file is larger than {MAX_BYTES:,} bytes", "a graph file")])
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise GraphError([_in_file(name, "this text is UTF-16", "the file saved as UTF-8")])
    if b"\0" in content:
        raise GraphError([_in_file(name, "this is a binary file", "YAML text in UTF-8")])
    try:
        return parse_source(content.decode("utf-8"), name)
    except UnicodeDecodeError as error:
        origin = Text(name, content.decode("utf-8", "replace"))
        before = LINE_BREAK.split(content[: error.start].decode("utf-8"))
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
        before = LINE_BREAK.split(option[:start])
        span = origin.span(len(before) - 1, len(before[-1]))
        if value.strip():
            raise GraphError(
                [span.diagnostic("a value that starts with '#' is a comment", "quotes around it")]
            )
        source = Source(origin, spans={(): span})
    return source


def option_text(option: str) -> Text:
    """A command line option as a text that diagnostics can point into."""
    return Text(LINE_BREAK.split(option)[0], option)


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
        names = [entry.name for entry in folder.iterdir() if entry.is_file()]
        graphs = bundled_graphs() if folder == Path() else []
        nearest = suggest(path.name, [*names, *graphs])
        expected = f"the path of a file, or a bundled graph: {', '.join(graphs)}" if graphs else None
        return _in_file(name, f"there is no file {name}", expected, nearest and str(folder / nearest))
    reason = error.strerror if isinstance(error, OSError) else error
    return _in_file(name, f"{name} cannot be read: {reason}")


def _parse(origin: Text, text: str) -> Source | None:
    """Parse YAML that stands at the same lines and columns in `origin`. None where it holds no value."""
    found = _UNPRINTABLE.search(text)
    if found:
        rows = LINE_BREAK.split(text[: found.start()])
        span = origin.span(len(rows) - 1, len(rows[-1]))
        raise GraphError(
            [span.diagnostic(f"character U+{ord(found.group()):04X} is not allowed", "printable text")]
        )
    source = Source(origin)
    reader = Reader(source, text)
    try:
        root = reader.document()
    except yaml.MarkedYAMLError as error:
        raise GraphError([*source.problems, syntax_error(origin, error)]) from None
    if root is None:
        return None
    source.data = reader.build(root, ())
    return source
