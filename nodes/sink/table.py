"""Tables on disk: rows are appended one by one, and the file appears under its name when it is whole."""

from __future__ import annotations

import os
import zipfile
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rtgraph import NodeError

Array = NDArray[Any]


class Table(Protocol):
    """A file of rows. `add` raises OSError (disk full) and ValueError (a row unlike the first); then
    nothing is added."""

    rows: int

    def add(self, time_s: float, values: Array) -> None: ...
    def finish(self) -> None:
        """Give the file its name. OSError: what there is stays where `remains` says."""

    def discard(self) -> None:
        """Drop everything; no file appears."""

    def remains(self) -> str:
        """Where the rows lie until `finish` has succeeded; "" where that is gone."""


def not_completed(node: str, path: str, error: OSError, remains: str) -> NodeError:
    """What a node raises whose file did not get its name. remains: where the rows lie, "" for nowhere."""
    left = f"in {remains}" if remains else "lost"
    return NodeError(node, f"{path} cannot be completed: {error.strerror}; what was received is {left}")


class Part:
    """A file under construction. Appending is all or nothing: after an error it ends where it ended
    before."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = open(path, "w+b", buffering=0)  # noqa: SIM115 - it stays open
        self._size = 0

    def append(self, data: bytes) -> None:
        try:
            view = memoryview(data)
            while view:
                view = view[self._file.write(view) :]
        except OSError:
            self.cut(self._size)
            raise
        self._size += len(data)

    @property
    def size(self) -> int:
        return self._size

    def remains(self) -> str:
        """Where it lies, "" where somebody has removed it."""
        return str(self.path) if self.path.exists() else ""

    def cut(self, size: int) -> None:
        self._file.truncate(size)
        self._file.seek(size)
        self._size = size

    def close(self) -> None:
        self._file.close()

    def discard(self) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)


class CsvTable:
    """Text: a header, then `time_s` and the elements of each row, with as many digits as their dtype
    holds."""

    def __init__(self, path: Path, columns: tuple[str, ...]) -> None:
        self.rows = 0
        self._path, self._columns = path, columns
        self._part = Part(path.with_name(f".{path.name}.part"))
        self._header_written = False

    def add(self, time_s: float, values: Array) -> None:
        flat = values.reshape(-1)
        columns = self._columns or tuple(f"x{i}" for i in range(flat.size))
        if len(columns) != flat.size:
            raise ValueError(
                f"a packet has {flat.size} elements; the file has {len(columns)} columns after time_s"
            )
        text = _row_format(flat.dtype, flat.size) % (time_s, *flat.tolist())
        if not self._header_written:
            text = ",".join(["time_s", *columns]) + "\n" + text
        self._part.append(text.encode())
        self._columns, self._header_written = columns, True
        self.rows += 1

    def close(self) -> Path:
        """Complete the table, without giving it its name; where it lies."""
        if not self._header_written:
            self._part.append((",".join(["time_s", *self._columns]) + "\n").encode())
        self._part.close()
        return self._part.path

    def finish(self) -> None:
        os.replace(self.close(), self._path)

    def discard(self) -> None:
        self._part.discard()

    def remains(self) -> str:
        return self._part.remains()


@cache
def _row_format(dtype: np.dtype[Any], elements: int) -> str:
    """Of a time and the elements. 9 and 17 significant digits bring every float32 and float64 back as it
    was."""
    digits = {2: "%.5g", 4: "%.9g", 8: "%.17g"} if dtype.kind == "f" else {}
    return ",".join(["%.6f", *[digits.get(dtype.itemsize, "%s")] * elements]) + "\n"


class NpzTable:
    """NumPy's zip: `time_s` [N] float64, seconds, and `data` [N, ...].

    Rows are spooled raw, since an .npy begins with its number of rows; `finish` copies them into the archive.
    """

    def __init__(self, path: Path) -> None:
        self.rows = 0
        self._path = path
        self._times = Part(path.with_name(f".{path.name}.time_s.part"))
        try:
            self._data = Part(path.with_name(f".{path.name}.data.part"))
        except OSError:
            self._times.discard()
            raise
        self._shape: tuple[int, ...] = ()
        self._dtype = np.dtype(np.float32)

    def add(self, time_s: float, values: Array) -> None:
        if self.rows == 0:
            self._shape, self._dtype = values.shape, values.dtype
        elif (values.shape, values.dtype) != (self._shape, self._dtype):
            raise ValueError(
                f"a packet is {values.dtype} {list(values.shape)}; an NPZ file takes packets like its first, "
                f"{self._dtype} {list(self._shape)}"
            )
        before = self._times.size
        self._times.append(np.float64(time_s).tobytes())
        try:
            self._data.append(values.tobytes())
        except OSError:
            self._times.cut(before)
            raise
        self.rows += 1

    def finish(self) -> None:
        part = self._path.with_name(f".{self._path.name}.part")
        try:
            with zipfile.ZipFile(part, "w", allowZip64=True) as archive:
                _copy(archive, "time_s.npy", self._times, (self.rows,), np.dtype(np.float64))
                _copy(archive, "data.npy", self._data, (self.rows, *self._shape), self._dtype)
            os.replace(part, self._path)
        except OSError:
            part.unlink(missing_ok=True)
            self._times.close()
            self._data.close()
            raise
        self.discard()

    def discard(self) -> None:
        self._times.discard()
        self._data.discard()

    def remains(self) -> str:
        times, data = self._times.remains(), self._data.remains()
        if not times or not data:
            return ""
        return f"{times} (float64) and {data} ({self._dtype} rows of {list(self._shape)})"


def _copy(
    archive: zipfile.ZipFile, name: str, part: Part, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> None:
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    with archive.open(name, "w", force_zip64=True) as to, open(part.path, "rb") as rows:
        np.lib.format.write_array_header_2_0(to, header)
        while block := rows.read(1 << 20):
            to.write(block)
