"""Tables of numbers over time as CSV files, one column a name."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .clip import RealDataError

Array = NDArray[np.float64]


def read_table(path: Path) -> dict[str, Array]:
    """The columns of a CSV file by name, [T] each; an empty cell is NaN. Names keep their spelling.

    RealDataError where the file is missing, a row has another length than the header, a cell is no number,
    or `time_s` is missing or does not rise.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError) as error:
        raise RealDataError(f"{path} cannot be read as a table ({error})") from error
    if len(rows) < 2:
        raise RealDataError(f"{path} holds no rows; expected a header with time_s and a row a frame")
    names = [name.strip() for name in rows[0]]
    values = np.empty((len(rows) - 1, len(names)))
    for number, row in enumerate(rows[1:]):
        if len(row) != len(names):
            raise RealDataError(
                f"{path}:{number + 2}: {len(row)} cells under a header of {len(names)}; expected as many"
            )
        try:
            values[number] = [float(cell) if cell.strip() else np.nan for cell in row]
        except ValueError as error:
            raise RealDataError(f"{path}:{number + 2}: {error}; expected numbers only") from error
    table = {name: values[:, column] for column, name in enumerate(names)}
    if "time_s" not in table:
        raise RealDataError(f"{path} has no column time_s; expected seconds from the sound's beginning")
    if not (np.diff(table["time_s"]) > 0).all():
        row_number = int(np.argmin(np.diff(table["time_s"]) > 0)) + 3
        raise RealDataError(f"{path}:{row_number}: time_s does not rise; expected every frame after the last")
    return table


def lips_of(table: dict[str, Array], path: Path) -> Array:
    """[T, 2] aperture and width of a table that has these columns, finite; else RealDataError."""
    missing = [name for name in ("aperture", "width") if name not in table]
    if missing:
        raise RealDataError(f"{path} has no column {', '.join(missing)}; expected time_s, aperture and width")
    lips = np.stack([table["aperture"], table["width"]], axis=1)
    if not np.isfinite(lips).all():
        row = int(np.argmin(np.isfinite(lips).all(1))) + 2
        raise RealDataError(f"{path}:{row}: aperture or width is no finite number; leave such frames out")
    return lips
