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
    speech gate. What a model waits for (its card's look_ahead_ms) is taken out: sound and face are shown
    delayed alike. EvaluationError where there are no such weights.
    """
    loaded = load(name)
    config = loaded.card.config
    waits = round(loaded.card.look_ahead_ms * _FRAME_RATE_HZ / 1000)  # frames

    def predict(audio: FloatArray) -> FloatArray:
        audio = np.pad(audio, (0, waits * _FRAME_SAMPLES))
        rng = np.random.default_rng(seed)
        count = len(audio) // _FRAME_SAMPLES
        noise = rng.standard_normal((count, config.denoiser.latent_width), np.float32)
        return FaceStream(loaded)(audio, noise)[waits:]

    return predict


class FaceStream:
    """One stream of a weights file's networks, frame by frame by the kernels, as a graph runs them."""

    def __init__(self, loaded: weights.Weights) -> None:
        config = loaded.card.config
        self._encoder = EncoderStep(config.encoder, loaded.part("encoder"))
        self._denoiser = DenoiserStep(config.denoiser, loaded.part("denoiser"))
        self._hops = config.encoder.hops_per_frame
        self._mel = MelState()
        self._latent = np.zeros((1, config.denoiser.latent_width), np.float32)

    def __call__(
        self,
        audio: FloatArray,
        noise: FloatArray,
        eyes: FloatArray | None = None,
        emotion: FloatArray | None = None,
    ) -> FloatArray:
        """The next F frames [F, 61] for audio [320 F], noise [F, latent_width], and where they are seen eyes
        [F, 160] (`rtgraph.models.eye_lift`), emotion [8].
        """
        rows = mel(self._mel, np.ascontiguousarray(audio, np.float32))
        frames = np.zeros((len(noise), len(FRAME)), np.float32)
        seen = None if eyes is None else np.ones(1, bool)
        mood = None if emotion is None else np.ascontiguousarray(emotion[None], np.float32)
        for k in range(len(frames)):
            heard = np.ascontiguousarray(rows[None, self._hops * k : self._hops * (k + 1)])
            look = None if eyes is None else np.ascontiguousarray(eyes[None, k], np.float32)
            hidden = self._encoder(heard, self._latent, eyes=look, eyes_present=seen, emotion=mood)
            said = self._denoiser(noise[k : k + 1], hidden, self._latent, emotion=mood)
            self._latent, frames[k] = said.latent, said.frame[0]
        return frames


@cache
def load(name: str) -> weights.Weights:
    """A weights file by the name of its size, or by its path; EvaluationError where there is none."""
    path = (
        Path(name)
        if name.endswith(".safetensors")
        else bundled("assets") / f"weights/face-{name}.safetensors"
    )
    try:
        return weights.load(path)
    except (FileNotFoundError, ValueError) as error:
        raise EvaluationError(f"{error}; give a bundled size or a .safetensors file to --weights") from error
