"""The command line: what each command prints and writes, and how mistakes are answered."""

from __future__ import annotations

import json
import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest
from cli_graph import GRAPH, rtgraph

from rtgraph.cli import lazy_group, main


def test_the_package_names_the_entry_point() -> None:
    (entry,) = [e for e in entry_points(group="console_scripts") if e.name == "rtgraph"]
    assert entry.load() is main


def test_version() -> None:
    from rtgraph import __version__

    assert rtgraph("--version").stdout == f"rtgraph {__version__}\n"


def test_check_lists_the_segments(graph: str) -> None:
    lines = rtgraph("check", graph).stdout.splitlines()
    assert lines[0] == "ok: 5 nodes in 3 segments"
    assert lines[1:] == ["  pulse: pulse, head", "  tail: tail, end", "  watch: watch"]


def test_mistakes_have_a_place_and_no_traceback(graph: str) -> None:
    found = rtgraph("check", graph, "--set", "pulse.sise=3", "--swap", "end=debug.discart", code=2).stderr
    assert "--set pulse.sise=3:1:" in found
    assert "did you mean 'size'?" in found
    assert "did you mean 'debug.discard'?" in found
    Path(graph).write_text(GRAPH.replace("head.out", "head.oud"))
    found = rtgraph("check", graph, code=2).stderr
    assert "g.yaml:10:" in found
    assert "did you mean 'head.out'?" in found
    assert "Traceback" not in found


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["check", "missing.yaml"], "there is no file missing.yaml"),
        (["check", "g.yaml", "--set", "pulse"], "NODE.FIELD=VALUE"),
        (["check", "g.yaml", "--swap", "=x"], "NODE=TYPE"),
        (["check", "g.yaml", "--var", "cuont=3"], "did you mean 'count'?"),
        (["check", "g.yaml", "--import", "no_such_module"], "--import no_such_module"),
        (["check", "g.yaml", "--import", "broken"], "SyntaxError"),
        (["run", "g.yaml", "--duration", "0"], "more than 0"),
        (["run", "g.yaml", "--duration", "nan"], "more than 0"),
        (["run", "g.yaml", "--profile-json", "none/p.json"], "no folder none"),
        (["run", "g.yaml", "--trace", "."], "is a folder"),
        (["chek"], "did you mean 'check'?"),
        (["nodes", "debug.puls"], "did you mean 'debug.pulse'?"),
        (["bench", "no_such_suite"], "there is no suite"),
    ],
)
def test_wrong_use_ends_with_2_and_says_why(graph: str, words: list[str], answer: str) -> None:
    Path("broken.py").write_text("def (")
    assert answer in " ".join(rtgraph(*words, code=2).stderr.split())


def test_run_prints_a_table_and_writes_the_files(graph: str) -> None:
    shown = rtgraph("run", graph, "--profile-json", "p.json", "--trace", "t.json", "--var", "count=7").stdout
    assert "demo:" in shown
    assert "pulse -> end" in shown
    profile = json.loads(Path("p.json").read_text())
    assert profile["nodes"]["end"]["count"] == 7
    assert set(profile["nodes"]["head"]["compute_us"]) == {"p50", "p95", "p99", "max"}
    slices = [e for e in json.loads(Path("t.json").read_text())["traceEvents"] if e["ph"] == "X"]
    assert sum(e["name"] == "end" for e in slices) == 7


def test_run_takes_duration_set_and_swap(graph: str) -> None:
    words = ["--set", "pulse.count=0", "--swap", "end=debug.relay", "--duration", "0.5", "--trace", "t.json"]
    assert rtgraph("run", graph, *words, "-q", "--profile-json", "p.json").stdout == ""
    profile = json.loads(Path("p.json").read_text())
    assert profile["nodes"]["end"]["count"] in (50, 51)
    assert profile["clock"] == "manual"


def test_fast_is_a_manual_clock(graph: str) -> None:
    Path(graph).write_text(GRAPH.replace("clock: manual", "clock: system"))
    rtgraph("run", graph, "--fast", "--var", "count=100000", "--profile-json", "p.json")
    profile = json.loads(Path("p.json").read_text())
    assert profile["clock"] == "manual"
    assert profile["duration_s"] > 900  # of virtual time


def test_duration_ends_a_live_run(graph: str) -> None:
    rtgraph(
        "run",
        graph,
        "--set",
        "clock=system",
        "--set",
        "pulse.count=0",
        "--duration",
        "0.3",
        "--profile-json",
        "p.json",
    )
    profile = json.loads(Path("p.json").read_text())
    assert profile["clock"] == "system"
    assert 25 <= profile["nodes"]["end"]["count"] <= 31  # 0.3 s at 100 Hz


def test_a_failing_node_is_named_after_the_table_and_files(graph: str) -> None:
    Path(graph).write_text(GRAPH + "  bad: {type: clitest.fails, config: {at: 5}, inputs: {x: tail.out}}\n")
    words = ["run", graph, "--import", "clitest", "--profile-json", "p.json", "--set", "bad.at=4"]
    result = rtgraph(*words, code=1)
    assert "demo:" in result.stdout
    assert json.loads(Path("p.json").read_text())["nodes"]["bad"]["errors"] == 1
    assert "error: node 'bad'" in result.stderr
    assert "packet 4: " in result.stderr
    assert "the bird has flown (clitest.py:12, in process)" in result.stderr
    assert "Traceback" not in result.stderr
    told = rtgraph("--debug", *words, code=1).stderr
    assert "clitest.py" in told
    assert 'raise ValueError("the bird has flown")' in told


def test_warnings_of_nodes_go_to_stderr(graph: str) -> None:
    Path(graph).write_text(
        GRAPH + "  bad: {type: clitest.fails, on_error: skip, config: {at: 4}, inputs: {x: tail.out}}\n"
    )
    assert "warning: node 'bad' skipped" in rtgraph("run", graph, "--import", "clitest", "-q").stderr


def test_bench_lists_and_runs_suites(monkeypatch: pytest.MonkeyPatch, graph: str) -> None:
    Path("clisuite.py").write_text(
        '"""Mine against yours.\n\nAnd more."""\n'
        "import json\n"
        "def main(json_path, runs, quick):\n"
        "    json_path.write_text(json.dumps([runs, quick]))\n"
    )
    monkeypatch.syspath_prepend(".")
    entries = [EntryPoint("mine", "clisuite", "rtgraph.benchmarks")]
    monkeypatch.setattr("rtgraph.cli.bench.entry_points", lambda group: entries)
    assert rtgraph("bench").stdout == "mine  Mine against yours.\n"
    rtgraph("bench", "mine", "--json", "b.json", "--runs", "2", "--quick")
    assert json.loads(Path("b.json").read_text()) == [2, True]


def test_installed_commands_join(monkeypatch: pytest.MonkeyPatch, graph: str) -> None:
    Path("clicommands.py").write_text(
        "import typer\n"
        "from rtgraph import RtGraphError\n"
        "def animate(clip: str, rate: float = 50.0) -> None:\n"
        '    """Move a face."""\n'
        "    if rate < 0:\n"
        "        raise RtGraphError('backwards')\n"
        "    typer.echo(f'{clip} at {rate}')\n"
    )
    monkeypatch.syspath_prepend(".")
    group = "rtgraph.commands"
    entries = [
        EntryPoint("animate", "clicommands:animate", group),
        EntryPoint("train", "no_torch_here:train", group),
    ]
    monkeypatch.setattr(lazy_group, "entry_points", lambda group: entries)
    rtgraph("check", graph)
    assert "clicommands" not in sys.modules
    assert rtgraph("animate", "talk.wav").stdout == "talk.wav at 50.0\n"
    assert "error: backwards" in rtgraph("animate", "a", "--rate", "-1", code=1).stderr
    assert "No module named 'no_torch_here'" in rtgraph("train", "--steps", "3", code=1).stderr
    shown = rtgraph("--help").stdout
    assert "Move a face." in shown
    assert "Not available" in shown
