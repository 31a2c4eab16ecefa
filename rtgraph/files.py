"""Finds files that graphs name: bundled assets and graphs, and those beside the graph file."""

from __future__ import annotations

from pathlib import Path

from rtgraph.errors import AssetError, suggest

ASSET = "asset:"


def bundled(folder: str) -> Path:
    """A folder that ships with the package: inside it when installed, beside it in a source checkout."""
    package = Path(__file__).resolve().parent
    inside = package / folder
    return inside if inside.is_dir() else package.parent / folder


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
    """An existing input file, looked for beside the graph and in the working directory. Raises AssetError."""
    text = str(path)
    if text.startswith(ASSET):
        places = [bundled("assets") / text[len(ASSET) :]]
    else:
        places = [folder / text, Path.cwd() / text]
    for place in places:
        if place.is_file():
            return place
    near = _nearest(places)
    looked = " and ".join(dict.fromkeys(str(p.parent) for p in places))
    raise AssetError(
        f"there is no file '{path}' (looked in {looked})" + (f"; did you mean '{near}'?" if near else "")
    )


def _nearest(places: list[Path]) -> str | None:
    for place in places:
        if place.parent.is_dir():
            near = suggest(place.name, [p.name for p in place.parent.iterdir()])
            if near:
                return near
    return None
