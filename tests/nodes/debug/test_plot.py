"""debug.plot: pictures are looked at: the drawn thing is where it should be."""

from __future__ import annotations

import importlib.util
import os
import shutil

import numpy as np
import pytest

from rtgraph import GraphError, Input, Node, NodeError, Output, RtGraphError, register
from rtgraph.nodes.debug.plot import Panel, Plot
from rtgraph.planner import plan_text
from rtgraph.scheduler import Runner
from rtgraph.testing import run_node


def ink(path) -> np.ndarray:
    """[H, W] bool: the pixels that are coloured, which text and axes are not."""
    from matplotlib.image import imread

    rgb = imread(path)[:, :, :3]
    return rgb.max(axis=2) - rgb.min(axis=2) > 0.2


def test_a_waveform_fills_where_it_is_loud(tmp_path):
    rng = np.random.default_rng(1)
    chunks = [
        np.float32(0.01 if k < 50 else 1.0) * rng.uniform(-1, 1, 160).astype(np.float32) for k in range(100)
    ]
    run_node(
        Plot,
        {"x": chunks},
        config={
            "path": str(tmp_path / "new" / "a.png"),
            "kind": "waveform",
            "width_px": 800,
            "height_px": 400,
        },
    )
    assert os.listdir(tmp_path / "new") == ["a.png"]
    coloured = ink(tmp_path / "new" / "a.png")
    assert coloured.shape == (400, 800)
    assert coloured[:, 500:750].sum() > 20 * coloured[:, 120:380].sum()


def test_two_panels_share_the_picture(tmp_path):
    chunks = [np.ones(1, np.float32) * k for k in range(50)]
    run_node(
        Plot,
        {"x": chunks, "y": chunks[::-1]},
        config={"path": str(tmp_path / "a.png"), "height_px": 400, "width_px": 400},
    )
    coloured = ink(tmp_path / "a.png")
    assert coloured[:200].sum() > 100
    assert coloured[200:].sum() > 100


def test_kinds_are_found_by_shape():
    panel = Panel("auto", "", 1.0)
    assert [panel._shown_as(np.zeros(s)) for s in [1, 8, 9, (4, 5)]] == ["lines", "lines", "heatmap", "image"]


def test_sound_is_drawn_as_a_waveform_unless_said_otherwise(tmp_path):
    text = f"""
version: 1
nodes:
  mic: {{type: audio.file}}
  level: {{type: flow.map, config: {{op: rms}}, inputs: {{x: mic.audio}}}}
  both: {{type: debug.plot, config: {{path: {tmp_path}/a.png}}, inputs: {{x: mic.audio, y: level.out}}}}
  asked: {{type: debug.plot, config: {{path: {tmp_path}/b.png, kind: heatmap}}, inputs: {{x: mic.audio}}}}
"""
    plan = plan_text(text)
    with Runner(plan, clock="manual") as runner:
        runner.run(duration_s=0.1)
        kinds = {
            name: [p._shown_as(p.packets[-1][1]) for p in plan[name].node._panels if p.packets]
            for name in ("both", "asked")
        }
    assert kinds == {"both": ["waveform", "lines"], "asked": ["heatmap"]}


@pytest.mark.parametrize("shape", [(3,), (80,), (30, 40)])
def test_each_kind_draws(tmp_path, shape):
    rng = np.random.default_rng(2)
    run_node(
        Plot,
        {"x": list(rng.standard_normal((20, *shape)).astype(np.float32))},
        config={"path": str(tmp_path / "a.png")},
    )
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_the_peaks_of_a_long_waveform_survive():
    panel = Panel("waveform", "", 100.0)
    for k in range(1000):
        chunk = np.zeros(160, np.float32)
        chunk[77] = 1.0 if k == 500 else 0.0
        panel.add((k + 1) * 10_000_000, chunk)
    times, values = panel._samples(np.arange(1, 1001) * 0.01)
    assert len(values) < 9000
    assert values.max() == 1.0
    assert times[np.argmax(values)] == pytest.approx(5.0 + 77 / 16000, abs=0.01)


def test_memory_is_bounded():
    panel = Panel("heatmap", "", 0.5)
    for k in range(300):
        panel.add(k * 10_000_000, np.zeros(8))
    assert len(panel.packets) == 51
    images = Panel("auto", "", 1e9)
    for k in range(10):
        images.add(k, np.zeros((100, 100)))
    assert len(images.packets) == 1


@register("test.plot_fails")
class Fails(Node):
    x = Input()
    out = Output(like="x")

    def process(self, x, ctx):
        if ctx.seq == 5:
            raise ValueError("on purpose")
        return {"out": x}


def test_the_picture_is_not_lost_on_an_error(tmp_path):
    plan = plan_text(f"""
version: 1
clock: manual
nodes:
  clip: {{type: audio.file}}
  bad: {{type: test.plot_fails, inputs: {{x: clip.audio}}}}
  plot:
    type: debug.plot
    config: {{path: "{tmp_path}/a.png", kind: waveform}}
    inputs: {{x: clip.audio}}
""")
    with pytest.raises(NodeError, match="on purpose"), Runner(plan) as runner:
        runner.run()
    assert (tmp_path / "a.png").stat().st_size > 1000


def test_a_picture_that_cannot_be_written_is_an_error(tmp_path):
    """Somebody removes the folder while the run lasts."""
    plan = plan_text(f"""
version: 1
clock: manual
nodes:
  clip: {{type: audio.file}}
  plot: {{type: debug.plot, config: {{path: "{tmp_path}/out/a.png"}}, inputs: {{x: clip.audio}}}}
""")
    runner = Runner(plan)
    runner.open()
    runner.run(duration_s=0.1)
    shutil.rmtree(tmp_path / "out")
    with pytest.raises(
        RtGraphError, match=r"node 'plot': the picture .*a\.png cannot be written: No such file"
    ):
        runner.close()


def test_nothing_passed(tmp_path, caplog):
    run_node(Plot, {"x": []}, config={"path": str(tmp_path / "a.png")})
    assert not (tmp_path / "a.png").exists()
    assert "nothing passed" in caplog.text


def test_what_is_missing_is_named(tmp_path, monkeypatch):
    with pytest.raises(GraphError, match="path"):
        run_node(Plot, {"x": []}, config={"path": "a.jpg"})
    (tmp_path / "a.png").mkdir()
    with pytest.raises(RtGraphError, match="cannot be written"):
        run_node(Plot, {"x": []}, config={"path": str(tmp_path / "a.png")})
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RtGraphError, match=r"pip install 'rtgraph\[plot\]'"):
        run_node(Plot, {"x": []}, config={"path": str(tmp_path / "b.png")})
