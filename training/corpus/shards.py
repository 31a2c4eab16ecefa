"""The corpus on disk: numbered npz shards of a few clips each, written whole or not at all, read without
pickle.

Sound and faces lie apart, because speaking takes hours and animating takes minutes: new articulation
parameters remake the faces alone. The clips of a shard lie end to end. speech-N.npz: `audio` [T] int16,
`phone` [P] int16 (phones.INVENTORY), `phone_s` [P, 2] float32 (start, end),
    `clip_ends` [N, 2] int64 (where in audio and phone a clip ends), `about` JSON text as bytes: one object a
    clip.
face-N.npz: `motion` [F, 61] float16 at 50 Hz, `mark` of the parameters and code that made it, as bytes.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rtgraph.models.expression import FRAME

from .face import Mood
from .phones import INDEX_OF, INVENTORY
from .style import Style
from .utterance import FRAME_SAMPLES, SAMPLE_RATE_HZ, CorpusError, FloatArray, Phone, Utterance


@dataclass(frozen=True)
class Recording:
    """One clip of sound with all that its face depends on."""

    said: Utterance  # whole face frames long
    mood: Mood
    style: Style
    face_seed: int
    about: dict[str, Any]  # kind, split; of speech also language, engine, voice, text


@dataclass(frozen=True)
class Clip:
    """A recording with its face; motion[k] is the face at (k + 1) / 50 s."""

    recording: Recording
    motion: FloatArray  # [F, 61] expression frames

    @property
    def audio(self) -> FloatArray:  # [320 F] float32, 16 kHz
        return self.recording.said.audio


def speech_path(folder: Path, number: int) -> Path:
    return folder / f"speech-{number:05d}.npz"


def face_path(folder: Path, number: int) -> Path:
    return folder / f"face-{number:05d}.npz"


def write_speech(path: Path, recordings: Sequence[Recording]) -> None:
    """Write the sound of a shard."""
    phones = [p for r in recordings for p in r.said.phones]
    ends = np.cumsum([(len(r.said.audio), len(r.said.phones)) for r in recordings], axis=0, dtype=np.int64)
    about = [
        {**r.about, "mood": asdict(r.mood), "style": asdict(r.style), "face_seed": r.face_seed}
        for r in recordings
    ]
    arrays: dict[str, np.ndarray] = {
        "audio": np.round(np.concatenate([r.said.audio for r in recordings]).clip(-1, 1) * 32767).astype(
            np.int16
        ),
        "phone": np.array([INDEX_OF[p.symbol] for p in phones], np.int16),
        "phone_s": np.array([(p.start_s, p.end_s) for p in phones], np.float32).reshape(-1, 2),
        "clip_ends": ends,
        "about": np.frombuffer(json.dumps(about, ensure_ascii=False).encode(), np.uint8),
    }
    _write(path, arrays)


def write_faces(path: Path, motions: Sequence[FloatArray], mark: str) -> None:
    """Write the faces of a shard, in the order of its recordings."""
    stamp = np.frombuffer(mark.encode(), np.uint8)
    _write(path, {"motion": np.concatenate(motions).astype(np.float16), "mark": stamp})


def _write(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Under another name, then renamed: a killed run leaves no half file."""
    unfinished = path.with_suffix(".part")
    with unfinished.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # numpy's stub takes the names for its own options
    unfinished.replace(path)


def read_speech(path: Path) -> list[Recording]:
    """Every recording of a shard."""
    with _open(path) as shard:
        audio, phone, phone_s, ends = (shard[name] for name in ("audio", "phone", "phone_s", "clip_ends"))
        about = json.loads(shard["about"].tobytes())
    recordings = []
    starts = np.vstack([np.zeros((1, 2), np.int64), ends[:-1]])
    for told, (a0, p0), (a1, p1) in zip(about, starts, ends, strict=True):
        spoken = zip(phone[p0:p1], phone_s[p0:p1], strict=True)
        phones = tuple(Phone(INVENTORY[int(k)], float(s[0]), float(s[1])) for k, s in spoken)
        said = Utterance(audio[a0:a1].astype(np.float32) / 32767, phones)
        mood, style = Mood(**told.pop("mood")), Style(**told.pop("style"))
        recordings.append(Recording(said, mood, style, told.pop("face_seed"), told))
    return recordings


def seconds(path: Path) -> float:
    """How much sound a speech shard holds, without reading it."""
    with _open(path) as shard:
        return float(shard["clip_ends"][-1, 0]) / SAMPLE_RATE_HZ


def mark_of(path: Path) -> str:
    """What made a face shard; "" if there is none yet."""
    if not path.exists():
        return ""
    with _open(path) as shard:
        return str(shard["mark"].tobytes().decode())


def read_all(folder: Path, split: str | None = None) -> Iterator[Clip]:
    """Clips of every finished shard of a corpus in order; of one split, "train" or "valid", if given."""
    paths = sorted(folder.glob("face-*.npz"))
    if not paths:
        raise CorpusError(
            f"{folder} holds no face-*.npz; make a corpus: python -m rtgraph.training.corpus --out {folder}"
        )
    for path in paths:
        with _open(path) as shard:
            motion = shard["motion"].astype(np.float32).reshape(-1, len(FRAME))
        start = 0
        for recording in read_speech(path.with_name(path.name.replace("face", "speech"))):
            end = start + len(recording.said.audio) // FRAME_SAMPLES
            if split in (None, recording.about["split"]):
                yield Clip(recording, motion[start:end])
            start = end


def _open(path: Path) -> Any:
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise CorpusError(
            f"{path} is no shard ({error}); delete it and run the corpus command again"
        ) from error
