"""What a face node does with NaN: the last good packet stands in, and the mishap is counted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtgraph.context import Context


class LastGood:
    """Keeps the newest packet of an input that was finite."""

    def __init__(self, port: str, neutral: NDArray[np.float32]) -> None:
        self._port, self._last = port, neutral

    def of(self, x: NDArray[Any], ctx: Context) -> NDArray[Any]:
        """x, or where it has NaN or infinite numbers the last that had none; counts `bad_packets`."""
        if np.isfinite(x).all():
            self._last = x
        else:
            ctx.count("bad_packets")
            ctx.warn(f"NaN or infinite numbers came on '{self._port}'; the last good packet stands in")
        return self._last
