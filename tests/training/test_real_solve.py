"""Faces solved from landmarks: a made-up person whose motion is known, seen by a noisy tracker."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.spatial.transform import Rotation

from rtgraph.models import lips
from rtgraph.models.expression import ARKIT, FRAME, INDEX
from rtgraph.training.real import RealDataError, grid, landmarks, read_all
from rtgraph.training.real.least_squares import fit
from rtgraph.training.real.rigid import rigid_fit
from rtgraph.training.real.solve import KNOWN, neutral, solve
from rtgraph.training.real.store import write_source

RATE_HZ = 25.0
INDEX_OF_ALL = (
    *landmarks.default().index,
    *(n for n in landmarks.RIGID if n not in landmarks.default().index),
)


def performance(frames: int, seed: int) -> np.ndarray:
    """[T, 61] a mouth that talks, closes and rests, with blinks and a moving head."""
    rng = np.random.default_rng(seed)
    t = np.arange(frames) / RATE_HZ
    out = np.zeros((frames, len(FRAME)))
    talks = (np.sin(0.9 * t + seed) > 0).astype(float)
    talks = np.convolve(talks, np.ones(5) / 5, "same")
    jaw = talks * (0.25 + 0.2 * np.sin(9 * t + seed))
    for name, value in {
        "jawOpen": jaw,
        "mouthClose": np.where(np.sin(3.1 * t) > 0.9, jaw, 0),
        "mouthPucker": talks * np.clip(0.5 * np.sin(4 * t), 0, 1),
        "mouthSmileLeft": talks * np.clip(0.4 * np.sin(4 * t + np.pi), 0, 1),
        "mouthSmileRight": talks * np.clip(0.4 * np.sin(4 * t + np.pi), 0, 1),
        "browInnerUp": np.clip(np.sin(0.7 * t), 0, 1) * 0.5,
    }.items():
        out[:, INDEX[name]] = value
    for start in range(20, frames - 5, 60):
        out[start : start + 3, [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]] = 1
    for name, size in (("headYaw", 0.1), ("headPitch", 0.08), ("headRoll", 0.05)):
        out[:, INDEX[name]] = size * np.sin(rng.uniform(0.8, 1.6) * t + rng.uniform(0, 6))
    return out


def tracked(motion: np.ndarray, seed: int) -> np.ndarray:
    """[T, L, 3] what a tracker sees of it: another person than the default head, turned, scaled, with noise."""
    head, rng = landmarks.default(), np.random.default_rng(seed)
    person = rng.normal(0, 0.01, (len(INDEX_OF_ALL), 3))
    person[: len(head.index)] += head.rest - (0, 7.24, 1.33)
    person[len(head.index) :] += rng.normal(0, 0.5, (len(INDEX_OF_ALL) - len(head.index), 3)) * (1, 0.5, 0.3)
    points = np.repeat(person[None], len(motion), axis=0)
    points[:, : len(head.index)] += np.tensordot(motion[:, : len(ARKIT)], head.shapes, axes=1)
    turn = Rotation.from_euler("YXZ", motion[:, [INDEX[n] for n in ("headYaw", "headPitch", "headRoll")]])
    points = points @ np.swapaxes(turn.as_matrix(), 1, 2)
    return points + rng.normal(0, 0.0008, points.shape)


def correlation(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.corrcoef(x, y)[0, 1])


def test_a_known_performance_is_found_again() -> None:
    motion = performance(260, 3)
    seen = tracked(motion, 4)
    found = solve(neutral(INDEX_OF_ALL, seen), seen, RATE_HZ)
    frames = found.frames
    assert np.isfinite(frames).all()
    assert frames[:, : len(ARKIT)].min() >= 0
    assert frames[:, : len(ARKIT)].max() <= 1
    assert not frames[:, ~KNOWN].any()
    assert found.error < 0.01
    truth, guess = lips.measure(motion), lips.measure(frames)
    assert correlation(truth[:, 0], guess[:, 0]) > 0.98
    assert correlation(truth[:, 1], guess[:, 1]) > 0.95
    assert guess[:, 0].std() / truth[:, 0].std() == pytest.approx(1, abs=0.15)
    for name in ("jawOpen", "mouthPucker", "mouthSmileLeft", "eyeBlinkRight", "browInnerUp"):
        assert correlation(motion[:, INDEX[name]], frames[:, INDEX[name]]) > 0.85, name
    for name in ("headYaw", "headPitch", "headRoll"):
        there, seen_there = motion[:, INDEX[name]], frames[:, INDEX[name]]
        assert np.abs((there - there.mean()) - (seen_there - seen_there.mean())).max() < 0.02, name


def test_closed_lips_stay_closed_while_the_jaw_moves() -> None:
    motion = performance(260, 3)
    motion[150:200, INDEX["jawOpen"]] = 0.3
    motion[150:200, INDEX["mouthClose"]] = 0.3
    seen = tracked(motion, 4)
    frames = solve(neutral(INDEX_OF_ALL, seen), seen, RATE_HZ).frames
    assert frames[155:195, INDEX["jawOpen"]].mean() > 0.12
    assert lips.measure(frames[155:195])[:, 0].max() < 0.02
    assert (frames[:, INDEX["mouthClose"]] <= frames[:, INDEX["jawOpen"]] + 1e-6).all()


def test_a_person_who_never_rests_is_told() -> None:
    with pytest.raises(RealDataError, match="frames show the face at rest, expected 10 or more"):
        neutral(INDEX_OF_ALL, tracked(performance(30, 0), 0))


def test_rigid_fit_undoes_turn_scale_and_shift() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(7, 20, 3))
    turn = Rotation.random(7, random_state=1).as_matrix()
    moved = 1.7 * points @ np.swapaxes(turn, 1, 2) + rng.normal(size=(7, 1, 3))
    found = rigid_fit(points, moved)
    assert found.turn == pytest.approx(turn)
    assert found.scale == pytest.approx(1.7)
    assert found.apply(points) == pytest.approx(moved)


def test_fit_is_bounded_least_squares() -> None:
    """Without steadiness each frame is scipy's non-negative least squares; with it, frames bend less."""
    from scipy.optimize import nnls

    rng = np.random.default_rng(0)
    design, values = rng.normal(size=(30, 6)), rng.normal(size=(9, 30))
    normal, target = design.T @ design, values @ design
    found = fit(normal, target, 0.0, rounds=2000)
    for frame, wanted in zip(found, values, strict=True):
        assert frame == pytest.approx(nnls(design, wanted)[0], abs=1e-6)
    steady = fit(normal, target, 50.0, rounds=2000)
    assert np.abs(np.diff(steady, 2, axis=0)).mean() < 0.5 * np.abs(np.diff(found, 2, axis=0)).mean()


def test_a_grid_folder_becomes_a_source(tmp_path: Path) -> None:
    folder = tmp_path / "speaker"
    folder.mkdir()
    names = [f"clip{k}" for k in range(6)]
    motion = performance(6 * 75, 1)
    seen = tracked(motion, 2)
    seen = seen / np.median(
        np.linalg.norm(np.diff(seen[:, [INDEX_OF_ALL.index(n) for n in (33, 263)]], axis=1), axis=2)
    )
    arrays = {"index": np.array(INDEX_OF_ALL)}
    for k, name in enumerate(names):
        part = slice(75 * k, 75 * (k + 1))
        arrays[name] = np.round(seen[part] * (1, -1, -1) * 1e4).astype(np.int16)
        soundfile.write(folder / f"{name}.flac", np.full(48_000, (k + 1) / 10), 16_000)
        table = np.column_stack([np.arange(75) / 25, lips.measure(motion[part])])
        header = "time_s,aperture,width"
        np.savetxt(folder / f"{name}.ref.csv", table, delimiter=",", header=header, comments="", fmt="%.6f")
    np.savez(folder / "landmarks_0.npz", **arrays)
    with (folder / "words.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["clip", "start_s", "end_s", "word"], ["clip2", 0.5, 0.9, "blue"]])

    write_source(tmp_path / "real" / "speaker.npz", grid.solve_folder(folder))
    clips = list(read_all(tmp_path / "real"))
    assert [c.name for c in clips] == names
    for k, clip in enumerate(clips):
        assert clip.speaker == clip.source == "speaker"
        assert clip.motion.shape == (148, 61)  # up to the last tracked frame, 2.96 s
        assert clip.audio == pytest.approx(np.full(148 * 320, (k + 1) / 10), abs=1e-3)
        assert clip.lips is not None
        assert correlation(clip.lips[:, 0], lips.measure(clip.motion)[:, 0]) > 0.97
        # motion[k] is the face at (k + 1) / 50 s: every second one is a tracked frame
        assert clip.lips[1::2, 0] == pytest.approx(
            lips.measure(motion[75 * k + 1 : 75 * k + 75])[:, 0], abs=1e-5
        )
    assert [w.text for w in clips[2].words] == ["blue"]
    assert {c.split for c in clips} <= {"train", "valid"}
    assert np.median(np.concatenate([c.motion for c in clips])[:, INDEX["headYaw"]]) == pytest.approx(
        0, abs=1e-6
    )
    with pytest.raises(RealDataError, match=r"holds no landmarks_\*\.npz"):
        grid.solve_folder(tmp_path)
