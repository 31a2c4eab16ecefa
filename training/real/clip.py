"""One real recording: sound, the face that was seen with it, and how much of the face is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rtgraph.errors import RtGraphError
from rtgraph.models.expression import FRAME

SAMPLE_RATE_HZ = 16_000
FRAME_RATE_HZ = 50
FRAME_SAMPLES = SAMPLE_RATE_HZ // FRAME_RATE_HZ

FloatArray = NDArray[np.float32]
Mask = NDArray[np.bool_]


class RealDataError(RtGraphError):
    """A recording or its motion cannot be used; the message says where, what was expected and the remedy."""


@dataclass(frozen=True)
class Word:
    """A word of the transcript and when it was said."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class RealClip:
    """Sound and motion; motion[k] is the face at (k + 1) / 50 s, once sample 320 (k + 1) was heard."""

    name: str
    source: str  # the data set
    speaker: str
    split: str  # "train" | "valid" | "judge"
    audio: FloatArray  # [320 F] float32, 16 kHz, -1..1
    motion: FloatArray  # [F, 61] expression frames; 0 where not known
    known: Mask  # [61] the numbers of a frame that the recording tells
    lips: FloatArray | None  # [F, 2] aperture, width as measured, in outer-eye-corner distances
    words: tuple[Word, ...] = ()

    def __post_init__(self) -> None:
        frames = len(self.motion)
        shapes = {
            "audio": (self.audio.shape, (frames * FRAME_SAMPLES,)),
            "motion": (self.motion.shape, (frames, len(FRAME))),
            "known": (self.known.shape, (len(FRAME),)),
            "lips": ((frames, 2) if self.lips is None else self.lips.shape, (frames, 2)),
        }
        for name, (found, expected) in shapes.items():
            if found != expected:
                raise RealDataError(
                    f"clip {self.name} of {self.source}: {name} has shape {found}, expected {expected}"
                )
