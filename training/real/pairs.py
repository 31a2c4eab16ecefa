"""Users' own recordings: NAME.wav or .flac with NAME.csv, as Live Link Face on an iPhone records faces.

The sound may come from another device and begin at another moment; lips and loudness tell by how much.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from rtgraph.models import lips
from rtgraph.models.expression import INDEX
from rtgraph.nodes.face.columns import REGION_OF
from rtgraph.nodes.face.face_csv import FaceClip, read_face_csv

from .clip import FRAME_RATE_HZ, FRAME_SAMPLES, FloatArray, RealDataError
from .resample import at_face_frames
from .store import StoredClip, has_sound, read_audio, sound_beside

Array = NDArray[np.float64]

_MAX_OFFSET_S, _STEP_S = 2.0, 0.01
_SURE_R = 0.25  # loudness and lips of one person's speech agree by 0.3 to 0.7
#: Over the offset 0. The best of 400 offsets is the better by chance, by more in a short take.
_SURE_GAIN, _SURE_GAIN_OF_A_SECOND = 0.05, 0.6
_SHORTEST_S = 1.0
_VALID_SHARE = 0.1


@dataclass(frozen=True)
class Alignment:
    """How the sound and the face of a pair lie to each other."""

    name: str
    seconds: float
    rate_hz: float  # of the face
    offset_s: float  # the face's time 0 in the sound
    r: float  # of loudness and lip aperture there
    r_unmoved: float  # and without an offset
    sure: bool  # if not, the offset is 0

    def __str__(self) -> str:
        moved = f"{self.offset_s * 1000:+.0f} ms" if self.sure else "not moved, for no offset stands out"
        return (
            f"{self.name}: {self.seconds:.1f} s at {self.rate_hz:.0f} frames a second; "
            f"face against sound {moved}; r {self.r:.2f}, unmoved {self.r_unmoved:.2f}"
        )


def read_folder(folder: Path) -> tuple[list[StoredClip], list[Alignment]]:
    """Every pair of a folder and of the folders in it, aligned, at 50 Hz; a tenth of the files validates.

    The speaker is the folder that holds the file. RealDataError where there is no pair, or one is too short.
    """
    tables = [p for p in sorted(folder.rglob("*.csv")) if has_sound(p)]
    if not tables:
        raise RealDataError(
            f"{folder} holds no pair of NAME.csv and NAME.wav or NAME.flac; expected one or more"
        )
    valid = set(
        sorted(tables, key=lambda p: crc32(p.stem.encode()))[: round(_VALID_SHARE * len(tables) + 0.4)]
    )
    clips, alignments = [], []
    for path in tables:
        face, sound = read_face_csv(path), sound_beside(path)
        audio = read_audio(sound)
        found = align(path.stem, audio, face)
        clips.append(_clip(path, sound, audio, face, found, "valid" if path in valid else "train"))
        alignments.append(found)
    return clips, alignments


def align(name: str, audio: FloatArray, face: FaceClip) -> Alignment:
    """Cross-correlates loudness with lip aperture over +-2 s; `audio` [T] at 16 kHz."""
    seconds = float(face.times_s[-1])
    loud = _loudness(audio)
    grid = np.arange(0.0, seconds, _STEP_S)
    aperture = np.interp(grid, face.times_s, lips.measure(face.frames)[:, 0])
    reach = min(_MAX_OFFSET_S, max(seconds / 4, 0.0))
    offsets = np.arange(-round(reach / _STEP_S), round(reach / _STEP_S) + 1)
    found = np.array([_overlap_r(loud, aperture, int(offset)) for offset in offsets])
    best, unmoved = int(np.argmax(found)), float(found[len(offsets) // 2])
    gain = max(_SURE_GAIN, _SURE_GAIN_OF_A_SECOND / math.sqrt(max(seconds, _SHORTEST_S)))
    sure = bool(found[best] >= _SURE_R and found[best] >= unmoved + gain) or best == len(offsets) // 2
    return Alignment(
        name=name,
        seconds=seconds,
        rate_hz=float(1 / np.median(np.diff(face.times_s))) if len(face.times_s) > 1 else 0.0,
        offset_s=float(offsets[best] * _STEP_S) if sure else 0.0,
        r=float(found[best]) if sure else unmoved,
        r_unmoved=unmoved,
        sure=sure,
    )


def _loudness(audio: FloatArray) -> Array:
    """[T] loudness every 10 ms of the 40 ms around, 0 at 40 dB below the loudest, 1 there."""
    power = np.concatenate([[0.0], np.cumsum(audio.astype(np.float64) ** 2)])
    centre = np.arange(0, len(audio), round(_STEP_S * 16_000))
    first, last = np.maximum(centre - 320, 0), np.minimum(centre + 320, len(audio))
    level = 10 * np.log10((power[last] - power[first]) / np.maximum(last - first, 1) + 1e-12)
    return np.asarray(np.clip(1 + (level - np.percentile(level, 98)) / 40, 0, 1))


def _overlap_r(loud: Array, aperture: Array, offset: int) -> float:
    """Correlation where both are there, the face `offset` steps into the sound; 0 below a second."""
    start, end = max(offset, 0), min(offset + len(aperture), len(loud))
    if (end - start) * _STEP_S < _SHORTEST_S:
        return 0.0
    x, y = loud[start:end], aperture[start - offset : end - offset]
    if x.std() < 1e-9 or y.std() < 1e-9:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])


def _clip(
    path: Path, sound: Path, audio: FloatArray, face: FaceClip, found: Alignment, split: str
) -> StoredClip:
    begin_s = max(0.0, -found.offset_s)  # in the face's time
    offset_s = max(0.0, found.offset_s)  # in the sound's
    heard = int((len(audio) / FRAME_SAMPLES) - offset_s * FRAME_RATE_HZ)
    motion = at_face_frames(face.times_s - begin_s, face.frames)[: max(heard, 0)]
    if len(motion) < _SHORTEST_S * FRAME_RATE_HZ:
        raise RealDataError(
            f"{path}: sound and face share {len(motion) / FRAME_RATE_HZ:.1f} s, expected {_SHORTEST_S:.0f} "
            "or more; check that they belong together, or take them out"
        )
    known = face.regions[REGION_OF]
    return StoredClip(
        name=path.stem,
        speaker=path.parent.name,
        split=split,
        audio=sound,
        motion=motion * known,
        known=known,
        lips=_lips_known(motion, known),
        offset_s=offset_s,
    )


def _lips_known(motion: FloatArray, known: NDArray[np.bool_]) -> FloatArray | None:
    """What the default head's lips do by the motion, where it has mouth and jaw."""
    if not known[[INDEX["jawOpen"], INDEX["mouthClose"]]].all():
        return None
    return lips.measure(motion).astype(np.float32)
