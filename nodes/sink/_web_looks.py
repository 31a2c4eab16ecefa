"""Pictures of eyes that look at known points, kept for `rtgraph calibrate eyes --looks`."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rtgraph import RtGraphError
from rtgraph.files import whole_file

#: Pairs of pictures of one point: more tell nothing new.
A_POINT = 12
#: Between two pairs of one point, so that they are not all of one moment.
_BETWEEN_NS = 80_000_000
#: Two pictures that lie no further apart are a pair.
_APART_NS = 25_000_000
#: Points of one calibration; nine are asked for.
_MOST_POINTS = 25

Target = tuple[float, float]  # yaw, pitch in degrees


class Looks:
    """Fed by the graph's thread with pictures, told by the server's thread where the eyes look.

    One page at a time calibrates: `owner` is whatever stands for it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._owner: Any = None
        self._target: Target | None = None
        self._newest: dict[str, tuple[int, NDArray[np.uint8]]] = {}
        self._kept: list[tuple[Target, NDArray[np.uint8], NDArray[np.uint8]]] = []
        self._last_ns = 0

    def see(self, side: Literal["left", "right"], image: NDArray[np.uint8], timestamp_ns: int) -> None:
        """A new picture of one eye. Costs nothing while nobody calibrates."""
        if self._target is None:
            return
        with self._lock:
            if self._target is None:
                return
            self._newest[side] = timestamp_ns, image
            if len(self._newest) < 2:
                return
            (left_ns, left), (right_ns, right) = self._newest["left"], self._newest["right"]
            if abs(left_ns - right_ns) > _APART_NS:
                return
            of_this = sum(target == self._target for target, _, _ in self._kept)
            soon = of_this > 0 and timestamp_ns - self._last_ns < _BETWEEN_NS
            first_shape = self._kept[0][1].shape if self._kept else left.shape
            if soon or of_this >= A_POINT or left.shape != first_shape or right.shape != first_shape:
                return
            self._kept.append((self._target, left.copy(), right.copy()))
            self._last_ns = timestamp_ns
            self._newest.clear()

    def begin(self, owner: Any) -> None:
        """Forget what was kept. Raises ValueError where another page calibrates."""
        with self._lock:
            if self._owner not in (None, owner):
                raise ValueError("another page is calibrating")
            self._forget()
            self._owner = owner

    def look(self, owner: Any, target: Target | None) -> None:
        """From now on the eyes look there; None: nowhere that is known. Raises ValueError."""
        with self._lock:
            if self._owner is not owner or owner is None:
                raise ValueError("no calibration has been begun here")
            if target is not None and len({*(t for t, _, _ in self._kept), target}) > _MOST_POINTS:
                raise ValueError(f"a calibration has {_MOST_POINTS} points at most")
            self._target = target
            self._newest.clear()

    def leave(self, owner: Any) -> None:
        """The page has gone, or has had enough."""
        with self._lock:
            if self._owner is owner:
                self._forget()

    def end(self, owner: Any) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32]]:
        """What was kept: left, right [N, H, W] and targets [N, 2] degrees.

        Raises ValueError where there is nothing.
        """
        with self._lock:
            if self._owner is not owner or owner is None:
                raise ValueError("no calibration has been begun here")
            kept = self._kept
            self._forget()
        if not kept:
            raise ValueError("no pictures of both eyes came in; connect `left` and `right` of the viewer")
        targets, left, right = zip(*kept, strict=True)
        return np.stack(left), np.stack(right), np.array(targets, np.float32)

    def write(self, left: NDArray[np.uint8], right: NDArray[np.uint8], targets: NDArray[np.float32]) -> None:
        """Raises RtGraphError where the file cannot be written; an older one then stays as it was."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(self.path) as part, part.open("wb") as file:
                np.savez(file, left=left, right=right, targets=targets)
        except OSError as error:
            raise RtGraphError(
                f"{self.path} cannot be written: {error.strerror}; set the viewer's `looks` to another path"
            ) from None

    def _forget(self) -> None:
        self._owner, self._target, self._last_ns = None, None, 0
        self._newest.clear()
        self._kept = []
