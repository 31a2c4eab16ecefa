"""The opening between the lids: their margins as curves over the face, at any look."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .look import FloatArray, Look
from .wearer import Wearer


@dataclass(frozen=True)
class Lids:
    """The margins of one picture; heights in mm along y at a position x."""

    wearer: Wearer
    upper: float  # of the upper margin over the line between the corners, in its middle
    lower: float  # of the lower margin, positive downwards
    closed: float  # 0 open .. 1 closed

    def margins(self, x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """x [N] mm -> upper and lower margin [N] mm, and position between the corners, -1 nasal..1."""
        w = self.wearer
        middle, half = (w.nasal_x + w.temporal_x) / 2, (w.temporal_x - w.nasal_x) / 2
        s = np.clip((x - middle) / half, -1, 1)
        line = w.nasal_y + (w.temporal_y - w.nasal_y) * 0.5 * (s + 1)
        rest = 1 - s * s
        peak = s - w.skew * rest
        upper_shape = np.sqrt(1 - peak * peak) * (0.45 + 0.55 * rest)
        lower_shape = 1 - (s + 0.18 * rest) ** 2
        np.maximum(lower_shape, 0, out=lower_shape)
        # As the eye closes the upper margin takes the shape of the lower one, so that they meet all along.
        upper_shape += (lower_shape - upper_shape) * self.closed
        return line + self.upper * upper_shape, line - self.lower * lower_shape, s


def lids_at(wearer: Wearer, look: Look) -> Lids:
    """Lids follow the gaze up and down; squint lifts the lower one, wide lifts the upper one."""
    down = wearer.eye_radius * math.sin(look.pitch)
    follow = wearer.lid_follow if down > 0 else min(wearer.lid_follow + 0.2, 0.95)
    upper = wearer.upper_height - follow * down + 2.6 * look.wide - 1.1 * look.squint
    lower = wearer.lower_height + 0.35 * down - 2.4 * look.squint + 0.3 * look.wide
    lower = max(lower, 0.8)
    upper = max(upper, 2.6 - lower)
    meeting = 0.72 * lower  # the upper lid makes most of the way
    closed = 1 - look.lid
    return Lids(
        wearer,
        upper=look.lid * upper - closed * meeting,
        lower=look.lid * lower + closed * meeting,
        closed=closed,
    )
