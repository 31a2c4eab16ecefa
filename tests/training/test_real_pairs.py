"""Users' own pairs of sound and Live Link Face CSV, clips with lips only, and the sources on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from rtgraph.models import lips
from rtgraph.models.expression import ANGLES, ARKIT, FRAME, INDEX
from rtgraph.nodes.face.face_csv import FaceClip
from rtgraph.training.real import RealDataError, measured, pairs, read_all
from rtgraph.training.real.__main__ import main
from rtgraph.training.real.store import write_source


def speech(seconds: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Sound at 48 kHz, stereo, and how open the mouth is every millisecond, which the loudness follows."""
    rng = np.random.default_rng(seed)
    steps = round(seconds * 1000)
    knots = np.clip(rng.normal(0.3, 0.5, steps // 120 + 3), 0, 1)
    jaw = np.interp(np.arange(steps) / 120, np.arange(len(knots)), knots)
    at = np.arange(round(seconds * 48_000)) / 48_000
    gain = 10 ** (1.5 * (np.interp(at, np.arange(steps) / 1000, jaw) - 1))
    sound = 0.4 * gain * np.sin(2 * np.pi * 170 * at) + rng.normal(0, 1e-4, len(at))
    return np.stack([sound, 0.5 * sound], 1), jaw


def write_live_link(path: Path, jaw: np.ndarray, fps: int, swapped: bool) -> None:
    """A Live Link Face CSV of it; an iPhone writes JawRight before JawLeft (`swapped`)."""
    names = [name[0].upper() + name[1:] for name in (*ARKIT, *ANGLES)]
    if swapped:
        left, right = names.index("JawLeft"), names.index("JawRight")
        names[left], names[right] = names[right], names[left]
    rows = ["Timecode,BlendShapeCount," + ",".join(names)]
    for k in range(int(len(jaw) / 1000 * fps)):
        values = dict.fromkeys(names, 0.0) | {"JawOpen": 0.6 * jaw[round(1000 * k / fps)], "JawRight": 0.25}
        frame = k + 5 * fps  # the recording began five seconds into the minute
        timecode = f"11:59:{frame // fps:02d}:{frame % fps:02d}.000"
        rows.append(f"{timecode},61," + ",".join(f"{v:.6f}" for v in values.values()))
    path.write_text("\n".join(rows) + "\n")


@pytest.mark.parametrize("fps", [30, 60])
@pytest.mark.parametrize("late_s", [-0.35, 0.0, 0.6])
def test_a_pair_is_aligned(tmp_path: Path, fps: int, late_s: float) -> None:
    """The face's recording begins `late_s` after (or before) the sound's."""
    sound, jaw = speech(14.0, 1)
    ms, samples = round(1000 * abs(late_s)), round(48_000 * abs(late_s))
    soundfile.write(tmp_path / "take.wav", sound if late_s >= 0 else sound[samples:], 48_000)
    write_live_link(tmp_path / "take.csv", jaw[ms:] if late_s >= 0 else jaw, fps, swapped=fps == 30)
    clips, alignments = pairs.read_folder(tmp_path)
    assert alignments[0].sure
    assert alignments[0].offset_s == pytest.approx(late_s, abs=0.021)
    assert alignments[0].rate_hz == pytest.approx(fps)
    clip = clips[0].read("mine")
    assert clip.known.all()
    assert clip.motion[:, INDEX["jawRight"]] == pytest.approx(0.25, abs=1e-5)
    assert not clip.motion[:, INDEX["jawLeft"]].any()
    begin = max(0.0, late_s)  # of the clip, in the time of the whole performance
    if late_s < 0:
        begin = -late_s
    moments = begin + (np.arange(len(clip.motion)) + 1) / 50
    wanted = 0.6 * np.interp(moments, np.arange(len(jaw)) / 1000, jaw)
    assert clip.motion[:, INDEX["jawOpen"]] == pytest.approx(wanted, abs=0.12)
    assert np.corrcoef(clip.motion[:, INDEX["jawOpen"]], wanted)[0, 1] > 0.98
    loud = np.abs(clip.audio.reshape(-1, 320)).max(1)
    assert np.corrcoef(np.log10(loud + 1e-3), wanted)[0, 1] > 0.9


def test_a_face_that_does_not_fit_is_not_moved(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "take.wav", np.random.default_rng(0).normal(0, 0.1, 8 * 16_000), 16_000)
    write_live_link(tmp_path / "take.csv", speech(8.0, 2)[1], 30, swapped=True)
    _, (alignment,) = pairs.read_folder(tmp_path)
    assert not alignment.sure
    assert alignment.offset_s == 0
    assert "no offset stands out" in str(alignment)


def test_short_takes_that_are_in_step_stay_so() -> None:
    """Lips agree with loudness by about 0.5, as people's do; of 400 offsets the best is the better by chance."""
    moved = []
    for seed in range(40):
        (sound, jaw), (_, other) = speech(3.0, seed), speech(3.0, 1000 + seed)
        times_s = np.arange(90) / 30
        frames = np.zeros((90, len(FRAME)), np.float32)
        frames[:, INDEX["jawOpen"]] = (0.35 * jaw + 0.65 * other)[np.round(1000 * times_s).astype(int)]
        audio = soxr.resample(sound.mean(1), 48_000, 16_000).astype(np.float32)
        found = pairs.align("take", audio, FaceClip(times_s, frames, np.ones(6, bool), 0))
        moved.append(abs(found.offset_s))
    assert np.max(moved) < 0.1


def test_files_are_split_and_speakers_are_folders(tmp_path: Path) -> None:
    for k in range(10):
        folder = tmp_path / ("ann" if k % 2 else "ben")
        folder.mkdir(exist_ok=True)
        sound, jaw = speech(3.0, k)
        soundfile.write(folder / f"take{k}.wav", sound, 48_000)
        write_live_link(folder / f"take{k}.csv", jaw, 30, swapped=False)
    clips, _ = pairs.read_folder(tmp_path)
    assert {c.speaker for c in clips} == {"ann", "ben"}
    assert sum(c.split == "valid" for c in clips) == 1
    assert [c.split for c in clips] == [c.split for c in pairs.read_folder(tmp_path)[0]]


def test_pairs_that_cannot_be_are_told(tmp_path: Path) -> None:
    with pytest.raises(RealDataError, match=r"holds no pair of NAME\.csv"):
        pairs.read_folder(tmp_path)
    sound, jaw = speech(3.0, 0)
    soundfile.write(tmp_path / "take.wav", sound[:20_000], 48_000)
    write_live_link(tmp_path / "take.csv", jaw, 30, swapped=False)
    with pytest.raises(RealDataError, match=r"share 0\.4 s, expected 1 or more"):
        pairs.read_folder(tmp_path)


def test_clips_with_lips_only(tmp_path: Path) -> None:
    times_s = np.arange(60) / 30
    table = np.column_stack([times_s, 0.1 * times_s, 0.5 - 0.01 * times_s])
    for name, header in (("ann_1", "time_s,aperture,width"), ("rig_1", "time_s,aperture,width,rig_jaw")):
        columns = table if name == "ann_1" else np.column_stack([table, times_s])
        np.savetxt(
            tmp_path / f"{name}.ref.csv", columns, delimiter=",", header=header, comments="", fmt="%.7f"
        )
        soundfile.write(tmp_path / f"{name}.flac", np.zeros(32_000), 16_000)
    clips = measured.read_folder(tmp_path)
    assert [c.speaker for c in clips] == ["ann_1", "rig"]
    write_source(tmp_path / "real" / "lips.npz", clips)
    (clip, _) = read_all(tmp_path / "real")
    assert clip.split == "judge"
    assert not clip.known.any()
    assert clip.lips is not None
    moments = (np.arange(len(clip.motion)) + 1) / 50
    assert clip.lips == pytest.approx(np.stack([0.1 * moments, 0.5 - 0.01 * moments], 1), abs=1e-5)
    assert list(read_all(tmp_path / "real", split="train")) == []
    with pytest.raises(RealDataError, match=r"holds no NAME\.ref\.csv"):
        measured.read_folder(tmp_path / "real")


def test_sources_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    with pytest.raises(RealDataError, match=r"holds no \*\.npz; make it anew"):
        next(read_all(tmp_path))
    with pytest.raises(RealDataError, match=r"holds no mine\.npz"):
        next(read_all(tmp_path, sources=["mine"]))
    (tmp_path / "bad.npz").write_bytes(b"no zip")
    with pytest.raises(RealDataError, match=r"bad\.npz is no source of real recordings"):
        next(read_all(tmp_path))


def test_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    sound, jaw = speech(4.0, 3)
    takes = tmp_path / "takes"
    takes.mkdir()
    soundfile.write(takes / "take.wav", sound, 48_000)
    write_live_link(takes / "take.csv", jaw, 60, swapped=True)
    monkeypatch.setattr("sys.argv", ["real", "pairs", str(takes)])
    assert main() == 0
    told = capsys.readouterr().out
    assert "take: 4.0 s at 60 frames a second; face against sound" in told
    assert "takes.npz: 1 clips (1 train), 0.1 min" in told
    (clip,) = read_all()
    assert clip.source == "takes"
    assert clip.motion.shape[1] == len(FRAME)
    assert clip.lips == pytest.approx(lips.measure(clip.motion), abs=1e-6)
    monkeypatch.setattr("sys.argv", ["real", "grid", str(takes)])
    assert main() == 1
    assert "error: " in capsys.readouterr().err
