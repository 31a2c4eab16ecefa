"""Targets by ridge regression inside a random search over how fast dominances fall.

With dominances given, the aperture is linear in the targets of the sounds, so these follow at once; lead,
hold and fall-offs are searched for around the present ones. Targets are drawn towards the present values, and
what a sound that was never said wants is only scaled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rtgraph.models import lips
from rtgraph.training.real import RealClip

from .. import articulation
from .. import phones as inventory
from ..parameters import Kinetics, Parameters
from ..prosody import Prosody, analyse
from ..style import Style
from ..utterance import FRAME_RATE_HZ, Phone
from .grid_words import phones_of

_VISEMES = list(inventory.VISEMES)
_FIXED = (
    "silence",
    "bilabial",
    "labiodental",
)  # the lips must meet, or touch the teeth, whatever was measured
_RIDGE = 4.0  # frames' worth of belief in the present target
#: Width gained by spread, round and funnel at 1 (see articulation.shapes and rtgraph.models.lips).
_WIDTH = {"spread": 0.125, "round": -0.07, "funnel": -0.042}


@dataclass(frozen=True)
class Spoken:
    """A recording with its sounds."""

    phones: tuple[Phone, ...]
    lips: np.ndarray  # [F, 2] measured
    prosody: Prosody
    inside: np.ndarray  # [F] bool: between the first and the last sound

    @classmethod
    def of(cls, clip: RealClip) -> Spoken:
        """ValueError where no word is known or the lips were not measured."""
        said = phones_of(clip.words)
        if not said or clip.lips is None:
            raise ValueError(f"{clip.name}: expected words of the GRID corpus and measured lips")
        times_s = (np.arange(len(clip.lips)) + 1) / FRAME_RATE_HZ
        inside = (times_s > said[0].start_s) & (times_s < said[-1].end_s)
        return cls(said, clip.lips.astype(np.float64), analyse(clip.audio), inside)


def agreement(clips: Sequence[Spoken], p: Parameters) -> tuple[float, float]:
    """Mean r of the model's aperture and width with the measured ones, inside speech."""
    found = []
    for clip in clips:
        frames = len(clip.lips)
        mouth = articulation.move(clip.phones, frames, clip.prosody, Style(), 0.0, p)
        said = lips.measure(articulation.shapes(mouth, p.emotions["neutral"], 0.0, Style(), p))
        found.append([_r(said[clip.inside, k], clip.lips[clip.inside, k]) for k in range(2)])
    aperture, width = np.mean(found, axis=0)
    return float(aperture), float(width)


def fit(clips: Sequence[Spoken], p: Parameters, tries: int, rng: np.random.Generator) -> Parameters:
    """Better parameters for these clips: apertures, widths, kinetics of both and the gain of loudness."""
    for group in ("open", "shape"):
        best, score = p, _score(clips, p, group)
        for _ in range(tries):
            tried = _varied(best, group, rng)
            found = _score(clips, tried, group)
            if found > score:
                best, score = tried, found
        fitted = _with_targets(best, group, *_solved(clips, best, group))
        measure = 0 if group == "open" else 1
        if agreement(clips, fitted)[measure] > agreement(clips, p)[measure]:  # of the whole mouth, in the end
            p = fitted
    return p


def _score(clips: Sequence[Spoken], p: Parameters, group: str) -> float:
    targets, _ = _solved(clips, p, group)
    return float(np.mean([_r(x @ targets, y) for x, y in (_design(c, p, group) for c in clips)]))


def _solved(clips: Sequence[Spoken], p: Parameters, group: str) -> tuple[np.ndarray, np.ndarray]:
    """Targets [V] in IOD, centred clip by clip; and which sounds were said."""
    prior = _present(p, group)
    square, moment, said = _RIDGE * np.eye(len(_VISEMES)), np.zeros(len(_VISEMES)), np.zeros(len(_VISEMES))
    for clip in clips:
        x, y = _design(clip, p, group)
        said += x.sum(0)
        x, y = x - x.mean(0), y - y.mean()
        square += x.T @ x
        moment += x.T @ (y - x @ prior)
    return prior + np.linalg.solve(square, moment), said > 20


def _design(clip: Spoken, p: Parameters, group: str) -> tuple[np.ndarray, np.ndarray]:
    """[T, V] how much each viseme has at each moment inside speech, and what was measured then."""
    times_s = (np.flatnonzero(clip.inside) + 1) / FRAME_RATE_HZ
    said = articulation._with_rests(clip.phones, len(clip.lips) / FRAME_RATE_HZ, p.rest.close_s)
    ratio = articulation._rate_ratio(said, p)
    each = articulation.shares(said, times_s, ratio, group, Style(), p)
    x = np.zeros((len(times_s), len(_VISEMES)))
    for n, phone in enumerate(said):
        x[:, _VISEMES.index(inventory.VISEME_OF[phone.symbol])] += each[:, n]
    if group == "open":
        gain = articulation._opening_gain(clip.prosody, ratio, 0.0, Style(), p)[clip.inside]
        x *= (gain * (1 - articulation._closure(said, times_s, p)))[:, None]
        return x, clip.lips[clip.inside, 0]
    return x, clip.lips[clip.inside, 1]


def _present(p: Parameters, group: str) -> np.ndarray:
    """[V] aperture, or width gained, in IOD."""
    if group == "open":
        return np.array([p.visemes[v].aperture * p.full_aperture for v in _VISEMES])
    return np.array([sum(g * getattr(p.visemes[v], c) for c, g in _WIDTH.items()) for v in _VISEMES])


def _varied(p: Parameters, group: str, rng: np.random.Generator) -> Parameters:
    old = p.kinetics[group]
    new = Kinetics(
        before_per_s=float(np.clip(old.before_per_s * np.exp(rng.normal(0, 0.2)), 4, 60)),
        after_per_s=float(np.clip(old.after_per_s * np.exp(rng.normal(0, 0.2)), 4, 60)),
        lead_s=float(np.clip(old.lead_s + rng.normal(0, 0.01), -0.06, 0.08)),
        hold=float(np.clip(old.hold + rng.normal(0, 0.1), 0, 1)),
    )
    changed: dict[str, object] = {"kinetics": p.kinetics | {group: new}}
    if group == "open":
        gain = float(np.clip(p.loudness.opening_per_10_db + rng.normal(0, 0.05), 0, 0.8))
        changed["loudness"] = p.loudness.model_copy(update={"opening_per_10_db": gain})
    return p.model_copy(update=changed)


def _with_targets(p: Parameters, group: str, targets: np.ndarray, said: np.ndarray) -> Parameters:
    """Parameters whose sounds want `targets`; those never said move by the ratio of the others."""
    before = _present(p, group)
    free = np.array([v not in _FIXED for v in _VISEMES])
    counted = said & free & (np.abs(before) > 1e-3)
    overall = float((targets[counted] @ before[counted]) / (before[counted] @ before[counted]))
    visemes = dict(p.visemes)
    for v, old, new, known in zip(_VISEMES, before, targets, said, strict=True):
        if v in _FIXED or abs(old) < 1e-3:
            continue
        ratio = float(np.clip((new if known else old * overall) / old, 0.25, 3.0))
        names = ("aperture",) if group == "open" else tuple(_WIDTH)
        moved = {name: round(min(getattr(visemes[v], name) * ratio, 1.2), 3) for name in names}
        visemes[v] = visemes[v].model_copy(update=moved)
    return p.model_copy(update={"visemes": visemes})


def _r(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.corrcoef(x, y)[0, 1]) if len(x) > 2 and x.std() > 1e-9 and y.std() > 1e-9 else 0.0
