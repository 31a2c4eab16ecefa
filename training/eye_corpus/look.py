"""What an eye does at one moment: the labels of a picture."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]  # float32 wherever there is one for each pixel

#: The farthest an eye turns, radians.
GAZE_LIMIT = np.deg2rad(35.0)
#: Of a row of labels, in the order of rtgraph.models.expression.EYE without its confidence.
LABELS = ("gazeYaw", "gazePitch", "lid", "squint", "wide", "pupilMm")


@dataclass(frozen=True)
class Look:
    """One eye, as a left one: for a right eye the picture and the yaw are mirrored.

    Yaw is positive to the person's left, pitch positive downwards, radians, of the optical axis in the
    head's frame. Lid is 0 closed to 1 open for that gaze, so that looking down is not a blink. Squint and
    wide are 0..1, pupil_mm is the diameter of the pupil itself, before the cornea magnifies it.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    lid: float = 1.0
    squint: float = 0.0
    wide: float = 0.0
    pupil_mm: float = 4.0

    def labels(self) -> FloatArray:
        """[6] float32 in the order of LABELS."""
        return np.array(astuple(self), np.float32)


def random_look(rng: np.random.Generator) -> Look:
    """An independent look: every gaze in the round that an eye reaches equally likely, half the lids fully
    open, squint and wide apart."""
    lid = 1.0 if rng.random() < 0.45 else 0.0 if rng.random() < 0.15 else rng.random()
    squint, wide = 0.0, 0.0
    pick = rng.random()
    if pick < 0.3:
        squint = rng.random()
    elif pick < 0.55:
        wide = rng.random()
    turn, way = GAZE_LIMIT * np.sqrt(rng.random()), rng.uniform(0, 2 * np.pi)
    return Look(turn * np.cos(way), turn * np.sin(way), lid, squint, wide, rng.uniform(2.0, 8.0))
