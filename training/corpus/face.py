"""The whole face for one utterance: articulation below, gestures above, emotion and style throughout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtgraph.models.expression import ARKIT

from . import articulation
from .gestures import add_gestures, empty
from .parameters import EMOTIONS, Parameters
from .prosody import analyse
from .style import Style
from .utterance import FRAME_SAMPLES, FloatArray, Utterance


@dataclass(frozen=True)
class Mood:
    """One of the eight emotions, how much of it (0..1), and the effort of the voice (-1 whisper, 1 shout)."""

    emotion: str = "neutral"
    intensity: float = 0.0
    effort: float = 0.0

    @property
    def vector(self) -> FloatArray:
        """[8] float32 weights in EMOTIONS' order; they sum to 1, what is not the emotion is neutral."""
        weights = np.zeros(len(EMOTIONS), np.float32)
        weights[EMOTIONS.index(self.emotion)] = self.intensity
        weights[0] += 1 - self.intensity
        return weights


def animate(
    utterance: Utterance, style: Style, mood: Mood, p: Parameters, rng: np.random.Generator
) -> FloatArray:
    """[F, 61] float32 expression frames at 50 Hz, F = samples // 320; frame k is the face at (k + 1) / 50 s.

    That is the moment at which its newest sample has been heard, so a model that answers frame k once sample
    320 (k + 1) is in has zero look-ahead and zero delay.
    """
    frames = len(utterance.audio) // FRAME_SAMPLES
    prosody = analyse(utterance.audio)
    emotion = p.emotions[mood.emotion]
    out = empty(frames)
    mouth = articulation.move(utterance.phones, frames, prosody, style, mood.effort, p)
    out[:, : len(ARKIT)] = articulation.shapes(mouth, emotion, mood.intensity, style, p)
    add_gestures(out, prosody, style, emotion, mood.intensity, p.gestures, rng)
    return out
