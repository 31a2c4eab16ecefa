"""Scores of sets: LVE and FDD, averages, intervals, tables on disk, and the command from end to end."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import typer
from typer.testing import CliRunner

from rtgraph.models.expression import ARKIT, FRAME, INDEX
from rtgraph.nodes.face.face_csv import FaceClip
from rtgraph.training.evaluation.baselines import energy_to_jaw
from rtgraph.training.evaluation.command import evaluate
from rtgraph.training.evaluation.predictors import face_from_sound, predicted_face, shipped
from rtgraph.training.evaluation.probes import probe_measures, probes
from rtgraph.training.evaluation.recordings import EvaluationError, read_recordings
from rtgraph.training.evaluation.score import ALL, Scores, paired, score
from rtgraph.training.evaluation.vertex_measures import (
    lip_vertex_error,
    upper_face_dynamics_deviation,
    vertex_measures,
)
from rtgraph.training.real import RealDataError


def talk(seconds: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sound at 16 kHz, and times and aperture at 25 Hz: a voice that is louder the wider the mouth is open."""
    rng = np.random.default_rng(seed)
    times_s = np.arange(0, seconds, 0.04)
    open_share = np.clip(np.convolve(rng.normal(0, 1, len(times_s)), np.hanning(9), "same") / 2, 0, 1)
    open_share[(times_s < 0.6) | (times_s > seconds - 0.6)] = 0
    at = np.arange(round(seconds * 16_000)) / 16_000
    gain = 10 ** (1.5 * (np.interp(at, times_s, open_share) - 1))
    sound = 0.5 * gain * np.sin(2 * np.pi * 140 * at) * (np.abs(at - seconds / 2) < seconds / 2 - 0.5)
    return sound + rng.normal(0, 1e-5, len(sound)), times_s, 0.15 * open_share


def write_recordings(folder: Path, count: int = 4) -> None:
    folder.mkdir(exist_ok=True)
    for k in range(count):
        sound, times_s, aperture = talk(5.0, k)
        name = f"{'left' if k % 2 else 'right'}_{k}"
        soundfile.write(folder / f"{name}.flac", sound, 16_000)
        rows = np.stack([times_s, aperture, 0.5 + 0.1 * aperture], 1)
        header = "time_s,aperture,width"
        np.savetxt(folder / f"{name}.ref.csv", rows, delimiter=",", header=header, comments="", fmt="%.6f")


def test_lve_is_of_the_worst_vertex() -> None:
    reference = np.zeros((2, 3, 3))
    prediction = reference.copy()
    prediction[0, 1] = (3, 4, 0)
    prediction[0, 2] = (1, 0, 0)
    assert lip_vertex_error(reference, prediction) == 12.5  # (25 + 0) / 2


def test_fdd_compares_how_much_each_vertex_moves() -> None:
    reference = np.zeros((2, 2, 3))
    reference[1] = ((2, 0, 0), (0, 2, 0))  # squared displacements 0 and 4: deviation 2
    prediction = np.zeros_like(reference)
    prediction[1, 0, 0] = 1  # 0 and 1: 0.5
    assert upper_face_dynamics_deviation(reference, prediction).tolist() == [1.5, 2.0]


def test_vertex_measures_of_faces() -> None:
    frames = np.zeros((50, len(FRAME)), np.float32)
    frames[:, INDEX["jawOpen"]] = np.linspace(0, 0.5, 50)
    frames[:, INDEX["browInnerUp"]] = np.linspace(0, 1, 50)
    truth = FaceClip(np.arange(50) / 50, frames, np.ones(6, bool), 0)
    same = vertex_measures(truth, truth)
    assert same == {"lve_mm2": 0, "fdd_mm2": 0, "fdd_abs_mm2": 0}
    still = FaceClip(truth.times_s, np.zeros_like(frames), truth.regions, 0)
    found = vertex_measures(truth, still)
    assert found["fdd_mm2"] > 0
    jaw_mm = 0.36 * 90 * frames[:, INDEX["jawOpen"]]  # the lower lip's way, about
    assert found["lve_mm2"] == pytest.approx((jaw_mm**2).mean(), rel=0.4)


def test_paired_interval_is_students() -> None:
    ours = Scores({"a": {"x": 2.0}, "b": {"x": 4.0}, "c": {"x": 6.0}, "d": {}}, dict.fromkeys("abcd", "g"))
    theirs = Scores(
        {"a": {"x": 1.0}, "b": {"x": 2.0}, "c": {"x": 3.0}, "e": {"x": 9.0}}, dict.fromkeys("abce", "g")
    )
    found = paired(ours, theirs, "x")
    assert found is not None
    assert found == pytest.approx((2.0, 2 - 4.30265 / 3**0.5, 2 + 4.30265 / 3**0.5, 3), abs=1e-4)
    assert paired(ours, Scores({"a": {"x": 1.0}}, {"a": "g"}), "x") is None


def test_collections_count_once_each() -> None:
    clips = {"a_1": {"x": 1.0, "x_lag_ms": 0.0}, "a_2": {"x": 3.0, "x_lag_ms": 90.0}, "b_1": {"x": 6.0}}
    groups = Scores(clips, {"a_1": "a", "a_2": "a", "b_1": "b"}).groups()
    assert groups["a"] == {"x": 2.0, "x_lag_ms": 45.0}
    assert groups[ALL]["x"] == 4.0


def test_energy_opens_the_jaw_without_look_ahead() -> None:
    sound = talk(4.0, 0)[0].astype(np.float32)
    frames = energy_to_jaw(sound)
    assert frames.shape == (200, len(FRAME))
    assert frames[:, INDEX["jawOpen"]].max() > 0.2
    assert np.delete(frames, INDEX["jawOpen"], axis=1).max() == 0
    cut = sound.copy()
    cut[320 * 100 :] = 0
    assert (energy_to_jaw(cut)[:100] == frames[:100]).all()
    assert energy_to_jaw(np.zeros(3200, np.float32)).max() == 0


def test_probes_are_as_loud_as_they_say() -> None:
    found = probes()
    assert not found["silence"].any()
    for name in ("white_noise", "pink_noise"):
        assert 20 * np.log10(np.sqrt((found[name] ** 2).mean())) == pytest.approx(-40, abs=0.01)
    halves = np.abs(np.fft.rfft(found["pink_noise"])[: 80_000 // 2]) ** 2
    assert halves[100:2000].mean() > 5 * halves[20_000:].mean()
    still = predicted_face(
        lambda audio: np.zeros((len(audio) // 320, 61), np.float32), found["silence"], 16_000
    )
    assert probe_measures(still.lips)["silence_motion_mm_s"] == pytest.approx(0, abs=1e-9)


def test_a_reference_scores_perfectly_against_itself(tmp_path: Path) -> None:
    write_recordings(tmp_path)
    recordings = read_recordings(tmp_path)
    scores = score(recordings, lambda r: r.face)
    assert list(scores.groups()) == ["left", "right", ALL]
    assert scores.groups()[ALL]["aperture_r"] == pytest.approx(1)
    assert scores.groups()[ALL]["closure_j"] == 1
    energy = score(recordings, face_from_sound(energy_to_jaw))
    assert 0.4 < energy.groups()[ALL]["aperture_r"] < 0.99


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("time_s,aperture\n0,1\n1,2\n", "no column width"),
        ("time_s,aperture,width\n0,1,1\n0,1,1\n", "time_s does not rise"),
        ("time_s,aperture,width\n0,1,1\n1,,1\n", ":3: aperture or width is no finite number"),
        ("time_s,aperture,width\n0,1,1\n1,one,1\n", ":3: could not convert"),
        ("time_s,aperture,width\n0,1\n", ":2: 2 cells under a header of 3"),
        ("aperture,width\n0,1\n", "no column time_s"),
        ("time_s,aperture,width\n", "holds no rows"),
    ],
)
def test_wrong_tables_are_named(tmp_path: Path, text: str, told: str) -> None:
    write_recordings(tmp_path, 1)
    (tmp_path / "right_0.ref.csv").write_text(text)
    with pytest.raises(RealDataError, match=told):
        read_recordings(tmp_path)


def test_wrong_folders_and_faces_are_named(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"holds no NAME\.ref\.csv"):
        read_recordings(tmp_path)
    write_recordings(tmp_path, 1)
    recordings = read_recordings(tmp_path)
    with pytest.raises(EvaluationError, match=r"covers 0\.02 to 1\.00 s, expected 0\.00 to 4\.96 s"):
        score(recordings, lambda r: predicted_face(energy_to_jaw, r.audio[:16_000], 16_000))
    with pytest.raises(EvaluationError, match=r"shape \(3, 61\), expected \(250, 61\)"):
        score(recordings, face_from_sound(lambda audio: np.zeros((3, 61), np.float32)))
    with pytest.raises(EvaluationError, match="no clip has a prediction; missing: right_0"):
        score(recordings, lambda r: None)
    (tmp_path / "right_0.flac").unlink()
    with pytest.raises(RealDataError, match="expected its sound there"):
        read_recordings(tmp_path)


def run(*arguments: str) -> str:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(evaluate)
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_command_on_predictions(tmp_path: Path) -> None:
    reference, prediction = tmp_path / "real", tmp_path / "guess"
    write_recordings(reference)
    prediction.mkdir()
    for k in range(3):  # the fourth is missing
        _, times_s, aperture = talk(5.0, k)
        weights = np.zeros((len(times_s), len(ARKIT)))
        weights[:, INDEX["jawOpen"]] = aperture / 0.34
        table = np.column_stack([times_s, weights])
        header = ",".join(["time_s", *ARKIT])
        path = prediction / f"{'left' if k % 2 else 'right'}_{k}.csv"
        np.savetxt(path, table, delimiter=",", header=header, comments="", fmt="%.5f")
    output = run(
        "--reference", str(reference), "--prediction", str(prediction), "--json", str(tmp_path / "o.json")
    )
    assert "guess has no prediction for: left_3" in output
    found = json.loads((tmp_path / "o.json").read_text())
    assert found["guess"]["missing"] == ["left_3"]
    assert found["guess"]["groups"][ALL]["aperture_r"] > 0.999
    assert found["guess"]["groups"][ALL]["std_ratio"] == pytest.approx(1, abs=0.05)
    won = found["paired"]["guess - energy to jaw"][ALL]["aperture_r"]
    assert won["low"] > 0
    assert won["clips"] == 3
    with pytest.raises(EvaluationError, match="either --data FOLDER, or --reference"):
        run("--reference", str(reference))


def test_a_report_that_cannot_be_written_is_told_before_the_work(tmp_path: Path) -> None:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(evaluate)
    for path, told in ((tmp_path / "no" / "o.json", "there is no folder"), (tmp_path, "name a file")):
        result = CliRunner().invoke(app, ["--data", "nowhere", "--json", str(path)])
        assert result.exit_code == 2
        assert told in result.output


def test_a_report_does_not_take_the_place_of_a_card(tmp_path: Path) -> None:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(evaluate)
    given = ["--data", "nowhere", "--weights", str(tmp_path / "me.safetensors")]
    result = CliRunner().invoke(app, [*given, "--json", str(tmp_path / "me.json")])
    assert isinstance(result.exception, EvaluationError)
    assert "the card of" in str(result.exception)


def test_command_on_weights(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from rtgraph.models import weights
    from rtgraph.models.config import DenoiserConfig, EncoderConfig, FaceConfig
    from rtgraph.models.one_step_denoiser import OneStepDenoiser
    from rtgraph.models.online_encoder import OnlineEncoder

    config = FaceConfig(
        encoder=EncoderConfig(
            stem_width=16, width=32, layers=1, heads=2, mlp_width=48, window=5, hidden_width=24
        ),
        denoiser=DenoiserConfig(hidden_width=24, width=32, mlp_width=32, head_width=16),
    )
    torch.manual_seed(0)
    modules = {"encoder": OnlineEncoder(config.encoder), "denoiser": OneStepDenoiser(config.denoiser)}
    path = tmp_path / "face.safetensors"
    weights.save(path, modules, weights.Card(name="face", licence="Apache-2.0", config=config))
    predictor = shipped(str(path))
    sound = talk(3.0, 0)[0].astype(np.float32)
    frames = predictor(sound)
    assert frames.shape == (150, len(FRAME))
    assert (predictor(sound) == frames).all()
    assert (predictor(sound[: 320 * 60]) == frames[:60]).all()  # nothing ahead is heard
    write_recordings(tmp_path / "real", 2)
    output = run("--data", str(tmp_path / "real"), "--weights", str(path), "--clips")
    assert "pink_noise" in output
    assert "right_0" in output
    with pytest.raises(EvaluationError, match="give a bundled size"):
        run("--data", str(tmp_path / "real"), "--weights", "huge")
