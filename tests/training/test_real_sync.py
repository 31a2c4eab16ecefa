"""Clips whose picture lies off their sound, each by another lag, are put in step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rtgraph.models.expression import FRAME
from rtgraph.training.real.clip import Word
from rtgraph.training.real.store import StoredClip
from rtgraph.training.real.sync import clip_lags_s

LAGS_MS = (0, 40, -30, 0, 80, -60, 0, 20, 0, 0, -20, 0)


def clip(seed: int, lag_ms: float) -> tuple[np.ndarray, np.ndarray]:
    """Sound whose loudness and colour follow lips, and the lips seen `lag_ms` late."""
    rng = np.random.default_rng(seed)
    fine = np.arange(3600) - 300.0  # milliseconds, some before and after the clip
    lips = [np.interp(fine, np.arange(-300, 3600, 90), rng.random(44)) for _ in range(2)]
    at = np.arange(150 * 320) / 16
    wide, broad = (np.interp(at, fine, one) for one in lips)
    voice = wide * np.sin(2 * np.pi * 0.3 * at) + 0.5 * broad * np.sin(2 * np.pi * 2.1 * at)
    moments = (np.arange(150) + 1) * 20 - lag_ms
    seen = np.stack([np.interp(moments, fine, one) for one in lips], axis=1)
    sound = 0.2 * voice + rng.normal(0, 1e-3, len(at))
    return sound.astype(np.float32), seen.astype(np.float32)


def test_lags_are_found() -> None:
    sounds, seen = zip(*(clip(k, lag) for k, lag in enumerate(LAGS_MS)), strict=True)
    assert clip_lags_s(sounds, seen) * 1000 == pytest.approx(LAGS_MS, abs=11)


def test_too_few_clips_stay_as_they_are() -> None:
    sounds, seen = zip(*(clip(k, 60 * k) for k in range(3)), strict=True)
    assert not clip_lags_s(sounds, seen).any()


@pytest.mark.parametrize(
    ("by_s", "first", "begin_s", "frames"), [(0.03, 2, 0.01, 8), (-0.03, 0, 0.03, 8), (0.0, 0, 0, 10)]
)
def test_an_earlier_face_keeps_its_sound(by_s: float, first: int, begin_s: float, frames: int) -> None:
    """The face that was shown with the sound at t is now shown with that at t - by_s."""
    motion = np.repeat(np.arange(10, dtype=np.float32)[:, None], len(FRAME), axis=1)
    word = Word("blue", 0.1, 0.15)
    known = np.ones(len(FRAME), bool)
    stored = StoredClip("a", "ann", "train", Path("a.wav"), motion, known, None, (word,))
    moved = stored.earlier(by_s)
    assert len(moved.motion) == frames
    assert moved.motion[0, 0] == first
    assert moved.offset_s == pytest.approx(begin_s)
    assert moved.words[0].start_s == pytest.approx(0.1 - begin_s)
    shown_s = (
        first / 50 - moved.offset_s
    )  # where in its sound the first face was before, less where it is now
    assert shown_s == pytest.approx(by_s)
