"""Faces as CSV: ours (`time_s` and names) and those that Live Link Face records, read by name."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rtgraph import AssetError
from rtgraph.errors import suggest
from rtgraph.models.expression import FRAME, INDEX, REGIONS
from rtgraph.nodes.face.columns import HIGH, LOW, REGION_OF, UNREAL_SIGNS

_BY_KEY = {name.casefold(): i for i, name in enumerate(FRAME)}
_TIMECODE = re.compile(r"(\d+):(\d+):(\d+)[:;](\d+)(?:\.(\d+))?$")
_USUAL_RATES_HZ = (24, 25, 30, 48, 50, 60, 90, 120)


@dataclass(frozen=True)
class FaceClip:
    """A recorded face.

    times_s: [F] float64, rising, from 0 where the file begins. frames: [F, 61] float32, 0 where the file has
    no such column. regions: [6] bool, of which at least one column is there. bad_values: how many numbers
    were NaN or infinite (the one before stands in) or out of range (held at the limit).
    """

    times_s: NDArray[np.float64]
    frames: NDArray[np.float32]
    regions: NDArray[np.bool_]
    bad_values: int

    def at(self, time_s: float) -> NDArray[np.float32]:
        """The face [61] at a time, between two frames in proportion; the first or last one outside."""
        k = int(np.searchsorted(self.times_s, time_s, side="right"))
        if k == 0 or k == len(self.times_s):
            nearest: NDArray[np.float32] = self.frames[max(k - 1, 0)]
            return nearest
        before, after = self.times_s[k - 1], self.times_s[k]
        part = np.float32((time_s - before) / (after - before))
        between: NDArray[np.float32] = self.frames[k - 1] + part * (self.frames[k] - self.frames[k - 1])
        return between


def read_face_csv(path: Path, frame_rate_hz: float | None = None) -> FaceClip:
    """A face from a CSV file; columns may be in any order and case.

    Ours has `time_s`. Live Link Face has `Timecode` (HH:MM:SS:FF.sub), `BlendShapeCount` and angles in
    Unreal's signs, which become ours; the frames a second are `frame_rate_hz` or, without it, the usual rate
    above the largest FF. AssetError names the line.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise AssetError(f"{path} cannot be read as CSV: {error}") from None
    if len(rows) < 2:
        raise AssetError(f"{path} holds no face: expected a header and at least one frame")
    header = [name.strip() for name in rows[0]]
    time_column = _time_column(path, header)
    places = _places(path, header)
    rows = [row for row in rows[1:] if len(row) == len(header) or _short(path, row, len(header))]
    live_link = header[time_column].casefold() == "timecode"
    if live_link:
        times_s = _timecodes_s(path, [row[time_column] for row in rows], frame_rate_hz)
    else:
        times_s = _numbers(path, rows, [time_column])[:, 0]
    _check_times(path, times_s)
    frames = np.zeros((len(rows), len(FRAME)))
    frames[:, list(places.values())] = _numbers(path, rows, list(places))
    if live_link:
        frames *= UNREAL_SIGNS
    whole, bad = _mend(frames)
    regions = np.zeros(len(REGIONS), bool)
    regions[REGION_OF[list(places.values())]] = True
    return FaceClip(times_s, whole, regions, bad)


def _time_column(path: Path, header: list[str]) -> int:
    keys = [name.casefold() for name in header]
    for name in ("time_s", "timecode"):
        if name in keys:
            return keys.index(name)
    raise AssetError(
        f"{path}:1: no column says when a frame is; expected `time_s` or Live Link Face's `Timecode`, got "
        f"{', '.join(header[:4])}, ..."
    )


def _places(path: Path, header: list[str]) -> dict[int, int]:
    """Column of the file -> column of the frame. Unknown columns are left out, unless all are unknown."""
    places = {i: _BY_KEY[name.casefold()] for i, name in enumerate(header) if name.casefold() in _BY_KEY}
    if len(set(places.values())) < len(places):
        twice = [FRAME[k] for k in set(places.values()) if list(places.values()).count(k) > 1]
        raise AssetError(f"{path}:1: the column {twice[0]} stands twice")
    if not places:
        near = suggest(header[-1], list(INDEX))
        hint = f" (did you mean '{near}' by '{header[-1]}'?)" if near else ""
        raise AssetError(f"{path}:1: no column has a name of a face, such as jawOpen or eyeBlinkLeft{hint}")
    return places


def _short(path: Path, row: list[str], expected: int) -> bool:
    raise AssetError(f"{path}: a line begins with '{row[0]}' and has {len(row)} values; expected {expected}")


def _numbers(path: Path, rows: list[list[str]], chosen: list[int]) -> NDArray[np.float64]:
    """[rows, chosen]; an empty value is NaN."""
    table = [[row[i] or "nan" for i in chosen] for row in rows]
    try:
        return np.array(table, dtype=np.float64)
    except ValueError:
        for number, row in enumerate(table, 2):
            for text in row:
                try:
                    float(text)
                except ValueError:
                    raise AssetError(f"{path}:{number}: '{text}' is not a number") from None
        raise


def _timecodes_s(path: Path, texts: list[str], rate_hz: float | None) -> NDArray[np.float64]:
    """[F] seconds from the first; the day may turn in between."""
    parts = []
    for number, text in enumerate(texts, 2):
        match = _TIMECODE.match(text.strip())
        if match is None:
            raise AssetError(f"{path}:{number}: '{text}' is no timecode; expected HH:MM:SS:FF.sub")
        hours, minutes, seconds, frame, sub = match.groups()
        parts.append(
            (int(hours) * 3600 + int(minutes) * 60 + int(seconds), int(frame), float(f"0.{sub or 0}"))
        )
    whole_s, frame, sub = np.array(parts).T
    if rate_hz is None:
        rate_hz = next((r for r in _USUAL_RATES_HZ if r > frame.max()), float(frame.max() + 1))
    times_s = whole_s + (frame + sub) / rate_hz
    times_s += 86400 * np.concatenate([[0], np.cumsum(np.diff(times_s) < -43200)])
    result: NDArray[np.float64] = times_s - times_s[0]
    return result


def _check_times(path: Path, times_s: NDArray[np.float64]) -> None:
    if not np.isfinite(times_s).all():
        raise AssetError(f"{path}:{int(np.argmin(np.isfinite(times_s))) + 2}: the time of a frame is missing")
    back = np.flatnonzero(np.diff(times_s) <= 0)
    if back.size:
        k = int(back[0])
        raise AssetError(
            f"{path}:{k + 3}: the time does not go on: {times_s[k]:.6f} s, then {times_s[k + 1]:.6f} s"
        )


def _mend(frames: NDArray[np.float64]) -> tuple[NDArray[np.float32], int]:
    finite = np.isfinite(frames)
    bad = int(frames.size - np.count_nonzero(finite))
    if bad:
        newest = np.maximum.accumulate(np.where(finite, np.arange(len(frames))[:, None], -1), axis=0)
        frames = np.where(newest >= 0, np.take_along_axis(frames, np.maximum(newest, 0), axis=0), 0.0)
    held = np.clip(frames, LOW, HIGH)
    bad += int(np.count_nonzero(np.abs(held - frames) > 1e-4))
    return held.astype(np.float32), bad
