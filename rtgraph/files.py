"""Finds files that graphs name: bundled assets and graphs, and those beside the graph file; writes a file
whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

from rtgraph.errors import AssetError, suggest

if TYPE_CHECKING:
    from pydantic import BaseModel

ASSET = "asset:"


class _Readable:
    """Marks a path that must be there before anything runs."""


#: Of a Config's field: the path of a file to read. It is looked for as `ctx.find_file` does, while the graph
#: is checked, so that a missing one is told at its place. `InputFile | None` may be left out.
InputFile = Annotated[str, _Readable()]


class _Written:
    """Marks a path that is there after a run."""


#: Of a Config's field: the path of a file that the node writes, relative to the working directory.
#: `rtgraph run` names it at its end.
OutputFile = Annotated[str, _Written()]


class MissingFileError(AssetError):
    """An input file that is not there: where it was looked for, and the path that looks most like it."""

    def __init__(self, path: str, looked_in: list[Path], near: str | None) -> None:
        self.path, self.looked_in, self.near = path, looked_in, near
        places = " and ".join(str(folder) for folder in looked_in)
        if any((folder / Path(path).name).is_dir() for folder in looked_in):
            hint = "; it is a folder"
        else:
            hint = f"; did you mean '{near}'?" if near else ""
        super().__init__(f"there is no file '{path}' (looked in {places}){hint}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.path, self.looked_in, self.near)


def input_files(config: type[BaseModel]) -> list[str]:
    """The fields of a Config that are InputFile."""
    return _fields_with(_Readable, config)


def output_files(config: type[BaseModel]) -> list[str]:
    """The fields of a Config that are OutputFile."""
    return _fields_with(_Written, config)


def _fields_with(mark: type, config: type[BaseModel]) -> list[str]:
    def marked(annotation: Any) -> bool:
        return isinstance(annotation, mark) or any(marked(part) for part in get_args(annotation))

    return [
        name
        for name, info in config.model_fields.items()
        if any(marked(part) for part in (*info.metadata, info.annotation))
    ]


def bundled(folder: str) -> Path:
    """A folder that ships with the package: inside it when installed, beside it in a source checkout."""
    package = Path(__file__).resolve().parent
    inside = package / folder
    return inside if inside.is_dir() else package.parent / folder


def bundled_graphs() -> list[str]:
    """The names by which `rtgraph run` finds the graphs that ship with the package."""
    return sorted(path.stem for path in bundled("graphs").glob("*.yaml"))


def find_graph(path: str | Path) -> Path:
    """A graph file: as named, or else the bundled one of that name (`graphs/hello_audio.yaml`,
    `hello_audio`)."""
    given = Path(path)
    if given.exists():
        return given
    graphs = bundled("graphs")
    for name in (given.name, f"{given.name}.yaml"):
        if (graphs / name).is_file() and given.parent in (Path(), Path("graphs")):
            return graphs / name
    return given


def find_file(path: str | Path, folder: Path) -> Path:
    """An existing input file, looked for beside the graph and in the working directory. Raises
    MissingFileError."""
    text = str(path)
    if text.startswith(ASSET):
        places = [bundled("assets") / text[len(ASSET) :]]
    else:
        places = [folder / text, Path.cwd() / text]
    for place in places:
        if place.is_file():
            return place
    raise MissingFileError(text, list(dict.fromkeys(p.parent for p in places)), _nearest(text, places))


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Gives a hidden path beside `path`, with its suffix, to write to. What is there at the end takes the
    place of `path`; after an exception it is gone, and what `path` held stays."""
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _nearest(text: str, places: list[Path]) -> str | None:
    """The file that is there and whose name looks most like the one that is not, written as that one was."""
    for place in places:
        if place.parent.is_dir():
            near = suggest(place.name, [p.name for p in place.parent.iterdir() if p.is_file()])
            if near:
                return text[: len(text) - len(place.name)] + near
    return None
