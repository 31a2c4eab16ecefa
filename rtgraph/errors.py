"""The exceptions of rtgraph, and the diagnostics that show a mistake in a graph file at its place."""

from __future__ import annotations

import difflib
import re
import sysconfig
import traceback
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_MAX_SHOWN = 160  # characters of a source line that are printed; a longer line is cut around the caret
_SUGGEST_MAX = 100  # a name longer than this is no typing slip, and difflib is quadratic


@dataclass(frozen=True)
class Diagnostic:
    """One mistake at one place. `str()` gives the message, the line with a caret, and the remedy.

    line, column: 1-based, in characters. end_column: first column after the value, on the same line.
    source: the text of that line ("" where there is no line to show, as for a missing file).
    expected: what would have been right. hint: the nearest valid name.
    """

    message: str
    file: str
    line: int
    column: int
    end_column: int
    source: str = ""
    expected: str | None = None
    hint: str | None = None

    def __str__(self) -> str:
        rows = [f"{_clean(self.file)}:{self.line}:{self.column}: error: {_clean(self.message)}"]
        if self.source:
            rows += self._excerpt()
        if self.expected is not None:
            rows.append(f"expected: {_clean(self.expected)}")
        if self.hint is not None:
            rows.append(f"did you mean '{_clean(self.hint)}'?")
        return "\n".join(rows)

    def _excerpt(self) -> list[str]:
        """The line and, under the value, `^~~~`."""
        text, start, end = _clean(self.source), self.column - 1, self.end_column - 1
        if len(text) > _MAX_SHOWN:
            first = max(0, min(start - _MAX_SHOWN // 2, len(text) - _MAX_SHOWN))
            last = first + _MAX_SHOWN
            before, after = "…" if first else "", "…" if last < len(text) else ""
            text = before + text[first:last] + after
            start, end = start - first + len(before), min(end, last) - first + len(before)
        # Tabs are kept, wide characters take two cells: the caret stands under the value in a terminal.
        pad = "".join("\t" if c == "\t" else " " * _cells(c) for c in text[:start])
        width = sum(_cells(c) for c in text[start:end])
        return [text, pad + "^" + "~" * (width - 1)]


class RtGraphError(Exception):
    """Base of every error that rtgraph raises on purpose; its text is fit for a user's eyes."""


class GraphError(RtGraphError):
    """A graph file, or an option that changes it, is wrong. `diagnostics`: every mistake once, in order."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        unique = list(dict.fromkeys(diagnostics))
        files = list(dict.fromkeys(d.file for d in unique))
        self.diagnostics = sorted(unique, key=lambda d: (files.index(d.file), d.line, d.column))
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        return "\n".join(str(d) for d in self.diagnostics)


class NodeError(RtGraphError):
    """A node failed while it ran. `seq` is the packet's number, `traceback_text` the node's own traceback."""

    def __init__(
        self,
        node: str,
        message: str,
        *,
        port: str | None = None,
        seq: int | None = None,
        traceback_text: str | None = None,
    ) -> None:
        super().__init__(node, message)
        self.node, self.message, self.port, self.seq = node, message, port, seq
        self.traceback_text = traceback_text

    def __str__(self) -> str:
        place = f"node '{self.node}'"
        if self.port is not None:
            place += f", port '{self.port}'"
        if self.seq is not None:
            place += f", packet {self.seq}"
        return f"{place}: {self.message}"


class DeviceError(RtGraphError):
    """A device (microphone, camera, GPU) is missing, busy or refuses a setting."""


class AssetError(RtGraphError):
    """A file that ships with or is given to a node (weights, head, clip) is missing or unreadable."""


def suggest(name: str, choices: Iterable[str]) -> str | None:
    """The valid name nearest to `name`, upper and lower case alike, or None where none is near."""
    if len(name) > _SUGGEST_MAX:
        return None
    by_lower = {choice.lower(): choice for choice in choices}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1)
    return by_lower[near[0]] if near else None


def told(error: BaseException) -> str:
    """An exception of code that is not ours in one line: its kind, what it says and where."""
    text = error.msg if isinstance(error, SyntaxError) else error
    return f"{type(error).__name__}: {text} ({last_line(error)})"


def last_line(error: BaseException) -> str:
    """Where an exception was raised: the file's name and the line, of the newest code that is neither the
    runtime's nor a library's where there is such."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}:{error.lineno}"
    frames = [(Path(f.filename), f.lineno) for f in traceback.extract_tb(error.__traceback__)]
    theirs = [(path, line) for path, line in frames if not _is_library(path)]
    for path, line in reversed(theirs or frames):
        return f"{path.name}:{line}"
    return "nowhere known"


def last_place(traceback_text: str) -> str:
    """The same of a traceback that was kept as text, with the function; "" where it holds no place."""
    found = re.findall(r'File "([^"]+)", line (\d+), in (\S+)', traceback_text)
    theirs = [place for place in found if not _is_library(Path(place[0]))]
    for file, line, function in reversed(theirs or found):
        return f"{Path(file).name}:{line}, in {function}"
    return ""


def _is_library(path: Path) -> bool:
    """Whether code belongs to the runtime, to Python or to an installed package."""
    runtime = Path(__file__).parent
    return (
        path.parent in (runtime, runtime / "cli")
        or not path.is_absolute()  # <frozen importlib._bootstrap>
        or any(
            path.is_relative_to(folder)
            for folder in (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"))
        )
    )


def _clean(text: str) -> str:
    """Text that cannot move the cursor or colour the terminal: each control character becomes U+FFFD."""
    return "".join(c if c.isprintable() or c == "\t" else " " if c == "\n" else "\ufffd" for c in text)


def _cells(char: str) -> int:
    """How many terminal cells a character takes."""
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
