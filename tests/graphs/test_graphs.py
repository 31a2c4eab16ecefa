"""Every bundled graph passes the check, and runs for a while on a manual clock."""

from __future__ import annotations

import numpy as np
import pytest

from rtgraph.files import bundled
from rtgraph.planner import load_plan
from rtgraph.scheduler import Runner
from rtgraph.testing import run_graph

GRAPHS = sorted(bundled("graphs").glob("*.yaml"))


@pytest.mark.parametrize("path", GRAPHS, ids=lambda path: path.stem)
def test_it_runs(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plan = load_plan(path)
    overrides = [(f"{node.name}.port", "0") for node in plan.nodes if node.spec.type == "sink.viewer"]
    # Whoever sends OSC keeps no virtual time; another source of eye states does.
    swaps = {node.name: "eye.gaze_synth" for node in plan.nodes if node.spec.type == "eye.osc"}
    plan = load_plan(path, overrides=overrides, swaps=swaps)
    with Runner(plan, clock="manual") as runner:
        runner.run(duration_s=1.0)
        profile = runner.profile()
    assert profile.edges
    for name, node in profile.nodes.items():
        assert node.count > 10, name
        assert node.errors == 0, name
    if plan.frame is not None and path.stem != "hello_audio":
        assert 45 <= profile.deadline.frames <= 101


def test_the_main_jobs_frame_path_is_native_on_one_thread_without_the_gil():
    plan = load_plan(bundled("graphs") / "vr_audio_eye.yaml", overrides=[("viewer.port", "0")])
    with Runner(plan, clock="manual") as runner:
        runner.run(duration_s=1.0)
        nodes = runner.profile().nodes
    path = [nodes[name] for name in ("mel", "encoder", "denoiser", "mix", "avatar")]
    assert all(node.native for node in path)
    assert len({node.segment for node in path}) == 1
    assert all(node.gil_wait_us.max == 0 for node in path)


def test_the_main_job_gives_the_same_bits_twice_faster_than_real_time():
    def face():
        return run_graph(
            bundled("graphs") / "vr_audio_eye.yaml",
            ["mix.frame", "eye_encoder.state"],
            duration_s=2.0,
            overrides=[("viewer.port", "0")],
        )

    first, second = face(), face()
    for output in ("mix.frame", "eye_encoder.state"):
        assert first.timestamps_ns[output] == second.timestamps_ns[output]
        np.testing.assert_array_equal(first.stacked(output), second.stacked(output))
