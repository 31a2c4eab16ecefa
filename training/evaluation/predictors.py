"""What is judged: from sound to frames. The networks that ship, and any function of the same form."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from rtgraph.files import bundled
from rtgraph.kernels.denoiser_step import DenoiserStep
from rtgraph.kernels.encoder_step import EncoderStep
from rtgraph.kernels.mel import MelState, mel
from rtgraph.models import weights
from rtgraph.models.expression import FRAME
from rtgraph.nodes.face.face_csv import FaceClip

from .recordings import EvaluationError, Face, Recording, face_of

FloatArray = NDArray[np.float32]

#: [320 F] float32 samples at 16 kHz -> [F, 61] frames at 50 Hz; frame k has heard the first 320 (k + 1).
Predictor = Callable[[FloatArray], FloatArray]

_SAMPLE_RATE_HZ, _FRAME_RATE_HZ = 16_000, 50
_FRAME_SAMPLES = _SAMPLE_RATE_HZ // _FRAME_RATE_HZ


def face_from_sound(predictor: Predictor) -> Callable[[Recording], Face]:
    """How a predictor's faces are shown: frame k at (k + 1) / 50 s; what it waits for counts as delay."""

    def predict(recording: Recording) -> Face:
        return predicted_face(predictor, recording.audio, recording.sample_rate_hz)

    return predict


def predicted_face(predictor: Predictor, audio: NDArray[np.floating], sample_rate_hz: int) -> Face:
    """The face for mono `audio` [T] of any rate."""
    if sample_rate_hz != _SAMPLE_RATE_HZ:
        audio = soxr.resample(audio, sample_rate_hz, _SAMPLE_RATE_HZ)
    whole = -len(audio) % _FRAME_SAMPLES  # the last frame is filled up with silence
    frames = predictor(np.pad(np.asarray(audio, np.float32), (0, whole)))
    expected = ((len(audio) + whole) // _FRAME_SAMPLES, len(FRAME))
    if frames.shape != expected or not np.isfinite(frames).all():
        raise EvaluationError(
            f"the predictor gave frames of shape {frames.shape}, expected {expected}, all finite"
        )
    times_s = (np.arange(len(frames)) + 1) / _FRAME_RATE_HZ
    return face_of(FaceClip(times_s, frames, np.ones(0, bool), 0))


def shipped(name: str, seed: int = 0) -> Predictor:
    """The face networks by the name of their weights (tiny, base) or the path of a .safetensors file.

    Each frame by the streaming kernels, as a graph runs them, from fresh noise; without eyes, emotion and
    speech gate. EvaluationError where there are no such weights.
    """
    loaded = _load(name)
    config = loaded.card.config

    def predict(audio: FloatArray) -> FloatArray:
        encoder = EncoderStep(config.encoder, loaded.part("encoder"))
        denoiser = DenoiserStep(config.denoiser, loaded.part("denoiser"))
        rng = np.random.default_rng(seed)
        hops = config.encoder.hops_per_frame
        rows = mel(MelState(), np.ascontiguousarray(audio, np.float32))
        frames = np.zeros((len(audio) // _FRAME_SAMPLES, len(FRAME)), np.float32)
        latent = np.zeros((1, config.denoiser.latent_width), np.float32)
        for k in range(len(frames)):
            heard = np.ascontiguousarray(rows[None, hops * k : hops * (k + 1)])
            hidden = encoder(heard, latent)
            noise = rng.standard_normal(latent.shape, np.float32)
            said = denoiser(noise, hidden, latent)
            latent, frames[k] = said.latent, said.frame[0]
        return frames

    return predict


@cache
def _load(name: str) -> weights.Weights:
    path = (
        Path(name)
        if name.endswith(".safetensors")
        else bundled("assets") / f"weights/face-{name}.safetensors"
    )
    try:
        return weights.load(path)
    except (FileNotFoundError, ValueError) as error:
        raise EvaluationError(f"{error}; give a bundled size or a .safetensors file to --weights") from error
