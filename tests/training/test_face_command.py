"""`rtgraph train` as a user runs it: on recordings of one's own, again, with others, and with what does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("scipy")

import soundfile
from test_real_pairs import speech, write_live_link

from rtgraph.files import bundled
from rtgraph.models import weights
from rtgraph.training.face.command import TrainError, _settings, train
from rtgraph.training.face.workers import Workers
from rtgraph.training.real import read_all

TINY = bundled("assets") / "weights/face-tiny.safetensors"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the working directory, with a cache of its own and the settings of a very short run."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    none = "{steps: 0, learning_rate: 0.001}"
    (tmp_path / "short.yaml").write_text(
        f"regression: {{steps: 1, learning_rate: 0.001}}\nteacher: {none}\nstudent: {none}\n"
        "data: {batch: 2, window_frames: 20}\n"
    )
    return tmp_path


def takes(folder: Path, *seeds: int, angles: bool = True) -> Path:
    """Pairs of two seconds and a half; without angles as 52 columns."""
    folder.mkdir(exist_ok=True)
    for seed in seeds:
        sound, jaw = speech(2.5, seed)
        soundfile.write(folder / f"take{seed}.wav", sound, 48_000)
        write_live_link(folder / f"take{seed}.csv", jaw, 30, swapped=False)
        if not angles:
            rows = [line.split(",")[:-9] for line in (folder / f"take{seed}.csv").read_text().splitlines()]
            (folder / f"take{seed}.csv").write_text("\n".join(map(",".join, rows)) + "\n")
    return folder


def fine_tune(data: Path, **options: object) -> weights.Weights:
    out = data.parent / "me.safetensors"
    given = {"config": Path("short.yaml"), "start": None, "size": None, "look_ahead_ms": None, "run": None}
    train(out, data, **{**given, "corpus": None, "real": None, "threads": 1, **options})  # type: ignore[arg-type]
    return weights.load(out)


def test_other_recordings_settings_and_weights_are_another_run(here: Path) -> None:
    alice, bob = takes(here / "alice", 1, 2), takes(here / "bob", 3, 4)
    first = fine_tune(alice)
    run = here / "cache/rtgraph/training/me"
    (features,) = run.glob("features-*")
    (recordings,) = (run / "recordings").glob("*.npz")
    made = features.stat().st_mtime_ns

    again = fine_tune(alice)  # the same command: nothing is left to do, and nothing is made anew
    assert all((again.tensors[name] == value).all() for name, value in first.tensors.items())
    assert [f.stat().st_mtime_ns for f in run.glob("features-*")] == [made]
    Path("other.yaml").write_text(Path("short.yaml").read_text() + "temperature: 0.4\n")
    with pytest.raises(TrainError, match=r"me holds a run with other settings\.temperature; delete that"):
        fine_tune(alice, config=Path("other.yaml"))
    with pytest.raises(TrainError, match=r"a run with other from, settings\.size; "):
        fine_tune(alice, start="base")
    with pytest.raises(TrainError, match=r"a run with other data; .* one of its own with --run"):
        fine_tune(bob)
    assert {c.source for c in read_all(run / "recordings")} == {"bob"}  # none of Alice's is left
    takes(alice, 5)
    with pytest.raises(TrainError, match="a run with other data"):
        fine_tune(alice)
    assert recordings.exists()


def test_features_know_another_sound_under_the_same_name(here: Path) -> None:
    from rtgraph.training.face.prepare import Sources, mark_of
    from rtgraph.training.real import pairs
    from rtgraph.training.real.store import write_source

    def mark() -> str:
        write_source(here / "real/mine.npz", pairs.read_folder(here / "mine")[0])
        return mark_of(Sources(None, here / "real"), 0)

    takes(here / "mine", 1)
    first = mark()
    assert mark() == first
    sound, rate_hz = soundfile.read(here / "mine/take1.wav")
    soundfile.write(here / "mine/take1.wav", 0.5 * sound, rate_hz)
    assert mark() != first


def test_only_the_first_process_writes_the_recordings(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Workers, "found", classmethod(lambda cls: cls(rank=1)))
    with pytest.raises(TrainError, match="nothing to learn from"):
        fine_tune(takes(here / "mine", 1))
    assert not (here / "cache").exists()


def test_faces_without_angles_fine_tune(here: Path) -> None:
    tuned = fine_tune(takes(here / "mine", 1, 2, angles=False))
    assert tuned.card.steps == 1


def test_takes_that_cannot_validate_leave_the_figures_out(here: Path) -> None:
    data = takes(here / "mine", 1, 2)
    for path in data.glob("*.csv"):  # eyes alone
        rows = [line.split(",") for line in path.read_text().splitlines()]
        kept = [k for k, name in enumerate(rows[0]) if name.startswith(("Time", "Blend", "Eye"))]
        path.write_text("\n".join(",".join(row[k] for k in kept) for row in rows) + "\n")
    assert fine_tune(data).card.quality == {}


def test_weights_and_settings_that_do_not_fit_are_told(here: Path) -> None:
    data = takes(here / "mine", 1)
    with pytest.raises(TrainError, match=r"size base: .* is of size tiny; leave the size out"):
        fine_tune(data, size="base")
    Path("list.yaml").write_text("- 1\n- 2\n")
    with pytest.raises(TrainError, match=r"--config list\.yaml: expected NAME: VALUE, got a list"):
        fine_tune(data, config=Path("list.yaml"))
    bare = weights.load(TINY)
    tensors = {name: array for name, array in bare.tensors.items() if not name.startswith("code.")}
    from safetensors.numpy import save_file

    save_file(tensors, here / "bare.safetensors")
    weights.card_path(here / "bare.safetensors").write_text(bare.card.model_dump_json())
    with pytest.raises(TrainError, match=r"hold no part 'code'; .*; give weights that `rtgraph train` wrote"):
        fine_tune(data, start="bare.safetensors")
    (here / "bare.json").unlink()
    with pytest.raises(TrainError, match=r"--from: .*expected the weights' card"):
        fine_tune(data, start="bare.safetensors")


def test_what_a_file_leaves_out_of_a_stage_stays(tmp_path: Path) -> None:
    path = tmp_path / "quick.yaml"
    path.write_text("student: {steps: 7}\ndata: {shares: {real: 1}}\n", "utf-8")
    usual = _settings(None, "base", None, fine_tune=False)
    read = _settings(path, "base", 40, fine_tune=False)
    assert read.student == usual.student.model_copy(update={"steps": 7})
    assert read.regression == usual.regression
    assert read.data == usual.data.model_copy(update={"shares": {"real": 1}, "look_ahead_frames": 2})


def test_own_recordings_have_the_share_that_data_gives_them_in_every_stage() -> None:
    settings = _settings(None, None, None, fine_tune=True)
    assert all(getattr(settings, name).shares is None for name in ("regression", "teacher", "student"))


def test_a_misspelt_setting_is_told_with_the_name_that_was_meant(tmp_path: Path) -> None:
    path = tmp_path / "quick.yaml"
    path.write_text(
        "regression: {steps: 9, learning_rate: 0.1, stpes: 20}\nseeed: 3\nteacher_evaluations: 0\n", "utf-8"
    )
    with pytest.raises(TrainError) as caught:
        _settings(path, None, None, fine_tune=False)
    assert str(caught.value) == (
        f"training settings of {path}: teacher_evaluations: Input should be greater than or equal to 1; "
        "there is no 'regression.stpes'; did you mean 'steps'?; there is no 'seeed'; did you mean 'seed'?"
    )
    path.write_text("regression: {steps: 20\n", "utf-8")
    with pytest.raises(TrainError, match=r"--config .*quick\.yaml"):
        _settings(path, None, None, fine_tune=False)
