"""Streaming log-mel: audio in chunks of any size in, one row a hop out, with online level normalisation."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import numpy as np

from .. import _cpu
from .config import LevelConfig, MelConfig

__all__ = ["LevelConfig", "MelConfig", "MelState", "mel"]

Isa = Literal["baseline", "avx2", "avx512"]

_plan = lru_cache(maxsize=16)(_cpu.mel.Plan)  # tables are read-only and shared by all streams of a config


@dataclass
class MelState:
    """The state of one audio stream; belongs to one thread at a time.

    `isa` picks an instruction set for tests; None takes the best that the machine runs.
    Raises ValueError where the machine does not run it.
    """

    config: MelConfig = field(default_factory=MelConfig)
    isa: Isa | None = None

    def __post_init__(self) -> None:
        self._stream = _cpu.mel.Stream(_plan(self.config, self.isa))

    def reset(self) -> None:
        """Back to the state of a new one."""
        self._stream.reset()

    @property
    def replaced_samples(self) -> int:
        """Samples since the start or reset that were not finite (or beyond 1e6) and became silence."""
        return int(self._stream.replaced_samples)

    @property
    def level(self) -> float:
        """The talker's level by the running estimate, nats."""
        return float(self._stream.level)


def mel(state: MelState, audio: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """Take a chunk of audio, give the log-mel rows of the hops that it completes.

    audio: [T] float32, contiguous, mono, -1..1 at the config's sample rate; any T, 0 included.
    out: [H, bands] float32 or larger, contiguous, written in place of a new array.
    Returns [H, bands] float32, natural log, less the running level where the config has one. Always finite.
    Raises TypeError or ValueError where an array does not fit.
    """
    if type(audio) is not np.ndarray or audio.dtype != np.float32:
        raise TypeError(
            f"mel: audio: expected a float32 numpy array, got {_describe(audio)}; "
            "use np.asarray(x, np.float32)"
        )
    if audio.ndim != 1 or not audio.flags.c_contiguous:
        raise ValueError(
            f"mel: audio: expected a contiguous [T], got {_describe(audio)}; "
            "give one channel, as np.ascontiguousarray(x[:, 0])"
        )
    if out is None:
        rows: np.ndarray = state._stream.push(audio)
        return rows
    hops, bands = state._stream.hops_for(len(audio)), state.config.bands
    if type(out) is not np.ndarray or out.dtype != np.float32:
        raise TypeError(f"mel: out: expected a float32 numpy array, got {_describe(out)}")
    if out.ndim != 2 or len(out) < hops or out.shape[1] != bands or not out.flags.c_contiguous:
        raise ValueError(f"mel: out: expected a contiguous [{hops} or more, {bands}], got {_describe(out)}")
    if not out.flags.writeable:
        raise ValueError("mel: out: expected a writeable array, got a read-only one")
    return out[: state._stream.push_into(audio, out)]


def _describe(value: object) -> str:
    if not isinstance(value, np.ndarray):
        return type(value).__name__
    layout = "" if value.flags.c_contiguous else ", not contiguous"
    return f"{list(value.shape)} {value.dtype}{layout}"
