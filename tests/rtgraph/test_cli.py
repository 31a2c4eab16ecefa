"""The command line: what each command prints and writes, and how mistakes are answered."""

from __future__ import annotations

import json
import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from rtgraph.cli import app, lazy_group, main

GRAPH = """\
version: 1
name: demo
clock: manual
budget_ms: 5
frame: tail.out
variables: {count: 20}
nodes:
  pulse: {type: debug.pulse, config: {size: 4, rate_hz: 100, count: "${count}"}}
  head: {type: debug.relay, inputs: {x: pulse.out}}
  tail: {type: debug.relay, inputs: {x: {from: head.out, capacity: 8, overflow: drop_oldest}}}
  watch: {type: debug.discard, inputs: {x: {from: pulse.out, edge: latest}}}
  end: {type: debug.discard, inputs: {x: tail.out}}
"""
NODE = """\
from rtgraph import ANY_TENSOR, Input, Node, NodeConfig, Output, register

@register("clitest.fails")
class Fails(Node):
    class Config(NodeConfig):
        at: int
    x = Input(ANY_TENSOR)
    out = Output(like="x", shape=lambda c: (c.at,))

    def process(self, x, ctx):
        if ctx.seq >= self.config.at:
            raise ValueError("the bird has flown")
        return {"out": x}
"""


@pytest.fixture
def graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A graph file in the working directory, and a module there for `--import`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    Path("g.yaml").write_text(GRAPH)
    Path("clitest.py").write_text(NODE)
    return "g.yaml"


def rtgraph(*words: str, code: int = 0) -> Any:
    result = CliRunner().invoke(app, words)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


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


def test_show_draws_mermaid(graph: str) -> None:
    text = rtgraph("show", graph).stdout
    assert text.startswith("flowchart LR\n")
    inside = '    n_tail["tail<br/>debug.relay"]\n    n_end["end<br/>debug.discard"]\n'
    assert f'  subgraph s_tail["tail"]\n{inside}  end\n' in text
    assert "  n_pulse --> n_head\n" in text
    assert '  n_head ==>|"queue 8, drop_oldest"| n_tail\n' in text
    assert '  n_pulse -.->|"latest"| n_watch\n' in text
    assert "style" not in text


def test_show_colours_by_time(graph: str) -> None:
    rtgraph("run", graph, "-q", "--profile-json", "p.json")
    profile = json.loads(Path("p.json").read_text())
    for name, node in profile["nodes"].items():
        p50 = 1500.0 if name == "tail" else 20.0
        node["compute_us"] |= {"p50": p50, "p99": 2 * p50}
    Path("p.json").write_text(json.dumps(profile))
    text = rtgraph("show", graph, "--profile-json", "p.json").stdout
    assert "tail<br/>debug.relay<br/>p50 1.5 ms, p99 3 ms" in text
    fills = {line.split()[1]: line.split("fill:")[1][:7] for line in text.splitlines() if "fill:" in line}
    assert len(fills) == 5
    assert fills["n_tail"] not in (fills["n_head"], "#fff7ec")
    assert fills["n_head"] == fills["n_end"] == "#fff7ec"


def test_show_draws_svg_without_overlaps(graph: str) -> None:
    Path(graph).write_text(
        GRAPH
        + "  merge: {type: flow.merge, inputs: {x: [tail.out, pulse.out, delay.out]}}\n"
        + "  delay: {type: flow.delay, config: {shape: [4]}, inputs: {x: merge.out}}\n"
    )
    names = ("pulse", "head", "tail", "watch", "end", "merge", "delay")
    compute = {"compute_us": {"p50": 10, "p95": 20, "p99": 30, "max": 40}}
    Path("p.json").write_text(json.dumps({"nodes": dict.fromkeys(names, compute)}))
    assert rtgraph("show", graph, "--svg", "g.svg", "--profile-json", "p.json").stdout == ""
    root = ElementTree.parse("g.svg").getroot()
    space = "{http://www.w3.org/2000/svg}"
    groups = {g.get("id"): g.find(f"{space}rect") for g in root.iter(f"{space}g")}
    assert set(groups) == {f"node-{name}" for name in names}
    boxes = [
        tuple(float(r.get(k) or "") for k in ("x", "y", "width", "height"))
        for r in groups.values()
        if r is not None
    ]
    for i, (x, y, w, h) in enumerate(boxes):
        assert 0 <= x < x + w <= float(root.get("width") or 0)
        assert 0 <= y < y + h <= float(root.get("height") or 0)
        for x2, y2, w2, h2 in boxes[:i]:
            assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y
    titles = [t.text for t in root.iter(f"{space}title")]
    assert "delay.out -> merge.x" in titles
    assert len(titles) == 1 + 8
    assert "prefers-color-scheme: dark" in "".join(root.itertext())


def test_show_refuses_what_is_no_profile(graph: str) -> None:
    Path("p.json").write_text('{"nodes": 3}')
    assert "is no profile" in rtgraph("show", graph, "--profile-json", "p.json", code=1).stderr
    Path("p.json").write_text('{"nodes": {}}')
    assert (
        "another graph: it lacks pulse" in rtgraph("show", graph, "--profile-json", "p.json", code=1).stderr
    )


def test_nodes_lists_types(graph: str) -> None:
    shown = rtgraph("nodes", "--import", "clitest").stdout
    for name in ("debug.pulse", "debug.relay", "clitest.fails"):
        assert name in shown
    types = {facts["type"]: facts for facts in json.loads(rtgraph("nodes", "--json").stdout)}
    assert types["debug.pulse"]["language"] == "native"


def test_nodes_tells_all_of_a_type(graph: str) -> None:
    facts = json.loads(rtgraph("nodes", "debug.pulse", "--json").stdout)
    assert facts["source"] is True
    assert facts["module"] == "rtgraph.nodes.debug.relay"
    assert facts["outputs"][0] | {"doc": ""} == {
        "name": "out",
        "type": "Pulses",
        "dtype": "float32",
        "shape": [1024],
        "unit": "",
        "rate_hz": None,
        "doc": "",
        "like": None,
    }
    size = next(field for field in facts["config"] if field["name"] == "size")
    assert size == {
        "name": "size",
        "type": "int",
        "required": False,
        "default": 1024,
        "limits": ">= 1",
        "description": "elements of an array",
    }
    text = rtgraph("nodes", "debug.pulse").stdout
    assert "[1024]" in text
    assert "elements of an array" in text

    facts = json.loads(rtgraph("nodes", "clitest.fails", "--json", "--import", "clitest").stdout)
    assert facts["inputs"][0] | {"doc": ""} == {
        "name": "x",
        "type": "AnyTensor",
        "dtype": "any",
        "shape": None,
        "unit": "",
        "rate_hz": None,
        "doc": "",
        "edge": "queue",
        "capacity": 64,
        "overflow": "block",
        "optional": False,
        "many": False,
    }
    assert facts["outputs"][0]["shape"] == "config"
    assert facts["config"][0]["required"] is True
    assert "(required)" in rtgraph("nodes", "clitest.fails").stdout


def test_bench_lists_and_runs_suites(monkeypatch: pytest.MonkeyPatch, graph: str) -> None:
    Path("clisuite.py").write_text(
        "import json\n"
        "def main(json_path, runs, quick):\n"
        "    json_path.write_text(json.dumps([runs, quick]))\n"
    )
    monkeypatch.syspath_prepend(".")
    entries = [EntryPoint("mine", "clisuite", "rtgraph.benchmarks")]
    monkeypatch.setattr("rtgraph.cli.bench.entry_points", lambda group: entries)
    assert rtgraph("bench").stdout == "mine\n"
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


def test_new_node_writes_three_files_and_overwrites_none(graph: str) -> None:
    shown = rtgraph("new-node", "soft_step", "--dir", "mine").stdout
    assert shown.splitlines()[-3:] == [
        "  rtgraph run soft_step.yaml --import soft_step",
        "  pytest test_soft_step.py",
        "  rtgraph nodes my.soft_step --import soft_step",
    ]
    files = {path: path.read_text() for path in Path("mine").iterdir()}
    assert {path.name for path in files} == {"soft_step.py", "test_soft_step.py", "soft_step.yaml"}
    assert "class SoftStep(Node)" in files[Path("mine/soft_step.py")]
    assert (
        "exists already" in rtgraph("new-node", "soft_step", "--dir", "mine", "--family", "b", code=2).stderr
    )
    assert {path: path.read_text() for path in Path("mine").iterdir()} == files


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["MyNode"], "did you mean 'my_node'?"),
        (["lambda"], "cannot be a name"),
        (["json"], "a Python module already"),
        (["a-b"], "did you mean 'a_b'?"),
        (["relay", "--family", "debug"], "'debug.relay' exists already"),
    ],
)
def test_new_node_refuses_a_name(graph: str, words: list[str], answer: str) -> None:
    before = set(Path().iterdir())
    assert answer in rtgraph("new-node", *words, code=2).stderr
    assert set(Path().iterdir()) == before


def test_a_package_of_nodes_that_cannot_be_imported_leaves_the_others_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from rtgraph import RtGraphError, registry

    (tmp_path / "half_installed.py").write_text("import math\nmath.no_such_thing\n")
    monkeypatch.syspath_prepend(tmp_path)
    broken = EntryPoint("broken", "half_installed", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [broken, *entry_points(group=group)])
    with pytest.raises(
        RtGraphError, match=r"broken\.\* cannot be loaded: AttributeError.*half_installed.py:2"
    ):
        registry.find("broken.node")
    monkeypatch.setattr(registry, "_loaded", registry._loaded - {"half_installed"})
    assert "debug.print" in registry.all_types()
    assert "half_installed.py:2" in caplog.text
