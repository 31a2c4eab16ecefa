"""`rtgraph nodes` and `rtgraph new-node`: what is told of a type can be copied, what is written runs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest
import yaml
from cli_graph import rtgraph
from pydantic import ValidationError
from rich.text import Text

from rtgraph import NodeConfig, registry
from rtgraph.cli.node_snippet import entry, imports
from rtgraph.planner import plan_text


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
        "sample_rate_hz": None,
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
        "sample_rate_hz": None,
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


def test_a_type_tells_how_to_use_it(graph: str) -> None:
    shown = rtgraph("nodes", "audio.mel").stdout
    assert "  nodes:\n    mel:\n      type: audio.mel\n" in shown
    # other tests may have registered types that send sound, too
    assert re.search(
        r"\n        audio: \w+\.\w+  # AudioChunk, as .*audio\.file, .*audio\.microphone.* send it\n", shown
    )
    assert (
        "  from rtgraph.nodes.audio.mel import AudioMel\n  from rtgraph.nodes.audio import AudioChunk\n"
        in shown
    )
    assert "op: scale  # the operation: scale, offset, clip" in rtgraph("nodes", "flow.map").stdout


def test_the_imports_of_every_type_work() -> None:
    for cls in registry.all_types().values():
        if cls.__module__.startswith("rtgraph.nodes."):
            for line in imports(cls):
                exec(line, {})
    (own,) = imports(registry.all_types()["audio.file"])[1:]
    assert own == "from rtgraph.nodes.audio import AudioChunk"


def _is_valid(config: type[NodeConfig]) -> bool:
    """Whether its defaults are a config; some want one of several fields."""
    try:
        config()
    except ValidationError:
        return False
    return True


def test_the_entry_of_every_type_that_stands_alone_is_a_graph() -> None:
    checked = 0
    for cls in registry.all_types().values():
        if not cls.__module__.startswith("rtgraph.nodes."):
            continue
        text = "version: 1\n" + entry(cls, [])
        assert yaml.safe_load(text)["nodes"][cls.type_name.rpartition(".")[2]]["type"] == cls.type_name
        if all(port.optional for port in cls.inputs.values()) and _is_valid(cls.Config):
            plan_text(text)
            checked += 1
    assert checked >= 5


def test_examples_are_within_their_limits() -> None:
    """Required options of our own nodes: what the entry shows is accepted."""
    for name in ("flow.rate", "flow.delay"):
        cls = registry.find(name)
        assert cls is not None
        cls.Config.model_validate(yaml.safe_load(entry(cls, []))["nodes"][name.partition(".")[2]]["config"])


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
        (["lab.calm"], "did you mean 'calm --family lab'?"),
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


def test_what_new_node_writes_runs_as_made(graph: str) -> None:
    names = []
    for words in (["--from", "any"], ["--from", "audio"], ["--source"]):
        names.append("made_" + words[-1].strip("-"))
        rtgraph("new-node", names[-1], *words)
        shown = rtgraph("run", f"{names[-1]}.yaml", "--import", names[-1], "--fast").stdout
        assert "note:" not in shown
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "10 passed" in done.stdout


@pytest.mark.slow
def test_what_new_node_writes_in_cpp_builds_and_runs_as_made(graph: str) -> None:
    rtgraph("new-node", "made_native", "--native")
    for command in (
        ["cmake", "-S", ".", "-B", "build", f"-DPython_EXECUTABLE={sys.executable}"],
        ["cmake", "--build", "build"],
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_made_native.py"],
        [sys.executable, "-m", "rtgraph.cli", "run", "made_native.yaml", "--import", "made_native", "--fast"],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "made_native py" not in done.stdout


def test_a_source_takes_nothing(graph: str) -> None:
    for words in (["--native"], ["--from", "audio"]):
        assert "takes nothing" in rtgraph("new-node", "odd", "--source", *words, code=2).stderr
    assert not Path("odd.py").exists()


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


def test_a_command_whose_packages_are_missing_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    from rtgraph.cli import lazy_group

    entry = next(e for e in entry_points(group=lazy_group.GROUP) if e.name == "train")
    missing = ModuleNotFoundError("No module named 'torch'", name="torch")
    shown = Text.from_markup(lazy_group._broken(entry, missing).help).plain  # as the help shows it
    assert shown == "Not available: No module named 'torch'; pip install 'rtgraph[train]'"
