"""docs/senders.md holds: its graph runs, its mapping is one, its tables and defaults are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from rtgraph import registry
from rtgraph.models.expression import INDEX
from rtgraph.nodes.sink.face_frames import selected
from rtgraph.nodes.sink.osc_mapping import MappedMessages, read_mapping
from rtgraph.nodes.sink.unified_expressions import PARAMETERS
from rtgraph.nodes.sink.viseme_mapping import SHAPES
from rtgraph.planner import plan_text
from rtgraph.scheduler import Runner

PAGE = (Path(__file__).parents[3] / "docs" / "senders.md").read_text(encoding="utf-8")


def block(language):
    return re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[1]


def test_the_graph_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plan = plan_text(block("yaml"))
    with Runner(plan, clock="manual") as runner:
        runner.run(duration_s=1.0)
        profile = runner.profile()
    for name in ("vrchat", "vmc", "unreal"):
        assert profile.nodes[name].counters["datagrams"] >= 40
    rows = np.genfromtxt("out/face.csv", delimiter=",", names=True)
    assert len(rows) >= 40


def test_the_mapping_is_one(tmp_path):
    (tmp_path / "face_osc.yaml").write_text(block("text"))
    messages = MappedMessages(read_mapping(tmp_path / "face_osc.yaml"), selected(["mouth", "head"], []))
    frame = np.zeros(61, np.float32)
    frame[INDEX["mouthSmileLeft"]] = 1
    assert len(messages(frame)) == 1


def test_the_viseme_table():
    rows = dict(re.findall(r"^\| (\w+) \| ((?:\w+ [\d.]+(?:, )?)+) \|$", PAGE, re.MULTILINE))
    written = {
        v: {n: float(w) for n, w in (part.split() for part in row.split(", "))} for v, row in rows.items()
    }
    assert written == SHAPES


def test_the_ports_and_the_number_of_parameters():
    for kind, port in re.findall(r"^\| `(sink\.\w+)` \| [^|]+ \| (\d+) \|", PAGE, re.MULTILINE):
        assert registry.find(kind).Config().port == int(port), kind
    assert f"({len(PARAMETERS)} of them)" in PAGE
