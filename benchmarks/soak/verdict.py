"""What a soak's samples say: whether memory or latency grows, and what else is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: The first share of a run is left out: caches fill, the allocator finds its size.
_WARM_UP = 0.15
_LEAK_MB = 8.0  # over the whole run
_LATER_MS = 3.0
_SILENCE_MS = 1000.0
#: Drops that mean something: a queue was full. Others are held values that newer ones replaced, or that had
#: nobody to hold them. A viewer or sender that the machine held up for a moment loses a packet or two.
_LOSSES = ("oldest", "newest", "unpaired")
_LOST_SHARE = 0.001

Sample = Mapping[str, Any]


def growth(values: Sequence[float] | NDArray[np.float64]) -> float:
    """How much larger the end is than the beginning, by Theil and Sen: the median slope of all pairs, which a
    few outliers do not move. NaN are left out; fewer than two values grow by 0."""
    y = np.asarray(values, np.float64)
    x = np.flatnonzero(np.isfinite(y))
    y = y[x]
    if len(y) < 2:
        return 0.0
    first, second = np.triu_indices(len(y), 1)
    return float(np.median((y[second] - y[first]) / (x[second] - x[first])) * (len(values) - 1))


def faults(samples: Sequence[Sample]) -> list[str]:
    """In words; none where all is well. Samples: of equal distance in time, as `__main__.py` puts them
    together."""
    if len(samples) < 4:
        return [f"{len(samples)} samples are too few to tell anything; let it run longer"]
    settled = samples[int(_WARM_UP * len(samples)) :]
    found = []
    if (more := growth([s["rss_mb"] for s in settled])) > _LEAK_MB:
        found.append(f"memory grew by {more:.1f} MB")
    if (more := growth([s["p50_ms"] for s in settled])) > _LATER_MS:
        found.append(f"the median latency grew by {more:.1f} ms")
    for what in ("threads", "files"):
        if settled[-1][what] > settled[0][what]:
            found.append(f"{what}: {settled[0][what]} at first, {settled[-1][what]} at the end")
    silent = [s for s in settled if not s["faces"] or s["gap_ms"] > _SILENCE_MS]
    if silent:
        found.append(f"{len(silent)} times no face came for more than a second")
    for edge, counts in samples[-1]["edges"].items():
        if (lost := losses(counts)) > _LOST_SHARE * counts["passed"]:
            found.append(f"{edge} lost {lost} of {counts['passed']} packets")
    return found


def losses(counts: Mapping[str, int]) -> int:
    """Packets of an edge that a full queue cost."""
    return sum(counts.get(reason, 0) for reason in _LOSSES)
