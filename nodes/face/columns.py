"""Where the regions and the shapes of a face lie in an expression frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rtgraph.errors import suggest
from rtgraph.models.expression import ARKIT, FRAME, INDEX, REGIONS, region

#: [61] the number of each column's region in REGIONS.
REGION_OF: NDArray[np.intp] = np.array([REGIONS.index(region(name)) for name in FRAME])
#: A face at rest.
NEUTRAL = np.zeros(len(FRAME), np.float32)
NEUTRAL.flags.writeable = False
#: [61] limits of an expression frame: weights 0..1, angles half a turn.
LOW = np.array([0.0] * len(ARKIT) + [-np.pi] * (len(FRAME) - len(ARKIT)), np.float32)
HIGH = np.array([1.0] * len(ARKIT) + [np.pi] * (len(FRAME) - len(ARKIT)), np.float32)
#: [61] a frame times this has the signs of Unreal and Live Link, one of theirs has ours. Unreal's axes are
#: left-handed and behind the face: yaw is positive to the person's right, pitch down as here, roll where the
#: right side rises. Units stay radians.
UNREAL_SIGNS = np.array([1.0] * len(ARKIT) + [-1.0, 1.0, -1.0] * 3, np.float32)


def columns(name: str) -> NDArray[np.intp]:
    """The columns of a shape or angle (`jawOpen`), a pair without its side (`eyeBlink`), a region (`mouth`)
    or `all`. ValueError for any other name, with the nearest valid one."""
    if name == "all":
        return np.arange(len(FRAME))
    if name in REGIONS:
        return np.flatnonzero(REGIONS.index(name) == REGION_OF)
    if name in INDEX:
        return np.array([INDEX[name]])
    sides = [f"{name}Left", f"{name}Right"]
    if all(side in INDEX for side in sides):
        return np.array([INDEX[side] for side in sides])
    pairs = [n.removesuffix("Left") for n in ARKIT if n.endswith("Left")]
    near = suggest(name, [*FRAME, *pairs, *REGIONS, "all"])
    hint = f"; did you mean '{near}'?" if near else ""
    raise ValueError(
        f"'{name}' is no part of a face{hint} Expected an ARKit shape (jawOpen), a pair (eyeBlink), an angle "
        f"(headYaw), a region ({', '.join(REGIONS)}) or all"
    )
