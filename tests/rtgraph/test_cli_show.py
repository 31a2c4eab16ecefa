"""`rtgraph show`: the drawings have what the graph has."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

from cli_graph import GRAPH, rtgraph


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
