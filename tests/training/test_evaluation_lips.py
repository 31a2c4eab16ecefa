"""Lips against lips: every measure on clips made by hand, and the figures of an independent scorer."""

from __future__ import annotations

import numpy as np
import pytest

from rtgraph.models import lips
from rtgraph.models.expression import ARKIT, FRAME, INDEX
from rtgraph.models.lips import IOD_MM
from rtgraph.training.evaluation.lip_measures import Lips, lip_measures
from rtgraph.training.evaluation.speech import activity
from rtgraph.training.real import landmarks

RATE_HZ = 16_000
SECONDS = 6.0
SPEECH_S = (1.0, 5.0)


def voice() -> np.ndarray:
    """[T] a hum from 1 to 5 s, and a soft hiss throughout."""
    times = np.arange(round(SECONDS * RATE_HZ)) / RATE_HZ
    hum = 0.3 * np.sin(2 * np.pi * 150 * times) * ((times >= SPEECH_S[0]) & (times < SPEECH_S[1]))
    return hum + np.random.default_rng(1).normal(0, 1e-5, len(times))


def clip(aperture: np.ndarray, rate_hz: float = 100.0, tracked: bool = False) -> Lips:
    times_s = np.arange(len(aperture)) / rate_hz
    return Lips(times_s, aperture, 0.5 + 0.1 * aperture, tracked)


def babble(times_s: np.ndarray) -> np.ndarray:
    inside = np.clip(np.minimum(times_s - 1.0, 5.0 - times_s) * 5, 0, 1)
    wobble = np.sin(2 * np.pi * 2.3 * times_s) + 0.6 * np.sin(2 * np.pi * 3.7 * times_s + 1)
    return 0.12 * inside * (0.5 + 0.5 * wobble / 1.6)


TIMES_S = np.arange(0, SECONDS, 0.01)


def test_speech_is_where_the_voice_is() -> None:
    speech, silence = activity(voice(), RATE_HZ, TIMES_S)
    heard, quiet = TIMES_S[speech], TIMES_S[silence]
    assert heard[[0, -1]] == pytest.approx((0.89, 5.11), abs=0.03)  # 0.1 s on either side
    assert quiet.min() == pytest.approx(0.15, abs=0.02)
    assert quiet.max() == pytest.approx(5.84, abs=0.03)
    assert not ((quiet > 0.86) & (quiet < 5.14)).any()


@pytest.mark.parametrize("lag_ms", [-60, 0, 80])
def test_a_late_prediction_is_found_late(lag_ms: int) -> None:
    measures = lip_measures(clip(babble(TIMES_S)), clip(babble(TIMES_S - lag_ms / 1000)), voice(), RATE_HZ)
    assert measures["aperture_lag_ms"] == lag_ms
    assert measures["aperture_r_best"] == pytest.approx(1, abs=1e-3)
    assert (measures["aperture_r"] > 0.999) == (lag_ms == 0)
    assert measures["width_lag_ms"] == lag_ms


def test_half_the_motion_is_half_as_lively() -> None:
    truth = babble(TIMES_S)
    measures = lip_measures(clip(truth), clip(0.5 * truth), voice(), RATE_HZ)
    assert measures["aperture_r"] == pytest.approx(1)
    assert measures["std_ratio"] == pytest.approx(0.5)
    assert measures["jitter_ratio"] == pytest.approx(0.5)
    assert measures["closure_f1"] == 1.0  # closed is measured against the own opening


def test_trembling_lips_jitter() -> None:
    truth = babble(TIMES_S)
    tremble = 0.002 * (-1.0) ** np.arange(len(truth))  # its second difference is 0.008 everywhere
    measures = lip_measures(clip(truth), clip(truth + tremble), voice(), RATE_HZ)
    bend = np.abs(np.diff(truth, 2))
    expected = np.abs(np.diff(truth, 2) + np.diff(tremble, 2)).mean() / bend.mean()
    assert measures["jitter_ratio"] == pytest.approx(expected)
    assert measures["jitter_ratio"] > 5


@pytest.mark.parametrize("aperture", [0.0, 0.1])
def test_a_mouth_that_never_moves_gains_nothing(aperture: float) -> None:
    measures = lip_measures(clip(babble(TIMES_S)), clip(np.full(len(TIMES_S), aperture)), voice(), RATE_HZ)
    assert measures["aperture_r"] == 0
    assert measures["closure_j"] == 0
    assert measures["std_ratio"] == 0
    assert "aperture_lag_ms" not in measures


def test_closures_are_counted() -> None:
    """Four closures of 0.1 s between open vowels; the prediction misses one and closes once where it should not."""
    truth = np.full(len(TIMES_S), 0.1)
    guess = truth.copy()
    for k, start_s in enumerate((1.5, 2.2, 2.9, 3.6)):
        inside = np.abs(TIMES_S - start_s - 0.045) < 0.05
        truth[inside] = 0.0
        if k:
            guess[inside] = 0.0
    guess[(TIMES_S >= 4.3) & (TIMES_S < 4.4)] = 0.0
    measures = lip_measures(clip(truth), clip(guess), voice(), RATE_HZ)
    spoken = activity(voice(), RATE_HZ, TIMES_S).speech.sum()
    assert measures["closure_recall"] == 0.75
    assert measures["closure_f1"] == pytest.approx(0.75, abs=0.01)
    assert measures["closure_j"] == pytest.approx(0.75 - 10 / (spoken - 40), abs=0.02)


def test_a_tracked_mouth_is_closed_at_its_lowest() -> None:
    truth = 0.03 + babble(TIMES_S)
    seen = lip_measures(clip(truth, tracked=True), clip(truth - 0.03), voice(), RATE_HZ)
    taken_at_its_word = lip_measures(clip(truth), clip(truth - 0.03), voice(), RATE_HZ)
    assert seen["closure_j"] == 1.0
    assert "closure_j" not in taken_at_its_word  # it never closes


def test_motion_in_silence_is_in_millimetres() -> None:
    """In the silence the aperture swings by 0.01 IOD in half a second, there and back."""
    swing = 0.01 * np.abs((TIMES_S % 1.0) - 0.5) / 0.5
    measures = lip_measures(clip(babble(TIMES_S)), clip(babble(TIMES_S) + swing), voice(), RATE_HZ)
    assert measures["silence_motion_mm_s"] == pytest.approx(0.02 * IOD_MM, rel=0.1)
    quiet = activity(voice(), RATE_HZ, TIMES_S).silence
    assert measures["silence_open_mm"] == pytest.approx(swing[quiet].mean() * IOD_MM, rel=0.05)
    assert measures["silence_reference_motion_mm_s"] == 0


def test_a_sound_without_pause_has_no_silence() -> None:
    loud = 0.1 * np.sin(2 * np.pi * 150 * np.arange(SECONDS * RATE_HZ) / RATE_HZ)
    measures = lip_measures(clip(babble(TIMES_S)), clip(babble(TIMES_S)), loud, RATE_HZ)
    assert "silence_motion_mm_s" not in measures


def test_figures_of_another_scorer() -> None:
    """The same clip through an independent implementation of the same definitions gave these figures."""
    times_s = np.arange(0, SECONDS, 0.04)
    reference = Lips(times_s, 0.01 + babble(times_s), 0.5 + 0.2 * babble(times_s + 0.1), tracked=True)
    guess_s = np.arange(0.02, SECONDS, 1 / 60)
    frames = np.zeros((len(guess_s), len(ARKIT)))
    frames[:, INDEX["jawOpen"]] = np.clip(3 * babble(guess_s - 0.05), 0, 1)
    frames[:, INDEX["mouthPucker"]] = np.clip(0.4 + 0.4 * np.sin(9 * guess_s), 0, 1)
    frames[:, INDEX["mouthClose"]] = 0.1
    measured = lips.measure(frames)
    measures = lip_measures(reference, Lips(guess_s, measured[:, 0], measured[:, 1]), voice(), RATE_HZ)
    expected = {
        "aperture_r": 0.68142,
        "aperture_r_best": 0.9507,
        "aperture_lag_ms": 50,
        "width_r": 0.12936,
        "width_r_best": 0.13579,
        "width_lag_ms": -20,
        "aperture_r_whole": 0.7607,
        "width_r_whole": 0.073925,
        "std_ratio": 0.65385,
        "width_std_ratio": 3.166,
        "jitter_ratio": 0.90312,
        "closure_f1": 0.46875,
        "closure_j": 0.51872,
        "closure_recall": 1,
        "silence_motion_mm_s": 0,
        "silence_open_mm": 0,
    }
    assert {name: measures[name] for name in expected} == pytest.approx(expected, abs=1e-3)


def test_lips_of_a_face() -> None:
    def at(**weights: float) -> np.ndarray:
        frame = np.zeros(len(FRAME))
        for name, weight in weights.items():
            frame[INDEX[name]] = weight
        return lips.measure(frame)

    rest = at()
    assert rest == pytest.approx((0.0024, 0.5075), abs=1e-3)
    assert at(jawOpen=1)[0] > 0.3
    assert at(jawOpen=0.5, mouthClose=0.5)[0] < 0.02
    assert at(mouthSmileLeft=1, mouthSmileRight=1)[1] > rest[1] + 0.1
    assert at(mouthPucker=1)[1] < rest[1] - 0.05
    assert at(mouthPressLeft=1, mouthRollLower=1)[0] == 0
    assert at(jawOpen=0.4, mouthSmileLeft=0.7) == pytest.approx(at(jawOpen=0.4, mouthSmileRight=0.7))


def test_lips_are_those_of_the_default_head() -> None:
    head = landmarks.default()
    upper, lower, left, right = head.rows((13, 14, 291, 61))
    assert head.shapes[:, upper, 1] == pytest.approx(lips.SHAPES[:, 0], abs=1e-6)
    assert head.shapes[:, lower, 1] == pytest.approx(lips.SHAPES[:, 4], abs=1e-6)
    assert head.shapes[:, left] - head.shapes[:, right] == pytest.approx(lips.SHAPES[:, 7:], abs=1e-6)
    gap = head.rest[upper] - head.rest[lower]
    assert gap[1] == pytest.approx(lips.REST[0] - lips.REST[4], abs=1e-5)


def test_the_linear_read_out_is_close() -> None:
    rng = np.random.default_rng(0)
    frames = rng.random((500, len(ARKIT))) * (rng.random((500, len(ARKIT))) < 0.3)
    exact = lips.measure(frames)
    aperture = np.maximum(0, lips.APERTURE.offset + frames @ lips.APERTURE.gains)
    width = lips.WIDTH.offset + frames @ lips.WIDTH.gains
    assert np.abs(aperture - exact[:, 0]).max() < 0.01
    assert np.abs(width - exact[:, 1]).mean() < 0.01


def test_a_reference_that_stands_still_has_no_ratios() -> None:
    """Nothing to divide by: 0, or what rounding makes of it."""
    measures = lip_measures(clip(np.full(len(TIMES_S), 0.1)), clip(babble(TIMES_S)), voice(), RATE_HZ)
    assert not {"std_ratio", "width_std_ratio", "jitter_ratio"} & set(measures)
    assert np.isfinite(list(measures.values())).all()
