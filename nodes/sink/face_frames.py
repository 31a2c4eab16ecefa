"""Frames as a sender needs them: only the chosen parts of the face, and at any moment between two frames."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtgraph.errors import suggest
from rtgraph.models.expression import ARKIT, FRAME, INDEX, REGIONS, region

Frame = NDArray[np.float32]  # [61]

#: Frames kept: a sender that waits for the latest of late frames looks back by more than one.
_KEPT = 32

#: Frames further apart are not joined by interpolation: the face had stopped in between.
MAX_GAP_NS = 250_000_000


def check_names(names: Sequence[str], known: Sequence[str], what: str) -> None:
    """Raise ValueError, with the nearest name, unless all are known and none stands twice."""
    for name in names:
        if name not in known:
            near = suggest(name, known)
            raise ValueError(f"there is no {what} '{name}'" + (f"; did you mean '{near}'?" if near else ""))
    if len(set(names)) < len(names):
        raise ValueError(f"a {what} stands twice in {list(names)}")


def selected(regions: Sequence[str], leave_out: Sequence[str]) -> NDArray[np.bool_]:
    """[61] which numbers of a frame are sent."""
    return np.array([region(name) in regions and name not in leave_out for name in FRAME])


def check_selection(regions: Sequence[str], leave_out: Sequence[str]) -> None:
    check_names(regions, REGIONS, "region")
    check_names(leave_out, FRAME, "number of a face frame")
    if not selected(regions, leave_out).any():
        raise ValueError("nothing of the face is left to send; see `regions` and `leave_out`")


def clipped(frame: Frame, mask: NDArray[np.bool_]) -> Frame:
    """A copy with weights in 0..1 and zeros where the mask is false."""
    out = np.where(mask, frame, np.float32(0))
    np.clip(out[: len(ARKIT)], 0.0, 1.0, out=out[: len(ARKIT)])
    return out


class Interpolator:
    """The newest frames, and the face at any time between two of them, linear in each number.

    Angles of a face stay far from half a turn, so that they need no care of their own.
    """

    def __init__(self) -> None:
        self._frames: deque[tuple[int, Frame]] = deque(maxlen=_KEPT)

    @property
    def newest_ns(self) -> int | None:
        return self._frames[-1][0] if self._frames else None

    def add(self, timestamp_ns: int, frame: Frame) -> int | None:
        """Take the next frame; the time since the one before it, or None where the two do not belong
        together: then what came before is forgotten."""
        step_ns = timestamp_ns - self._frames[-1][0] if self._frames else 0
        if not 0 < step_ns <= MAX_GAP_NS:
            self._frames.clear()
        self._frames.append((timestamp_ns, frame))
        return step_ns if len(self._frames) > 1 else None

    def at(self, time_ns: int) -> Frame:
        """The face at a time; outside of what is kept the nearest frame. Needs one frame at least."""
        after_ns, after = self._frames[-1]
        for before_ns, before in reversed(self._frames):
            if before_ns <= time_ns:
                if before_ns == after_ns:
                    return before
                share = np.float32(min(1.0, (time_ns - before_ns) / (after_ns - before_ns)))
                between: Frame = before + share * (after - before)
                return between
            after_ns, after = before_ns, before
        return after


def columns(names: Sequence[str]) -> NDArray[Any]:
    """Where in a frame these names stand."""
    return np.array([INDEX[name] for name in names], np.intp)
