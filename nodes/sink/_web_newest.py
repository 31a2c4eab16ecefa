"""What there is to show: the newest value of each kind, and the last stretch of sound."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Set
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtgraph.nodes.sink._web_message import Kind, Section

#: Sound that a client has not fetched by then is left out of its waveform.
_KEEP_SAMPLES = 8000  # half a second


@dataclass
class Seen:
    """How far one reader has come: by kind the number of the value it had last, and of samples of sound."""

    numbers: dict[Kind, int] = field(default_factory=dict)
    samples: int = 0


class Newest:
    """Written by the graph's thread, read by the server's: a value replaces the one before it.

    A lock is held for the time of a few assignments, never while something is computed or sent.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[Kind, tuple[int, Section]] = {}
        self._sound: deque[tuple[int, Section]] = deque()  # (samples up to its end, chunk)
        self._samples = 0

    def put(self, kind: Kind, data: NDArray[Any], timestamp_ns: int) -> None:
        with self._lock:
            number = self._values[kind][0] + 1 if kind in self._values else 1
            self._values[kind] = number, Section(kind, timestamp_ns, data)

    def put_sound(self, chunk: NDArray[np.float32], timestamp_ns: int) -> None:
        with self._lock:
            self._samples += chunk.size
            self._sound.append((self._samples, Section(Kind.AUDIO, timestamp_ns, chunk)))
            while self._sound[0][0] <= self._samples - _KEEP_SAMPLES:
                self._sound.popleft()

    def since(self, seen: Seen, unwanted: Set[Kind] = frozenset()) -> tuple[list[Section], int]:
        """What this reader has not had, and how many expression frames it missed; it counts as seen from now
        on."""
        with self._lock:
            fresh = [
                (k, n, s)
                for k, (n, s) in self._values.items()
                if k not in unwanted and n != seen.numbers.get(k, 0)
            ]
            chunks = [s for end, s in self._sound if end > seen.samples]
            seen.samples = self._samples
        had = seen.numbers.get(Kind.FRAME)
        missed = 0
        for kind, number, _ in fresh:
            if kind is Kind.FRAME and had is not None:
                missed = number - had - 1
            seen.numbers[kind] = number
        sections = [section for _, _, section in fresh]
        if chunks:
            sound = np.concatenate([c.data for c in chunks])
            sections.append(Section(Kind.AUDIO, chunks[-1].timestamp_ns, sound))
        return sections, missed
