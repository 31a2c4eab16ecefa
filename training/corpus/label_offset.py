"""How late an engine's phone labels are against its own sound, by the energy: the correction each engine
carries.

python -m rtgraph.training.corpus.label_offset [ENGINE ...]
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

import numpy as np

from . import engines, texts
from .phones import sonority
from .utterance import SAMPLE_RATE_HZ, Utterance

_STEP_S, _REACH_S, _WINDOW_S = 0.005, 0.2, 0.02
#: What the measure itself says of labels that are right: of flite's, the times that it synthesises by (two
#: voices, eight sentences each). A stop is silent first and bursts last, which draws the best lag forward.
_OWN_LATENESS_S = -0.010


def label_lateness_s(utterances: Iterable[Utterance]) -> float:
    """Seconds by which the labels come after the sound: positive is late. NaN where no lag within 200 ms fits
    best.

    The lag that best correlates the level in dB with the loudness that the labels lead to expect, over all
    utterances.
    """
    lags = np.arange(-round(_REACH_S / _STEP_S), round(_REACH_S / _STEP_S) + 1)
    total = np.zeros(len(lags))
    for utterance in utterances:  # positive lag: expectation taken from later, so the labels are late
        level, expected = _level_db(utterance), _expected(utterance)
        margin = lags[-1]
        if len(level) < 4 * margin or expected.std() == 0:
            continue
        middle = level[margin:-margin] - level[margin:-margin].mean()
        for i, lag in enumerate(lags):
            moved = expected[margin + lag : len(expected) - margin + lag]
            total[i] += np.corrcoef(middle, moved)[0, 1]
    best = int(np.argmax(total))
    if not total.any() or best in (0, len(lags) - 1):
        return float("nan")
    before, peak, after = total[best - 1 : best + 2]
    summit = 0.5 * (before - after) / (before - 2 * peak + after)
    return float((lags[best] + summit) * _STEP_S) - _OWN_LATENESS_S


def _level_db(utterance: Utterance) -> np.ndarray:
    step, half = round(_STEP_S * SAMPLE_RATE_HZ), round(_WINDOW_S * SAMPLE_RATE_HZ / 2)
    power = np.concatenate([[0.0], np.cumsum(utterance.audio.astype(np.float64) ** 2)])
    centres = np.arange(0, len(utterance.audio), step)
    first, last = np.clip(centres - half, 0, len(power) - 1), np.clip(centres + half, 0, len(power) - 1)
    level = 10 * np.log10((power[last] - power[first]) / np.maximum(last - first, 1) + 1e-9)
    return np.asarray(np.maximum(level, level.max() - 45))


def _expected(utterance: Utterance) -> np.ndarray:
    times = np.arange(0, len(utterance.audio), round(_STEP_S * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    expected = np.zeros(len(times))
    for phone in utterance.phones:
        expected[(times >= phone.start_s) & (times < phone.end_s)] = sonority(phone.symbol)
    return expected


def main() -> int:
    """Print each engine's remaining lateness, per voice: zero is right."""
    for name in sys.argv[1:] or engines.NAMES:
        engine = engines.load(name)
        for language in [code for code in engine.languages() if code in texts.languages()]:
            for voice in engine.voices(language)[:2]:
                said = [engine.speak(t, voice, language=language) for t in texts.sentences(language)[:8]]
                late_ms = 1000 * label_lateness_s(said)
                print(f"{name:8s} {language:3s} {voice:16s} labels late by {late_ms:6.1f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
