"""`rtgraph animate`: where the faces of sound files go, and that what lies there is not lost."""

from __future__ import annotations

import resource

import numpy as np
import pytest
from typer.testing import CliRunner

from rtgraph import RtGraphError
from rtgraph.cli.app import app
from rtgraph.models.expression import FRAME
from rtgraph.nodes.face import animate


@pytest.fixture(autouse=True)
def no_networks(monkeypatch):
    """Every sound has the same face, of two frames."""

    def run_graph(sound, table, overrides, tell):
        table.write_text("\n".join([f"time_s,{','.join(FRAME)}", *(f"{t}" + ",0.5" * 61 for t in (0, 0.02))]))
        return 2

    monkeypatch.setattr(animate, "run_graph", run_graph)


def run(*arguments):
    return CliRunner().invoke(app, ["animate", *map(str, arguments)])


def test_two_sounds_never_become_one_face(tmp_path):
    (tmp_path / "x").mkdir()
    beside = run(tmp_path / "a.wav", tmp_path / "a.flac")
    assert beside.exit_code == 1
    assert "a.wav and " in beside.output
    assert "rename one" in beside.output
    assert run(tmp_path / "a.wav", tmp_path / "x" / "a.wav", "-o", tmp_path / "faces").exit_code == 1
    assert [p.name for p in tmp_path.iterdir()] == ["x"]
    assert run(tmp_path / "a.wav", tmp_path / "x" / "a.wav").exit_code == 0
    assert (tmp_path / "a.csv").exists()
    assert (tmp_path / "x" / "a.csv").exists()


def test_arrays_go_to_the_very_file_that_was_named(tmp_path):
    assert run(tmp_path / "a.wav", "-o", tmp_path / "face.npz").exit_code == 0
    assert [p.name for p in tmp_path.iterdir()] == ["face.npz"]
    with np.load(tmp_path / "face.npz") as arrays:
        assert arrays["data"].shape == (2, 61)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["a.wav", "-o", "face.mp4"], "`rtgraph render` makes a video of it"),
        (["a.wav", "-o", "face.csv", "--format", "npz"], "or, with --format npz, as .npz"),
        (["a.wav", "b.wav", "-o", "face.csv"], "2 sounds need a folder, not a file"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path, monkeypatch, words, told):
    monkeypatch.chdir(tmp_path)
    refused = run(*words)
    assert refused.exit_code == 1
    assert told in " ".join(refused.output.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format", ["csv", "npz"])
def test_a_face_for_which_there_is_no_room_leaves_the_earlier_one(tmp_path, format):
    table, target = tmp_path / "table", tmp_path / f"a.{format}"
    animate.run_graph(None, table, [], None)
    target.write_bytes(b"earlier")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(RtGraphError, match="File too large; choose another -o"):
            animate._keep(table, target, format)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert target.read_bytes() == b"earlier"
    assert sorted(tmp_path.iterdir()) == [target, table]
