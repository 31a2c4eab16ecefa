"""graphs/hello_audio.yaml, from any folder, on both clocks."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from rtgraph.files import bundled
from rtgraph.planner import load_plan
from rtgraph.scheduler import Runner

GRAPH = bundled("graphs") / "hello_audio.yaml"


@pytest.mark.parametrize(("clock", "seconds"), [("manual", None), ("system", 1.0)])
def test_it_leaves_a_picture_and_a_table(tmp_path, monkeypatch, clock, seconds):
    monkeypatch.chdir(tmp_path)
    with Runner(load_plan(GRAPH), clock=clock) as runner:
        runner.run(duration_s=seconds)
        profile = runner.profile()
    assert (tmp_path / "out" / "hello_audio.png").stat().st_size > 5000
    table = np.genfromtxt(tmp_path / "out" / "hello_audio.csv", delimiter=",", names=True)
    samples, _ = soundfile.read(bundled("assets") / "clips" / "hello.flac", dtype="float32")
    whole = len(samples) // 160
    rms = np.sqrt(np.mean(samples[: whole * 160].reshape(-1, 160) ** 2, axis=1))
    count = len(table["level"])
    if clock == "manual":
        assert count >= whole
    else:
        assert 95 <= count <= 101
    np.testing.assert_allclose(table["level"][:whole], rms[:count], atol=1e-6)
    np.testing.assert_allclose(table["time_s"], 0.01 * np.arange(1, count + 1), atol=1e-6)
    assert not any(edge.dropped for edge in profile.edges.values())
