"""Calibration: words become sounds in time, and a mouth with other targets is found again from its lips."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("scipy")

from rtgraph.models import lips
from rtgraph.models.expression import FRAME
from rtgraph.training.corpus import articulation
from rtgraph.training.corpus.calibration import __main__ as command
from rtgraph.training.corpus.calibration.fit import Spoken, agreement, fit
from rtgraph.training.corpus.calibration.grid_words import phones_of
from rtgraph.training.corpus.parameters import Parameters, default
from rtgraph.training.corpus.prosody import analyse
from rtgraph.training.corpus.style import Style
from rtgraph.training.real import RealClip
from rtgraph.training.real.clip import Word

WORDS = [
    "bin",
    "lay",
    "place",
    "set",
    "blue",
    "green",
    "red",
    "white",
    "zero",
    "one",
    "two",
    "three",
    "four",
    "six",
    "now",
]


def test_words_become_sounds_that_fill_their_time() -> None:
    said = phones_of([Word("sil", 0, 0.3), Word("lay", 0.3, 0.6), Word("b", 0.6, 0.9), Word("sil", 0.9, 1)])
    assert [p.symbol for p in said] == ["l", "e", "\N{LATIN LETTER SMALL CAPITAL I}", "b", "i"]
    assert said[0].start_s == 0.3
    assert said[-1].end_s == pytest.approx(0.9)
    assert all(a.end_s == pytest.approx(b.start_s) for a, b in itertools.pairwise(said))


def sentence(rng: np.random.Generator, p: Parameters) -> RealClip:
    """Six words whose lips move as parameters `p` have it."""
    edges = np.cumsum([0.4, *rng.uniform(0.2, 0.4, 6)])
    words = tuple(Word(str(w), a, b) for w, a, b in zip(rng.choice(WORDS, 6), edges, edges[1:], strict=False))
    frames = int(edges[-1] * 50) + 30
    loud = np.zeros(frames * 320)
    loud[int(edges[0] * 16_000) : int(edges[-1] * 16_000)] = 0.1
    audio = (loud * np.sin(2 * np.pi * 120 * np.arange(len(loud)) / 16_000)).astype(np.float32)
    mouth = articulation.move(phones_of(words), frames, analyse(audio), Style(), 0.0, p)
    measured = lips.measure(articulation.shapes(mouth, p.emotions["neutral"], 0.0, Style(), p))
    motion, known = np.zeros((frames, len(FRAME)), np.float32), np.zeros(len(FRAME), bool)
    return RealClip("clip", "tests", "s", "train", audio, motion, known, measured.astype(np.float32), words)


def test_a_mouth_with_other_targets_is_found_again() -> None:
    rng = np.random.default_rng(0)
    p = default()
    moved = {
        name: v.model_copy(update={"aperture": v.aperture * float(rng.uniform(0.4, 1.8))})
        for name, v in p.visemes.items()
    }
    other = p.model_copy(update={"visemes": moved})
    clips = [Spoken.of(sentence(rng, other)) for _ in range(24)]
    found = fit(clips[:16], p, 3, rng)
    before, after = agreement(clips[16:], p)[0], agreement(clips[16:], found)[0]
    assert after > before + 0.3 * (1 - before), (before, after)


def test_clips_that_validate_are_not_fitted_to(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = sentence(np.random.default_rng(2), default())
    stored = [replace(clip, split="train")] * 19 + [replace(clip, split="valid")] * 40

    def read_all(folder: None, split: str | None, sources: list[str]) -> list[RealClip]:
        return [c for c in stored if split in (None, c.split)]

    monkeypatch.setattr(command, "read_all", read_all)
    monkeypatch.setattr("sys.argv", ["calibration"])
    assert command.main() == 1
    assert "grid_s1 has 19 clips with words" in capsys.readouterr().err


def test_a_clip_without_words_is_told() -> None:
    clip = sentence(np.random.default_rng(1), default())
    with pytest.raises(ValueError, match="expected words"):
        Spoken.of(RealClip("quiet", "t", "s", "train", clip.audio, clip.motion, clip.known, clip.lips))
