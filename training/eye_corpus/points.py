"""Where things are in a picture: what the renderer knows exactly and an encoder learns to see, beside its
labels.
"""

from __future__ import annotations

import math

import numpy as np

from . import eyeball
from .eyeball import Eyeball, look_through
from .lids import lids_at
from .look import FloatArray, Look
from .picture import pupil_seen
from .rig import SIDE_PX, Rig
from .wearer import Wearer

#: Places in the picture, each (column, row) from -1 to 1 between its edges, hidden or not.
PLACES = ("pupil", "eyeball", "cornea", "nasalCorner", "temporalCorner", "upperLid", "lowerLid")
#: Then: the optical axis as the camera sees it (right, up, towards it), the logarithms of the pupil's and the
#: limbus's radius and of a millimetre at the eye, in pixels, how the camera stands to the head, and how much
#: of the pupil shows, 0..1.
OTHERS = (
    "axisRight",
    "axisUp",
    "axisTowards",
    "logPupilPx",
    "logLimbusPx",
    "logMmPx",
    "cameraX",
    "cameraY",
    "cameraRoll",
    "visible",
)
POINTS = tuple(f"{name}{axis}" for name in PLACES for axis in "XY") + OTHERS
VISIBLE = POINTS.index("visible")


def points(wearer: Wearer, rig: Rig, look: Look, slip_mm: FloatArray) -> FloatArray:
    """[24] float32 in the order of POINTS."""
    ball, lids = eyeball.turn(wearer, look), lids_at(wearer, look)
    slip = np.asarray(slip_mm, np.float32)
    x = np.array([wearer.nasal_x, wearer.temporal_x, (wearer.nasal_x + wearer.temporal_x) / 2], np.float32)
    upper, lower, _ = lids.margins(x)
    corners = [(x[0], lower[0]), (x[1], lower[1]), (x[2], upper[2]), (x[2], lower[2])]
    bulge = wearer.eye_radius + 0.75 - wearer.socket_z
    margin = [
        (a, b, wearer.socket_z + bulge * math.exp(-0.5 * (a * a + 1.15 * b * b) / wearer.bulge_width**2))
        for a, b in corners
    ]
    places = np.stack(
        [_apparent_pupil(ball, rig.camera - slip), np.zeros(3), ball.cornea, *np.asarray(margin)]
    )
    half = (SIDE_PX - 1) / 2
    at = (rig.project((places + slip).astype(np.float32)) - half) / (SIDE_PX / 2)
    axis = rig.axes @ ball.axis
    scale = rig.focal_px / float(np.linalg.norm(rig.camera - slip))
    outwards = -rig.axes[2]
    others = [
        axis[0], axis[1], -axis[2],
        math.log(scale * look.pupil_mm / 2), math.log(scale * ball.limbus_radius), math.log(scale),
        outwards[0], outwards[1], rig.axes[0, 1], pupil_seen(wearer, rig, look, slip),
    ]  # fmt: skip
    return np.concatenate([at.ravel(), others]).astype(np.float32)


def _apparent_pupil(ball: Eyeball, camera: FloatArray) -> FloatArray:
    """[3] where the pupil's centre seems to be through the cornea: on the line of sight that ends there."""
    w = ball.wearer
    truth: FloatArray = (
        ball.pupil_depth * ball.axis + w.pupil_offset[0] * ball.right + w.pupil_offset[1] * ball.up
    )
    seen: FloatArray = truth
    for _ in range(4):
        ray = seen - camera
        through = look_through(ball, camera, (ray / np.linalg.norm(ray))[:, None].astype(np.float32))
        if not through.meets[0]:
            return truth
        seen = seen + (truth - through.ends[:, 0])
    return seen
