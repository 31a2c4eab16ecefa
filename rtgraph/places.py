"""Texts cut into lines, and the places in them that diagnostics point at."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rtgraph.errors import Diagnostic

#: The way to a value from the top of a file: ("nodes", "mic", "config", "hop_ms").
Loc = tuple[str | int, ...]

LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # what YAML parsers count as one


class Text:
    """A named text cut into lines: a graph file, or an option of the command line."""

    def __init__(self, name: str, content: str) -> None:
        self.name = name
        self.content = content
        self.lines = LINE_BREAK.split(content)
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
