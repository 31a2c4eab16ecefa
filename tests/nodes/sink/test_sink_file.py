"""sink.file: CSV and NPZ, their times, what is left after errors and full disks."""

from __future__ import annotations

import csv
import errno
import io
import os
import shutil

import numpy as np
import pytest
from typer.testing import CliRunner

from rtgraph import GraphError, NodeError, RtGraphError
from rtgraph.cli.app import app
from rtgraph.nodes.sink import table
from rtgraph.nodes.sink.file import FileSink
from rtgraph.planner import plan_text
from rtgraph.scheduler import Runner
from rtgraph.testing import run_node


def write(path, values, **config):
    run_node(FileSink, {"x": values}, config={"path": str(path), **config})


def rows_of(path):
    header, *rows = csv.reader(path.read_text().splitlines())
    return header, np.array(rows, np.float64)


def test_the_command_names_the_file_that_it_wrote(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "g.yaml").write_text(
        "version: 1\nnodes:\n  a: {type: debug.pulse, config: {count: 3, rate_hz: 100}}\n"
        "  table: {type: sink.file, config: {path: out/a.csv}, inputs: {x: a.out}}\n"
    )
    told = CliRunner().invoke(app, ["run", "g.yaml", "--fast"])
    assert told.exit_code == 0
    assert "wrote out/a.csv\n" in told.output
    assert len(rows_of(tmp_path / "out" / "a.csv")[1]) == 3


def test_csv_brings_every_value_back(tmp_path):
    sent = np.random.default_rng(1).standard_normal((50, 3)).astype(np.float32) * np.float32(10) ** np.arange(
        -9, 9, 6, dtype=np.float32
    )
    path = tmp_path / "new" / "folder" / "a.csv"
    write(path, list(sent), columns=["a", "b", "c"], start_s=0.01)
    header, rows = rows_of(path)
    assert header == ["time_s", "a", "b", "c"]
    np.testing.assert_array_equal(rows[:, 1:].astype(np.float32), sent)
    np.testing.assert_allclose(rows[:, 0], 0.01 * np.arange(1, 51), atol=1e-9)
    assert os.listdir(path.parent) == ["a.csv"]


def test_csv_of_whole_numbers_without_names(tmp_path):
    write(tmp_path / "a.csv", [np.array([[1, 2], [3, 255]], np.uint8)])
    assert (tmp_path / "a.csv").read_text() == "time_s,x0,x1,x2,x3\n0.000000,1,2,3,255\n"


@pytest.mark.parametrize("dtype", ["float32", "uint8", "int64"])
def test_npz_brings_every_value_back(tmp_path, dtype):
    sent = (np.random.default_rng(2).standard_normal((40, 4, 5)) * 100).astype(dtype)
    write(tmp_path / "a.npz", list(sent))
    with np.load(tmp_path / "a.npz") as data:
        assert sorted(data.files) == ["data", "time_s"]
        np.testing.assert_array_equal(data["data"], sent)
        assert data["data"].dtype == dtype
        np.testing.assert_allclose(data["time_s"], 0.01 * np.arange(40), atol=1e-12)
    assert os.listdir(tmp_path) == ["a.npz"]


@pytest.mark.parametrize("name", ["a.csv", "a.npz"])
def test_no_packets_make_an_empty_table(tmp_path, name):
    write(tmp_path / name, [])
    if name == "a.npz":
        assert np.load(tmp_path / name)["time_s"].shape == (0,)
    else:
        assert (tmp_path / name).read_text() == "time_s\n"


@pytest.mark.parametrize("name", ["a.csv", "a.npz"])
def test_packets_unlike_the_first(tmp_path, name):
    rows = table.CsvTable(tmp_path / name, ()) if name == "a.csv" else table.NpzTable(tmp_path / name)
    rows.add(0.0, np.zeros(3, np.float32))
    with pytest.raises(ValueError, match=r"3 columns|like its first"):
        rows.add(0.1, np.zeros(4, np.float32))
    assert rows.rows == 1
    rows.discard()
    assert os.listdir(tmp_path) == []


def level_graph(tmp_path, name, on_error="stop"):
    """The clip's level into a table; its silent beginning makes rows of 11 bytes behind a header of 10."""
    return plan_text(f"""
version: 1
clock: manual
nodes:
  clip: {{type: audio.file, config: {{path: "asset:clips/hello.flac"}}}}
  level: {{type: flow.map, config: {{op: rms}}, inputs: {{x: clip.audio}}}}
  sink:
    type: sink.file
    on_error: {on_error}
    config: {{path: "{tmp_path}/{name}"}}
    inputs: {{x: level.out}}
""")


class FullDisk(io.FileIO):
    """Takes `room` bytes; the write that would go beyond is cut short, the next fails."""

    room = 0

    def write(self, data):
        part = bytes(data[: max(0, FullDisk.room - self.tell())])
        if not part:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(part)


@pytest.fixture
def small_disk(monkeypatch):
    def opened(path, mode, buffering):
        return FullDisk(path, mode)

    monkeypatch.setattr(table, "open", opened, raising=False)
    FullDisk.room = 100


def test_a_full_disk_ends_the_run_but_keeps_the_rows(tmp_path, small_disk):
    with (
        pytest.raises(NodeError, match=r"No space left on device; 8 rows are kept.*on_error: skip"),
        Runner(level_graph(tmp_path, "a.csv")) as runner,
    ):
        runner.run()
    _, rows = rows_of(tmp_path / "a.csv")
    assert rows.shape == (8, 2)


def test_a_full_disk_may_be_waited_out(tmp_path, small_disk):
    with Runner(level_graph(tmp_path, "a.csv", "skip")) as runner:
        runner.run(duration_s=0.3)
        assert runner.profile().nodes["sink"].errors > 10
        FullDisk.room = 10_000
        runner.plan["sink"].node.process(np.array([0.25], np.float32), _At(0.9))
    _, rows = rows_of(tmp_path / "a.csv")
    assert rows[-1].tolist() == [pytest.approx(0.89), 0.25]
    assert np.all(np.diff(rows[:, 0]) > 0)


def test_npz_rows_stay_pairs_on_a_full_disk(tmp_path, small_disk):
    rows = table.NpzTable(tmp_path / "a.npz")
    FullDisk.room = 20
    for k in range(2):
        try:
            rows.add(float(k), np.zeros(4, np.float32))
        except OSError:
            assert k == 1
    assert rows.rows == 1
    FullDisk.room = 10_000
    rows.add(2.0, np.ones(4, np.float32))
    assert rows._times.size == 16
    assert rows._data.size == 32
    rows.discard()


@pytest.mark.parametrize("name", ["a.csv", "a.npz"])
def test_a_table_that_is_lost_is_an_error(tmp_path, name):
    """Somebody removes the folder while the run lasts."""
    runner = Runner(level_graph(tmp_path / "out", name))
    runner.open()
    runner.run(duration_s=0.1)
    shutil.rmtree(tmp_path / "out")
    with pytest.raises(RtGraphError, match=f"node 'sink': .*{name} cannot be completed: No such.*is lost"):
        runner.close()


def test_where_the_rows_of_a_table_lie_that_has_no_name(tmp_path):
    """A folder has taken its place."""
    runner = Runner(level_graph(tmp_path, "a.csv"))
    runner.open()
    runner.run(duration_s=0.1)
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(RtGraphError, match=r"what was received is in .*/\.a\.csv\.part"):
        runner.close()
    assert rows_of(tmp_path / ".a.csv.part")[1].shape == (9, 2)


class _At:
    def __init__(self, seconds):
        self.timestamp_ns = int(seconds * 1e9)


def test_places_that_cannot_be_written(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(RtGraphError, match="directory"):
        write(tmp_path / "folder.csv", [])
    (tmp_path / "file").write_text("")
    with pytest.raises(RtGraphError, match="cannot be written"):
        write(tmp_path / "file" / "a.csv", [])


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"path": "a.txt"}, "path"),
        ({"path": "a.npz", "columns": ["a"]}, "those of a CSV file"),
        ({"path": "a.csv", "columns": ["a", "a"]}, "a name of its own"),
        ({"path": "a.csv", "columns": ["a,b"]}, "no comma"),
    ],
)
def test_wrong_configurations(config, words):
    with pytest.raises(GraphError, match=words):
        run_node(FileSink, {"x": []}, config=config)
