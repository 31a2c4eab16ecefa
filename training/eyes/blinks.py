"""Blinks in a row of lids, found and compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: A blink begins below the first and is over above the second.
_CLOSED, _OPEN = 0.4, 0.6


@dataclass(frozen=True)
class BlinkCount:
    """Of found blinks against real ones."""

    real: int = 0
    found: int = 0
    right: int = 0

    def __add__(self, other: BlinkCount) -> BlinkCount:
        return BlinkCount(self.real + other.real, self.found + other.found, self.right + other.right)

    @property
    def f1(self) -> float:
        """1 where every blink is found and no other; 1 too where there is none on either side."""
        return 2 * self.right / (self.real + self.found) if self.real + self.found else 1.0


def blinks(lid: NDArray[np.floating]) -> list[tuple[int, int]]:
    """First and last frame of each blink in lids [T], 0 closed to 1 open."""
    found: list[tuple[int, int]] = []
    start = -1
    for k, value in enumerate(lid):
        if start < 0 and value < _CLOSED:
            start = k
        elif start >= 0 and value > _OPEN:
            found.append((start, k - 1))
            start = -1
    if start >= 0:
        found.append((start, len(lid) - 1))
    return found


def count_blinks(lid: NDArray[np.floating], truth: NDArray[np.floating], slack: int = 2) -> BlinkCount:
    """A found blink is right when it overlaps a real one that no other has taken, within `slack` frames."""
    real, found = blinks(truth), blinks(lid)
    left = list(real)
    right = 0
    for start, end in found:
        for blink in left:
            if start <= blink[1] + slack and end >= blink[0] - slack:
                left.remove(blink)
                right += 1
                break
    return BlinkCount(len(real), len(found), right)
