"""What audio nodes exchange, and the options that every source of sound has."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from rtgraph import NodeConfig, TensorType

Samples = NDArray[np.float32]

#: One hop of sound, stamped with the capture of its last sample.
AudioChunk = TensorType("AudioChunk", "float32", (None,), doc="[samples] mono, -1..1")
#: One hop of natural-log mel energies, before the level normalisation where a node does not say otherwise.
Mel = TensorType("Mel", "float32", (80,), doc="[bands] natural log, 100 Hz")


class AudioSourceConfig(NodeConfig):
    """How a source cuts its sound into chunks."""

    sample_rate: int = Field(16000, ge=1000, le=384000, description="samples a second of the output")
    hop_ms: float = Field(10.0, gt=0, le=1000, description="length of a chunk; 1000 / hop_ms chunks a second")
    channel: Literal["mix"] | int = Field(
        "mix", description="a channel's number, from 0, or `mix`: their mean"
    )

    @model_validator(mode="after")
    def _check(self) -> AudioSourceConfig:
        samples = self.sample_rate * self.hop_ms / 1000
        if samples < 1 or abs(samples - round(samples)) > 1e-6:
            raise ValueError(
                f"{self.hop_ms:g} ms are {samples:g} samples at {self.sample_rate} Hz; "
                "choose a hop of whole samples"
            )
        if self.channel != "mix" and self.channel < 0:
            raise ValueError(f"channel {self.channel} does not exist; the first is 0")
        return self

    @property
    def hop_samples(self) -> int:
        return round(self.sample_rate * self.hop_ms / 1000)

    @property
    def chunks_per_second(self) -> float:
        return self.sample_rate / self.hop_samples

    @property
    def hop_ns(self) -> int:
        return round(1e9 * self.hop_samples / self.sample_rate)


def to_mono(frames: Samples, channel: Literal["mix"] | int) -> tuple[Samples, int]:
    """One channel of sound, or the mean of all, in -1..1; and how many samples were NaN or infinite.

    frames: [T, channels]. Such samples become silence: a filter behind would carry one NaN on for ever.
    """
    broken = frames.size - int(np.count_nonzero(np.isfinite(frames)))
    if broken:
        frames = np.nan_to_num(frames, nan=0.0, posinf=0.0, neginf=0.0)
    if channel != "mix":
        mono = frames[:, channel]
    elif frames.shape[1] == 1:
        mono = frames[:, 0]
    else:
        # float64: two channels of 3e38 would add up to infinity
        mono = frames.mean(axis=1, dtype=np.float64)
    return np.clip(mono, -1.0, 1.0).astype(np.float32), broken
