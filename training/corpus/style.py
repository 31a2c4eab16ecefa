"""How one speaker differs from the next: a handful of numbers drawn once a voice."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields

import numpy as np

from .utterance import FloatArray


@dataclass(frozen=True)
class Style:
    """All 1 (or 0 where additive) for the average speaker."""

    openness: float = 1.0  # how far the mouth opens
    jaw: float = 1.0  # how much of it the jaw does (JALI's jaw axis)
    lips: float = 1.0  # how far lips spread and round (JALI's lip axis)
    laxness: float = 1.0  # above 1: slow, smeared movements
    lead_s: float = 0.0  # articulates this much earlier
    asymmetry: float = 0.0  # left minus right, -1..1
    smile: float = 0.0  # resting smile
    brows: float = 1.0
    head: float = 1.0
    gaze: float = 1.0  # how long the eyes stay away
    blink_rate: float = 1.0
    textbook: float = 0.0  # 0: vowels open as the calibrated speaker's, 1: by their height
    loudness: float = 1.0  # how much further what is loud opens the mouth

    @property
    def vector(self) -> FloatArray:
        """[13] float32 in the fields' order."""
        return np.array(astuple(self), np.float32)


NAMES = tuple(f.name for f in fields(Style))


def draw(rng: np.random.Generator) -> Style:
    """A speaker at random: amounts are log-normal, so half and double are equally far from the average."""

    def amount(spread: float) -> float:
        return float(np.exp(np.clip(rng.normal(0, spread), -2 * spread, 2 * spread)))

    return Style(
        openness=amount(0.18),
        jaw=amount(0.2),
        lips=amount(0.15),
        laxness=amount(0.12),
        lead_s=float(np.clip(rng.normal(0, 0.008), -0.016, 0.016)),
        asymmetry=float(np.clip(rng.normal(0, 0.08), -0.2, 0.2)),
        smile=float(max(rng.normal(0, 0.04), 0)),
        brows=amount(0.4),
        head=amount(0.35),
        gaze=amount(0.3),
        blink_rate=amount(0.35),
        textbook=float(rng.uniform(0, 1)),
        loudness=amount(0.5),
    )
