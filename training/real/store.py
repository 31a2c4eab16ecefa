"""The solved recordings on disk: one npz file a source, read without pickle; the sound stays where it is.

NAME.npz: the clips of the source lie end to end.
    motion     [F, 61] float32, 50 Hz expression frames
    lips       [F, 2] float32, aperture and width as measured; NaN in a clip whose lips were not measured
    known      [N, 61] bool, by clip
    clip_ends  [N] int64, where in motion a clip ends
    about      JSON text as bytes, one object a clip: name, speaker, split, audio (path of its sound file),
               audio_crc32 (of that file, so that another sound makes another source), offset_s (where in
               the sound file the clip begins) and words as [text, start_s, end_s]
"""

from __future__ import annotations

import json
import math
import os
import zipfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zlib import crc32

import numpy as np
import soundfile
import soxr

from .clip import (
    FRAME_RATE_HZ,
    FRAME_SAMPLES,
    SAMPLE_RATE_HZ,
    FloatArray,
    Mask,
    RealClip,
    RealDataError,
    Word,
)

_SOUNDS = (".wav", ".flac", ".WAV")
_REMAKE = "make it anew: python -m rtgraph.training.real --help"


@dataclass(frozen=True)
class StoredClip:
    """A clip before it is written: as RealClip, with the place of its sound in place of the sound."""

    name: str
    speaker: str
    split: str
    audio: Path
    motion: FloatArray  # [F, 61]
    known: Mask  # [61]
    lips: FloatArray | None  # [F, 2]
    words: tuple[Word, ...] = ()
    offset_s: float = 0.0  # where in the sound the clip begins

    def earlier(self, by_s: float) -> StoredClip:
        """With the face `by_s` earlier against the sound; frames of which one is missing go."""
        first = max(0, math.ceil(round(by_s * FRAME_RATE_HZ, 6)))
        end = len(self.motion) - max(0, math.ceil(round(-by_s * FRAME_RATE_HZ, 6)))
        begin_s = first / FRAME_RATE_HZ - by_s  # in the sound
        return replace(
            self,
            motion=self.motion[first:end],
            lips=None if self.lips is None else self.lips[first:end],
            offset_s=self.offset_s + begin_s,
            words=tuple(Word(w.text, w.start_s - begin_s, w.end_s - begin_s) for w in self.words),
        )

    def read(self, source: str) -> RealClip:
        """The clip with its sound."""
        return RealClip(
            name=self.name,
            source=source,
            speaker=self.speaker,
            split=self.split,
            audio=read_audio(self.audio, self.offset_s, len(self.motion)),
            motion=self.motion,
            known=self.known,
            lips=self.lips,
            words=self.words,
        )


def sources_folder() -> Path:
    """Where the sources are kept: rtgraph/real in the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rtgraph" / "real"


def write_source(path: Path, clips: Sequence[StoredClip]) -> None:
    """Write a source: under another name, then renamed, so that a killed run leaves no half file."""
    about = [
        {
            "name": c.name,
            "speaker": c.speaker,
            "split": c.split,
            "audio": str(c.audio.resolve()),
            "audio_crc32": crc32(c.audio.read_bytes()),
            "offset_s": c.offset_s,
            "words": [[w.text, w.start_s, w.end_s] for w in c.words],
        }
        for c in clips
    ]
    unknown = [np.full((len(c.motion), 2), np.nan, np.float32) if c.lips is None else c.lips for c in clips]
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    with unfinished.open("wb") as file:
        np.savez(
            file,
            motion=np.concatenate([c.motion for c in clips]).astype(np.float32),
            lips=np.concatenate(unknown).astype(np.float32),
            known=np.stack([c.known for c in clips]),
            clip_ends=np.cumsum([len(c.motion) for c in clips], dtype=np.int64),
            about=np.frombuffer(json.dumps(about, ensure_ascii=False).encode(), np.uint8),
        )
    unfinished.replace(path)


def read_all(
    folder: Path | None = None, split: str | None = None, sources: Collection[str] | None = None
) -> Iterator[RealClip]:
    """Every clip of every source in `folder` (default: sources_folder()); of one split, of these sources.

    RealDataError where there is none, or a file or its sound cannot be read.
    """
    folder = folder or sources_folder()
    paths = [p for p in sorted(folder.glob("*.npz")) if sources is None or p.stem in sources]
    missing = set(sources or ()) - {p.stem for p in paths}
    if missing or not paths:
        wanted = ", ".join(f"{name}.npz" for name in sorted(missing)) or "*.npz"
        raise RealDataError(f"{folder} holds no {wanted}; {_REMAKE}")
    for path in paths:
        yield from _read_source(path, split)


def _read_source(path: Path, split: str | None) -> Iterator[RealClip]:
    try:
        with np.load(path, allow_pickle=False) as file:
            motion, lips, known, ends = (file[k] for k in ("motion", "lips", "known", "clip_ends"))
            about = json.loads(file["about"].tobytes())
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise RealDataError(f"{path} is no source of real recordings ({error}); {_REMAKE}") from error
    starts = [0, *ends[:-1]]
    for told, start, end, known_here in zip(about, starts, ends, known, strict=True):
        if split not in (None, told["split"]):
            continue
        measured = lips[start:end]
        stored = StoredClip(
            name=told["name"],
            speaker=told["speaker"],
            split=told["split"],
            audio=Path(told["audio"]),
            motion=motion[start:end],
            known=known_here,
            lips=None if np.isnan(measured).any() else measured,
            words=tuple(Word(*word) for word in told["words"]),
            offset_s=told["offset_s"],
        )
        yield stored.read(path.stem)


def has_sound(table: Path) -> bool:
    """Whether NAME.csv has NAME.wav or NAME.flac beside it."""
    return any(table.with_suffix(ending).exists() for ending in _SOUNDS)


def sound_beside(table: Path) -> Path:
    """NAME.wav or NAME.flac beside NAME.csv; RealDataError where there is none."""
    for ending in _SOUNDS:
        if table.with_suffix(ending).exists():
            return table.with_suffix(ending)
    raise RealDataError(f"{table} has no {table.stem}.wav or .flac beside it; expected its sound there")


def read_audio(path: Path, offset_s: float = 0.0, frames: int | None = None) -> FloatArray:
    """[320 F] float32, 16 kHz mono: the mean of the channels, resampled, from `offset_s` for `frames` face
    frames (default: as many whole frames as there are), filled with zeros where the sound ends before.
    """
    try:
        sound, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        raise RealDataError(
            f"{path} cannot be read as sound ({error}); expected a WAV or FLAC file"
        ) from error
    mono = sound.mean(axis=1)
    if rate_hz != SAMPLE_RATE_HZ:
        mono = soxr.resample(mono, rate_hz, SAMPLE_RATE_HZ)
    start = round(offset_s * SAMPLE_RATE_HZ)
    mono = mono[start:] if start >= 0 else np.concatenate([np.zeros(-start, np.float32), mono])
    count = (len(mono) // FRAME_SAMPLES if frames is None else frames) * FRAME_SAMPLES
    out = np.zeros(count, np.float32)
    out[: min(count, len(mono))] = mono[:count]
    return out
