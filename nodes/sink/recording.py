"""Recording: what a recorder writes into, and the recordings that are tables of text."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rtgraph.models.expression import FRAME
from rtgraph.nodes.sink.face_frames import Frame
from rtgraph.nodes.sink.live_link_frame import CSV_HEADER, csv_line
from rtgraph.nodes.sink.table import CsvTable, Part


class Recording(Protocol):
    """A file that grows. `add_*` raise OSError where the disk takes no more: what is there stays readable.

    lost: frames that are not in the file, and will not be. start_ns: when the run began, set before the first
    frame, from which tables count.
    """

    start_ns: int

    @property
    def lost(self) -> int: ...

    def add_frame(self, timestamp_ns: int, frame: Frame) -> None: ...
    def add_audio(self, timestamp_ns: int, samples: NDArray[np.float32]) -> bool:
        """False: this format has no place for sound."""

    def finish(self) -> None:
        """Complete the file and give it its name. OSError: what there is stays where `remains` says."""

    def discard(self) -> None:
        """Drop everything; no file appears."""

    def remains(self) -> str:
        """Where what was recorded lies until `finish` has succeeded; "" where that is gone."""


def part_path(path: Path) -> Path:
    """The file under construction; hidden, beside the one that it becomes."""
    return path.with_name(f".{path.name}.part")


class CsvRecording:
    """A table: `time_s` from the start of the run, and the 61 numbers by name. What face.file plays.

    The face of the first 20 ms of sound is at 0.02 s: when it could first be seen.
    """

    def __init__(self, path: Path) -> None:
        self.lost = self.start_ns = 0
        self._table = CsvTable(path, FRAME)

    def add_frame(self, timestamp_ns: int, frame: Frame) -> None:
        try:
            self._table.add((timestamp_ns - self.start_ns) * 1e-9, frame)
        except OSError:
            self.lost += 1
            raise

    def add_audio(self, timestamp_ns: int, samples: NDArray[Any]) -> bool:
        return False

    def finish(self) -> None:
        self._table.finish()

    def discard(self) -> None:
        self._table.discard()

    def remains(self) -> str:
        return self._table.remains()


class LiveLinkCsvRecording:
    """The table that the Live Link Face app writes: time codes, its order of columns, Unreal's signs."""

    def __init__(self, path: Path, rate_hz: int, offset_ns: int) -> None:
        """offset_ns: from timestamps to the time of day. rate_hz: of the time codes."""
        self.lost = self.start_ns = 0
        self._path, self._rate_hz, self._offset_ns = path, rate_hz, offset_ns
        self._part = Part(part_path(path))
        self._part.append((CSV_HEADER + "\n").encode())

    def add_frame(self, timestamp_ns: int, frame: Frame) -> None:
        line = csv_line(frame, (timestamp_ns + self._offset_ns) * 1e-9, self._rate_hz)
        try:
            self._part.append((line + "\n").encode())
        except OSError:
            self.lost += 1
            raise

    def add_audio(self, timestamp_ns: int, samples: NDArray[Any]) -> bool:
        return False

    def finish(self) -> None:
        self._part.close()
        os.replace(self._part.path, self._path)

    def discard(self) -> None:
        self._part.discard()

    def remains(self) -> str:
        return self._part.remains()
