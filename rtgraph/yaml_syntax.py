"""What YAML parsers complain of, in plain words, at the place that helps most."""

from __future__ import annotations

import re

import yaml

from rtgraph.errors import Diagnostic
from rtgraph.places import Text

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


def syntax_error(origin: Text, error: yaml.MarkedYAMLError) -> Diagnostic:
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
