"""An hour without a break, for drift; and the same sound from fresh and from fixed noise, for the seam."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rtgraph.models import lips
from rtgraph.models.weights import Weights
from rtgraph.training.evaluation.predictors import FaceStream, FloatArray

_FRAME_SAMPLES = 320


class Drift(NamedTuple):
    """A block of sound that is heard again and again: its first pass (after one to settle) and its last."""

    passes: int
    largest: float  # difference of any number of any frame, weight or radian
    aperture_mean_mm: tuple[float, float]
    aperture_sd_mm: tuple[float, float]


class Seam(NamedTuple):
    """Mean change of the aperture from frame to frame, mm."""

    fresh: float
    fixed: float
    reference: float

    @property
    def excess(self) -> float:
        """Of fresh noise over one fixed noise, share of the reference's own change."""
        return (self.fresh - self.fixed) / self.reference


def drift(loaded: Weights, audio: FloatArray, hours: float = 1.0, seed: int = 0) -> Drift:
    """`audio` [320 F] end to end until the hours are over; each pass draws the same noise."""
    stream = FaceStream(loaded)
    noise = _noise(loaded, len(audio) // _FRAME_SAMPLES, seed)
    passes = max(3, round(hours * 3600 * 50 / len(noise)))
    first = last = np.zeros(0)
    for k in range(passes):
        last = stream(audio, noise)
        first = last if k == 1 else first
    both = [lips.measure(x)[:, 0] * lips.IOD_MM for x in (first, last)]
    means, deviations = (tuple(float(f(x)) for x in both) for f in (np.mean, np.std))
    return Drift(passes, float(np.abs(first - last).max()), means, deviations)  # type: ignore[arg-type]


def seam(loaded: Weights, audio: FloatArray, truth: np.ndarray, seed: int = 0) -> Seam:
    """`truth` [F, 61]: the face that belongs to the sound."""
    fresh = _noise(loaded, len(truth), seed)
    fixed = np.repeat(fresh[:1], len(fresh), axis=0)
    changes = [
        float(np.abs(np.diff(lips.measure(x)[:, 0])).mean() * lips.IOD_MM)
        for x in (FaceStream(loaded)(audio, fresh), FaceStream(loaded)(audio, fixed), truth)
    ]
    return Seam(*changes)


def _noise(loaded: Weights, frames: int, seed: int) -> FloatArray:
    width = loaded.card.config.denoiser.latent_width
    return np.random.default_rng(seed).standard_normal((frames, width), np.float32)
