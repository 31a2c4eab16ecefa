"""GRID speakers as tracked landmarks: folders of NAME.flac, NAME.ref.csv, landmarks_*.npz and words.csv.

landmarks_*.npz hold an array a clip, int16 [T, L, 3], 25 frames a second from the sound's beginning: x right,
y down, z away from the camera, in 1/10000 of the clip's median distance between the outer eye corners.
`index` are MediaPipe's numbers of the L landmarks. NAME.ref.csv has time_s, aperture and width. words.csv has
clip, start_s, end_s, word.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from rtgraph.models.expression import INDEX

from .clip import RealDataError, Word
from .resample import at_face_frames
from .solve import KNOWN, Neutral, neutral, solve
from .store import StoredClip, read_audio
from .sync import clip_lags_s
from .tables import lips_of, read_table

Array = NDArray[np.float64]

RATE_HZ = 25.0
_UNIT = 1e-4 * np.array([1, -1, -1])
_VALID_SHARE = 0.1
_HEAD = [INDEX[name] for name in ("headYaw", "headPitch", "headRoll")]


def solve_folder(
    folder: Path, report: Callable[[int, int, float], None] = lambda *_: None
) -> list[StoredClip]:
    """Every clip of one speaker's folder as expression frames at 50 Hz; the folder's name is the speaker's.

    `report(done, of, lip error in IOD)` after each. RealDataError where the folder is no such folder.
    """
    index, tracked = _read_landmarks(folder)
    words = _read_words(folder / "words.csv")
    person = neutral(index, np.concatenate(list(tracked.values())))
    clips = []
    for done, (name, points) in enumerate(sorted(tracked.items()), 1):
        clip, error = _solve_clip(folder, name, person, points, words.get(name, ()))
        clips.append(clip)
        report(done, len(tracked), error)
    usual_pose = np.median(np.concatenate([c.motion for c in clips])[:, _HEAD], axis=0)
    for clip in clips:  # the camera did not stand straight before him; angles this small add up
        clip.motion[:, _HEAD] -= usual_pose
    return _in_step(clips)


def _in_step(clips: list[StoredClip]) -> list[StoredClip]:
    """The clips without the lag of picture against sound that is each one's own."""
    measured = [c.lips for c in clips if c.lips is not None]
    sounds = [read_audio(c.audio, 0.0, len(c.motion)) for c in clips]
    return [clip.earlier(lag) for clip, lag in zip(clips, clip_lags_s(sounds, measured), strict=True)]


def _solve_clip(
    folder: Path, name: str, person: Neutral, points: Array, words: tuple[Word, ...]
) -> tuple[StoredClip, float]:
    solved = solve(person, points, RATE_HZ)
    times_s = np.arange(len(points)) / RATE_HZ
    reference = folder / f"{name}.ref.csv"
    table = read_table(reference)
    motion = at_face_frames(times_s, solved.frames)
    measured = at_face_frames(table["time_s"], lips_of(table, reference))
    frames = min(len(motion), len(measured))
    clip = StoredClip(
        name=name,
        speaker=folder.name,
        split="valid" if crc32(name.encode()) % 1000 < 1000 * _VALID_SHARE else "train",
        audio=folder / f"{name}.flac",
        motion=motion[:frames],
        known=KNOWN,
        lips=measured[:frames],
        words=words,
    )
    return clip, solved.error


def _read_landmarks(folder: Path) -> tuple[tuple[int, ...], dict[str, Array]]:
    """MediaPipe's numbers, and by clip [T, L, 3] in IOD, x to the person's left, y up, z to the camera."""
    paths = sorted(folder.glob("landmarks_*.npz"))
    if not paths:
        raise RealDataError(f"{folder} holds no landmarks_*.npz; expected a folder of tracked GRID clips")
    index: tuple[int, ...] = ()
    tracked: dict[str, Array] = {}
    for path in paths:
        with np.load(path, allow_pickle=False) as file:
            found = tuple(int(n) for n in file["index"])
            if index and found != index:
                raise RealDataError(f"{path}: its `index` is another one than in {paths[0].name}")
            index = found
            tracked.update({name: file[name] * _UNIT for name in file.files if name != "index"})
    return index, tracked


def _read_words(path: Path) -> Mapping[str, tuple[Word, ...]]:
    words: dict[str, tuple[Word, ...]] = {}
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                word = Word(row["word"], float(row["start_s"]), float(row["end_s"]))
                words[row["clip"]] = (*words.get(row["clip"], ()), word)
    return words
