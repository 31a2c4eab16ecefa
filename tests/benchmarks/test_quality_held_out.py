"""Closures of p, b and m on hand-made apertures: what is met, missed and false; languages."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("scipy")

from rtgraph.benchmarks.quality.held_out import Found, Language, average_face, by_language, closures
from rtgraph.models import lips
from rtgraph.training.corpus import Clip, Phone, Recording, Utterance
from rtgraph.training.corpus.face import Mood
from rtgraph.training.corpus.style import Style

FRAMES = 150  # three seconds: a, m at 1 s, a, k at 2 s, a
_SAID = tuple(
    Phone(symbol, start, end)
    for symbol, start, end in (("a", 0, 1), ("m", 1, 1.1), ("a", 1.1, 2), ("k", 2, 2.1), ("a", 2.1, 3))
)
_CLIP = Clip(
    Recording(Utterance(np.zeros(48_000, np.float32), _SAID), Mood(), Style(), 0, {}), np.zeros((FRAMES, 61))
)


def mouth(*shut: int) -> np.ndarray:
    """Lips 9 mm apart, closed for 60 ms from these frames on."""
    aperture = np.full(FRAMES, 0.1)
    for first in shut:
        aperture[first : first + 3] = 0
    return aperture


def found(truth: np.ndarray, said: np.ndarray) -> tuple[int, int, int]:
    return closures(_CLIP, truth, said, np.ones(FRAMES, bool))


def test_the_truth_is_right() -> None:
    assert found(mouth(51), mouth(51)) == (1, 0, 0)
    narrow = mouth(51)
    narrow[100:106] = 0.012  # k: 1 mm, closed by the measure's own limit, of 15 % of a wide mouth
    assert found(narrow, narrow) == (1, 0, 0)


def test_a_closure_may_be_late_by_60_ms() -> None:
    assert found(mouth(51), mouth(57)) == (1, 0, 0)
    assert found(mouth(51), mouth(45)) == (1, 0, 0)
    assert found(mouth(51), mouth(62)) == (0, 1, 1)


def test_lips_that_meet_for_another_sound_are_false() -> None:
    assert found(mouth(51), mouth(51, 101)) == (1, 0, 1)
    assert found(mouth(51), mouth()) == (0, 1, 0)
    silence = np.ones(FRAMES, bool)
    silence[95:110] = False
    assert closures(_CLIP, mouth(51), mouth(51, 101), silence) == (1, 0, 0)


def test_a_language_is_judged_by_its_speakers_and_by_the_average_one() -> None:
    shown = Found("ja", 0.4, 0.6, 1, 0, 0, 0.9, 0.9, 0.1, 0.1)
    found = [shown, shown._replace(aperture_r=0.6), shown._replace(language="en")]
    assert by_language(found) == {
        "en": Language(0.4, 0.6, 1),
        "ja": Language(pytest.approx(0.5), pytest.approx(0.6), 2),
    }


def test_the_average_speaker_says_what_the_clip_says() -> None:
    narrow = replace(_CLIP.recording, style=Style(openness=0.7, loudness=2.5))
    aperture = lips.measure(average_face(_CLIP))[:, 0]
    assert np.array_equal(aperture, lips.measure(average_face(replace(_CLIP, recording=narrow)))[:, 0])
    assert aperture[52] < 0.01 < 0.03 < aperture[30]
