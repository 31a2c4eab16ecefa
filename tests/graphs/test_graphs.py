"""Every bundled graph passes the check, and runs for a while on a manual clock."""

from __future__ import annotations

import pytest

from rtgraph.files import bundled
from rtgraph.planner import load_plan
from rtgraph.scheduler import Runner

GRAPHS = sorted(bundled("graphs").glob("*.yaml"))


@pytest.mark.parametrize("path", GRAPHS, ids=lambda path: path.stem)
def test_it_runs(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plan = load_plan(path)
    overrides, swaps = [], {}
    for node in plan.nodes:
        if node.spec.type == "sink.viewer":
            overrides.append((f"{node.name}.port", "0"))
        if node.spec.type == "eye.camera_pair":  # no camera keeps the pace of a manual clock
            swaps[node.name] = "eye.synthetic"
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
    plan = load_plan(
        bundled("graphs") / "vr_audio_eye.yaml",
        overrides=[("viewer.port", "0")],
        swaps={"eyes": "eye.synthetic"},
    )
    with Runner(plan, clock="manual") as runner:
        runner.run(duration_s=1.0)
        nodes = runner.profile().nodes
    path = [nodes[name] for name in ("mel", "encoder", "denoiser", "mix", "avatar")]
    assert all(node.native for node in path)
    assert len({node.segment for node in path}) == 1
    assert all(node.gil_wait_us.max == 0 for node in path)
