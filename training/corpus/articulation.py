"""Phones to lip, jaw and tongue motion: dominance functions over articulatory controls, then ARKit shapes.

Each sound pulls every control towards its own target with a strength that falls off exponentially before and
behind it; the motion is the average of the targets, weighted by these dominances (Cohen & Massaro 1993). Two
departures: the dominance stays at its height for part of the sound, and lips that must meet do meet, whatever
the neighbours want. Jaw and lips are separate controls (Edwards et al. 2016): how much of an opening the jaw
does is a matter of style.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from rtgraph.models.expression import ARKIT, INDEX, both

from . import phones as inventory
from .parameters import Emotion, Parameters, Viseme
from .prosody import Prosody
from .style import Style
from .utterance import FRAME_RATE_HZ, FloatArray, Phone

CONTROLS = ("aperture", "jaw", "spread", "round", "funnel", "bite", "press", "tongue")
_GROUP_OF = ("open", "open", "shape", "shape", "shape", "contact", "contact", "tongue")
_APERTURE, _JAW, _SPREAD, _ROUND, _FUNNEL, _BITE, _PRESS, _TONGUE = range(len(CONTROLS))
_OVERSAMPLING = (
    4  # controls are laid out at 200 Hz, so that a closure of 20 ms cannot fall between two frames
)


@dataclass(frozen=True)
class Mouth:
    """Controls over time, before they become shapes."""

    controls: FloatArray  # [F, 8] in CONTROLS' order, 0..1
    closure: FloatArray  # [F] 1 where the lips must meet


def move(
    phones: Sequence[Phone], frames: int, prosody: Prosody, style: Style, effort: float, p: Parameters
) -> Mouth:
    """The mouth's controls for `frames` frames at 50 Hz; row k is the mouth at (k + 1) / 50 s.

    `effort` is -1 (whisper) to 1 (shout).
    """
    said = _with_rests(phones, frames / FRAME_RATE_HZ, p.rest.close_s)
    times_s = (np.arange(frames * _OVERSAMPLING) + 1) / (FRAME_RATE_HZ * _OVERSAMPLING)
    ratio = _rate_ratio(said, p)
    controls = _blend(said, times_s, ratio, style, p)
    gain = _opening_gain(prosody, ratio, effort, style, p)
    controls[:, _APERTURE] *= np.repeat(gain, _OVERSAMPLING) * style.openness
    jaw_gain = 1 + (gain - 1) * (1 + p.loudness.jaw_per_10_db / max(p.loudness.opening_per_10_db, 1e-6))
    controls[:, _JAW] *= np.repeat(np.maximum(jaw_gain, 0.2), _OVERSAMPLING) * style.openness * style.jaw
    controls[:, [_SPREAD, _ROUND, _FUNNEL]] *= style.lips
    controls = gaussian_filter1d(
        controls, p.smoothing_s * style.laxness * FRAME_RATE_HZ * _OVERSAMPLING, axis=0, mode="nearest"
    )
    controls *= _awake(said, times_s, p.rest.close_s)[:, None]
    closure = _closure(said, times_s, p)
    controls[:, _APERTURE] *= 1 - closure
    controls[:, _PRESS] = np.maximum(controls[:, _PRESS], 0.0) * closure
    at = slice(_OVERSAMPLING - 1, None, _OVERSAMPLING)
    return Mouth(np.clip(controls[at], 0, 2).astype(np.float32), closure[at].astype(np.float32))


def _with_rests(phones: Sequence[Phone], end_s: float, close_s: float) -> list[Phone]:
    """The phones with every gap filled by silence, and long silences cut in three: only the middle is at
    rest.

    Cut, because a dominance is centred: the rest's pull on the first sound after a pause of three seconds
    must be the same as after one of half a second.
    """
    filled: list[Phone] = []
    at_s = 0.0
    for phone in [*(q for q in phones if q.symbol and q.duration_s > 0), Phone("", end_s, end_s)]:
        if phone.start_s - at_s > 1e-4:
            filled += _rest(at_s, phone.start_s, close_s)
        if phone.symbol:
            filled.append(phone)
        at_s = max(at_s, phone.end_s)
    return filled


def _rest(start_s: float, end_s: float, close_s: float) -> list[Phone]:
    if end_s - start_s <= 3 * close_s:
        return [Phone("", start_s, end_s)]
    edges = (start_s, start_s + close_s, end_s - close_s, end_s)
    return [Phone("", a, b) for a, b in itertools.pairwise(edges)]


def _rate_ratio(phones: Sequence[Phone], p: Parameters) -> float:
    spoken = [q.duration_s for q in phones if q.symbol]
    if not spoken:
        return 1.0
    return float(np.clip(len(spoken) / sum(spoken) / p.speech_rate.phones_per_s, 0.4, 2.5))


def _opening_gain(
    prosody: Prosody, rate_ratio: float, effort: float, style: Style, p: Parameters
) -> np.ndarray:
    loud = p.loudness
    gain = 1 + style.loudness * loud.opening_per_10_db * prosody.heard_db.astype(np.float64) / 10
    gain *= (1 + loud.opening_per_effort * effort) / rate_ratio**p.speech_rate.opening_exponent
    return np.clip(gain, loud.least, loud.most)


def _blend(
    phones: Sequence[Phone], times_s: np.ndarray, rate_ratio: float, style: Style, p: Parameters
) -> np.ndarray:
    """[T, 8] targets averaged by their dominances."""
    targets = np.array([_target(p.visemes[inventory.VISEME_OF[q.symbol]], style) for q in phones])  # [N, 8]
    blended = np.zeros((len(times_s), len(CONTROLS)))
    for group in p.kinetics:
        columns = [i for i, g in enumerate(_GROUP_OF) if g == group]
        blended[:, columns] = shares(phones, times_s, rate_ratio, group, style, p) @ targets[:, columns]
    return blended


def _target(viseme: Viseme, style: Style) -> list[float]:
    """[8] where a speaker of that style puts the controls."""
    controls = {name: float(getattr(viseme, name)) for name in CONTROLS}
    controls["aperture"] += style.textbook * (viseme.textbook_aperture - viseme.aperture)
    controls["jaw"] += style.textbook * (viseme.textbook_jaw - viseme.jaw)
    return list(controls.values())


def shares(
    phones: Sequence[Phone], times_s: np.ndarray, rate_ratio: float, group: str, style: Style, p: Parameters
) -> np.ndarray:
    """[T, N] how much each sound has of a group of controls: its dominance over the sum of all."""
    visemes = [p.visemes[inventory.VISEME_OF[q.symbol]] for q in phones]
    strength = np.array([getattr(v, f"{group}_strength", 1.0) for v in visemes])
    start = np.array([q.start_s for q in phones])
    length = np.array([q.duration_s for q in phones])
    kinetics = p.kinetics[group]
    centre = start + length / 2 - kinetics.lead_s - style.lead_s
    away = times_s[:, None] - centre[None]  # [T, N]
    fall = np.where(away < 0, kinetics.before_per_s, kinetics.after_per_s)
    distance = np.maximum(np.abs(away) - kinetics.hold * length[None] / 2, 0.0)
    speed = rate_ratio**p.speech_rate.kinetics_exponent / style.laxness
    dominance = strength[None] * np.exp(-fall * speed * distance)
    return np.asarray(dominance / (dominance.sum(1, keepdims=True) + 1e-12))


def _closure(phones: Sequence[Phone], times_s: np.ndarray, p: Parameters) -> np.ndarray:
    """[T] 0..1: windows with raised-cosine flanks over the bilabials."""
    window = np.zeros(len(times_s))
    lead_s = p.kinetics["contact"].lead_s
    for phone in phones:
        bilabial = inventory.VISEME_OF[phone.symbol] == "bilabial"
        if not bilabial:
            continue
        centre = (phone.start_s + phone.end_s) / 2 - lead_s
        half = max(phone.duration_s * (1 + p.closure.overhang), p.closure.shortest_s) / 2
        outside = np.maximum(np.abs(times_s - centre) - half, 0.0) / p.closure.ramp_s
        window = np.maximum(
            window, np.where(outside < 1, 0.5 + 0.5 * np.cos(np.pi * np.minimum(outside, 1)), 0.0)
        )
    return window


def _awake(phones: Sequence[Phone], times_s: np.ndarray, close_s: float) -> np.ndarray:
    """[T] 1 while something is said, 0 from `close_s` after it and until `close_s` before the next."""
    spoken = [q for q in phones if q.symbol]
    if not spoken:
        return np.zeros(len(times_s))
    start, end = np.array([q.start_s for q in spoken]), np.array([q.end_s for q in spoken])
    away_s = np.maximum(start[None] - times_s[:, None], times_s[:, None] - end[None]).clip(0).min(axis=1)
    return np.asarray(0.5 + 0.5 * np.cos(np.pi * np.minimum(away_s / close_s, 1)))


def shapes(mouth: Mouth, emotion: Emotion, intensity: float, style: Style, p: Parameters) -> FloatArray:
    """[F, 52] ARKit weights of mouth, jaw, cheeks and tongue, over the emotion's lower face."""
    c = mouth.controls.astype(np.float64)
    out = np.zeros((len(c), len(ARKIT)))

    def add(name: str, amount: np.ndarray | float) -> None:
        out[:, INDEX[name]] += amount

    for side, skew in (("Left", 1 + style.asymmetry), ("Right", 1 - style.asymmetry)):
        add(f"mouthStretch{side}", 0.45 * c[:, _SPREAD] * skew)
        add(f"mouthSmile{side}", (0.30 * c[:, _SPREAD] + style.smile) * skew)
        add(f"mouthDimple{side}", 0.25 * c[:, _SPREAD] * skew)
        add(f"mouthPress{side}", 0.5 * c[:, _PRESS] + 0.1 * c[:, _BITE])
        add(f"mouthUpperUp{side}", 0.25 * c[:, _BITE] * (1 - mouth.closure))
    add("mouthPucker", 0.85 * c[:, _ROUND])
    add("mouthFunnel", 0.7 * c[:, _FUNNEL] * (1 - 0.7 * mouth.closure))
    add("mouthRollLower", 0.55 * c[:, _BITE] + 0.25 * c[:, _PRESS])
    add("mouthRollUpper", 0.2 * c[:, _PRESS])
    add("jawForward", 0.08 * c[:, _FUNNEL])
    add("tongueOut", c[:, _TONGUE] * (1 - mouth.closure))
    _emotion_below(out, emotion, intensity, mouth)
    speaking = np.clip(c[:, _APERTURE] * 4, 0, 1)
    opening = 1 + intensity * (emotion.opening - 1)
    jaw = (c[:, _JAW] * opening + intensity * emotion.jaw * speaking) * p.full_jaw
    _open(out, c[:, _APERTURE] * opening * p.full_aperture, jaw, p)
    return np.clip(out, 0, 1).astype(np.float32)


def _emotion_below(out: np.ndarray, emotion: Emotion, intensity: float, mouth: Mouth) -> None:
    opposed = np.clip(
        mouth.controls[:, _ROUND] + mouth.controls[:, _FUNNEL], 0, 1
    )  # rounded lips cannot smile as well
    for name, amount in emotion.shapes.items():
        for column in both(name):
            if column.startswith(("mouth", "cheek", "nose")):
                yields = 0.6 if column.startswith(("mouthSmile", "mouthStretch", "mouthDimple")) else 0.2
                lifts = column.startswith(("mouthUpperUp", "mouthLowerDown"))
                out[:, INDEX[column]] += (
                    intensity * amount * (1 - yields * opposed) * ((1 - mouth.closure) if lifts else 1)
                )


def _open(out: np.ndarray, aperture: np.ndarray, jaw: np.ndarray, p: Parameters) -> None:
    """Set jaw, lip lift and mouthClose so that the lips of the default head stand `aperture` apart."""
    reach = p.head_geometry
    gap = reach["rest"] + reach["jawOpen"] * jaw
    for name, gain in reach.items():
        if name in INDEX:
            gap = gap + gain * out[:, INDEX[name]]
    lifts = [f"{shape}{side}" for shape in ("mouthLowerDown", "mouthUpperUp") for side in ("Left", "Right")]
    lift_gain = sum(reach[name] for name in lifts)
    missing = aperture - gap
    apart = np.clip(aperture / 0.02, 0, 1)  # nearly closed lips are not lifted off each other
    lift = np.clip(missing / lift_gain, 0, 0.6) * apart
    for name in lifts:
        out[:, INDEX[name]] += lift
    jaw = jaw + np.maximum(missing - lift * lift_gain, 0) / reach["jawOpen"] * apart
    # mouthClose may not exceed jawOpen: it brings the lips together over an open jaw and does nothing else
    close = np.clip(-missing / -reach["mouthClose"], 0, np.maximum(jaw, 0))
    rest = np.maximum(-missing + reach["mouthClose"] * close, 0)
    for side in ("Left", "Right"):
        out[:, INDEX[f"mouthLowerDown{side}"]] *= 1 - np.clip(rest / 0.02, 0, 1)
        out[:, INDEX[f"mouthUpperUp{side}"]] *= 1 - np.clip(rest / 0.02, 0, 1)
    out[:, INDEX["mouthShrugLower"]] += np.clip(rest / 0.049, 0, 0.5) * (1 - apart)
    out[:, INDEX["jawOpen"]] = jaw
    out[:, INDEX["mouthClose"]] = close
