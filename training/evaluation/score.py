"""Scores of a set of clips: each one, averages by collection, and whether one method truly beats another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from .lip_measures import Measures, lip_measures
from .recordings import EvaluationError, Face, Recording
from .vertex_measures import vertex_measures

#: The collections together, each counting once.
ALL = "ALL"


@dataclass(frozen=True)
class Scores:
    """The measures of every clip by its name; `missing` are the clips without a prediction."""

    clips: dict[str, Measures]
    group_of: Mapping[str, str]
    missing: list[str] = field(default_factory=list)

    def groups(self) -> dict[str, Measures]:
        """Averages by collection, and of the collections: medians of lags, means of all else."""
        names = list(dict.fromkeys(self.group_of[clip] for clip in self.clips))
        found = {name: _average(self._of(name).values()) for name in names}
        return found | ({ALL: _average(found.values())} if found else {})

    def _of(self, group: str) -> dict[str, Measures]:
        return {
            name: measures for name, measures in self.clips.items() if group in (ALL, self.group_of[name])
        }


class Interval(NamedTuple):
    """A mean difference over clips with its 95 % confidence interval."""

    mean: float
    low: float
    high: float
    clips: int


def score(recordings: Iterable[Recording], predict: Callable[[Recording], Face | None]) -> Scores:
    """Scores of what `predict` answers for each recording; None: there is none."""
    clips: dict[str, Measures] = {}
    group_of, missing = {}, []
    for recording in recordings:
        guess = predict(recording)
        if guess is None:
            missing.append(recording.name)
            continue
        clips[recording.name] = score_clip(recording, guess)
        group_of[recording.name] = recording.group
    if not clips:
        raise EvaluationError(f"no clip has a prediction; missing: {', '.join(missing) or 'all'}")
    return Scores(clips, group_of, missing)


def score_clip(recording: Recording, guess: Face) -> Measures:
    """Every measure that is defined for a clip."""
    truth = recording.face
    if (
        guess.lips.times_s[0] > truth.lips.times_s[0] + 1
        or guess.lips.times_s[-1] < truth.lips.times_s[-1] - 1
    ):
        first, last = guess.lips.times_s[[0, -1]]
        raise EvaluationError(
            f"{recording.name}: the prediction covers {first:.2f} to {last:.2f} s, expected "
            f"{truth.lips.times_s[0]:.2f} to {truth.lips.times_s[-1]:.2f} s; animate the whole clip"
        )
    measures = lip_measures(truth.lips, guess.lips, recording.audio, recording.sample_rate_hz)
    if truth.motion is not None and guess.motion is not None:
        measures |= vertex_measures(truth.motion, guess.motion)
    return measures


def paired(first: Scores, second: Scores, measure: str, group: str = ALL) -> Interval | None:
    """first - second of one measure over the clips that have it in both (Student's t); None below three."""
    from scipy.stats import t

    ours, theirs = first._of(group), second._of(group)
    differences = np.array(
        [
            ours[c][measure] - theirs[c][measure]
            for c in ours
            if measure in ours[c] and measure in theirs.get(c, ())
        ]
    )
    if len(differences) < 3:
        return None
    mean, error = differences.mean(), differences.std(ddof=1) / np.sqrt(len(differences))
    half = float(t.ppf(0.975, len(differences) - 1) * error)
    return Interval(float(mean), float(mean - half), float(mean + half), len(differences))


def _average(clips: Iterable[Measures]) -> Measures:
    clips = list(clips)
    names = dict.fromkeys(name for measures in clips for name in measures)
    out: Measures = {}
    for name in names:
        values = [measures[name] for measures in clips if name in measures]
        out[name] = float(np.median(values) if "_lag_ms" in name else np.mean(values))
    return out
