"""What an evaluation compares: recordings with their reference, and predictions of the same names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from rtgraph.errors import RtGraphError
from rtgraph.models import lips
from rtgraph.nodes.face.face_csv import FaceClip, read_face_csv

from ..real.pairs import align
from ..real.store import has_sound, read_audio, sound_beside
from ..real.tables import lips_of, read_table
from .lip_measures import Lips


class EvaluationError(RtGraphError):
    """What is to be compared cannot be; the message says where, what was expected and the remedy."""


@dataclass(frozen=True)
class Face:
    """A face over time: its lips, and all of its motion where that is known."""

    lips: Lips
    motion: FaceClip | None = None


@dataclass(frozen=True)
class Recording:
    """A sound with the face that really went with it."""

    name: str
    audio: NDArray[np.float64]  # [T] mono
    sample_rate_hz: int
    face: Face

    @property
    def group(self) -> str:
        """Recordings of one collection share the beginning of their names, up to the first underscore."""
        return self.name.partition("_")[0]


def read_recordings(folder: Path) -> list[Recording]:
    """Every NAME.ref.csv of a folder, or where there is none every NAME.csv, with NAME.flac or NAME.wav.

    A table has the columns time_s, aperture and width, or those of a face: ours, or Live Link Face's. Such a
    face is moved to where it fits its sound (real/pairs.py).
    """
    tables = sorted(folder.glob("*.ref.csv")) or [p for p in sorted(folder.glob("*.csv")) if has_sound(p)]
    if not tables:
        raise EvaluationError(
            f"{folder} holds no NAME.ref.csv and no NAME.csv beside NAME.flac or NAME.wav; "
            "expected recordings with the face that goes with them"
        )
    return list(_read(tables))


def _read(tables: list[Path]) -> Iterator[Recording]:
    for path in tables:
        sound = sound_beside(path.with_name(f"{_stem(path)}.csv"))
        try:
            audio, sample_rate_hz = soundfile.read(sound, always_2d=True)
        except soundfile.LibsndfileError as error:
            raise EvaluationError(f"{sound} cannot be read as sound: {error}") from error
        face = read_face(path)
        if face.motion is not None:  # recorded by another device than the sound, perhaps
            offset_s = align(path.stem, read_audio(sound), face.motion).offset_s
            face = face_of(replace(face.motion, times_s=face.motion.times_s + offset_s))
        yield Recording(_stem(path), audio.mean(axis=1), sample_rate_hz, face)


def read_face(path: Path) -> Face:
    """The face of a table; lips are taken from its aperture and width where it has these columns."""
    with path.open(encoding="utf-8-sig") as file:
        names = [name.strip() for name in file.readline().split(",")]
    if "aperture" in names:
        table = read_table(path)
        measured = lips_of(table, path)
        seen = not any(name.startswith("rig_") for name in table)  # a rig knows closed lips exactly
        return Face(Lips(table["time_s"], measured[:, 0], measured[:, 1], tracked=seen))
    return face_of(read_face_csv(path))


def face_of(motion: FaceClip) -> Face:
    """A face from its motion; the lips are those that the default head gets by it."""
    measured = lips.measure(motion.frames)
    return Face(Lips(motion.times_s, measured[:, 0], measured[:, 1]), motion)


def _stem(path: Path) -> str:
    return path.name.removesuffix(".csv").removesuffix(".ref")
