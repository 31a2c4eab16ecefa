"""A speaking machine for tests of face training: vowels as filtered pulses, all equally loud, and their true face."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from rtgraph.models import lips
from rtgraph.training.corpus import Clip, Phone, Recording, Utterance
from rtgraph.training.corpus import parameters as articulation_parameters
from rtgraph.training.corpus.face import Mood, animate
from rtgraph.training.corpus.style import Style
from rtgraph.training.real import RealClip

#: First two formants in Hz (Peterson & Barney 1952, men).
_FORMANTS = {"i": (270, 2290), "a": (730, 1090), "u": (300, 870), "ɛ": (530, 1840), "o": (500, 900)}


def vowel(symbol: str, seconds: float, pitch_hz: float) -> np.ndarray:
    pulses = np.zeros(round(seconds * 16_000))
    pulses[:: round(16_000 / pitch_hz)] = 1.0
    for centre in _FORMANTS[symbol]:
        radius, turn = np.exp(-np.pi * 80 / 16_000), 2 * np.pi * centre / 16_000
        pulses = lfilter([1.0], [1.0, -2 * radius * np.cos(turn), radius**2], pulses)
    return 0.1 * pulses / (np.sqrt(np.mean(pulses**2)) + 1e-9)


def speech(rng: np.random.Generator, kind: str = "speech", sounds: int = 16) -> Clip:
    """About three seconds: vowels, and m's that shut the lips while the voice goes on."""
    parts: list[np.ndarray] = []
    phones: list[Phone] = []
    at_s, pitch_hz = 0.1, float(rng.uniform(90, 200))
    for symbol in rng.choice([*_FORMANTS, "m"], sounds):
        seconds = float(rng.uniform(0.12, 0.24))
        hum = vowel("u" if symbol == "m" else str(symbol), seconds, pitch_hz)
        parts.append(lfilter([0.1], [1, -0.9], hum) * 3 if symbol == "m" else hum)
        phones.append(Phone(str(symbol), at_s, at_s + len(parts[-1]) / 16_000))
        at_s += len(parts[-1]) / 16_000
    audio = np.concatenate([np.zeros(1600), *parts, np.zeros(1600)])
    audio = np.clip(audio, -1, 1).astype(np.float32)[: len(audio) // 320 * 320]
    said = Utterance(audio, tuple(phones))
    style = Style()
    motion = animate(said, style, Mood(), articulation_parameters.default(), rng)
    return Clip(Recording(said, Mood(), style, 0, {"kind": kind, "split": "train"}), motion)


def silence(rng: np.random.Generator, seconds: float = 3.0) -> Clip:
    audio = (rng.uniform(0, 0.01) * rng.standard_normal(round(seconds * 50) * 320)).astype(np.float32)
    said = Utterance(audio, ())
    motion = animate(said, Style(), Mood(), articulation_parameters.default(), rng)
    return Clip(Recording(said, Mood(), Style(), 0, {"kind": "noise", "split": "train"}), motion)


def recording(rng: np.random.Generator, name: str = "clip", split: str = "train") -> RealClip:
    """The same as a camera would tell it: without tongue and eyes."""
    from rtgraph.models.expression import FRAME

    clip = speech(rng)
    known = np.array([not n.startswith(("tongue", "eyeLook", "leftEye", "rightEye")) for n in FRAME])
    motion = clip.motion * known
    measured = lips.measure(motion).astype(np.float32)
    return RealClip(name, "tests", "machine", split, clip.audio, motion, known, measured)
