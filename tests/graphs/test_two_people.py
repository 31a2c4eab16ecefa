"""graphs/two_people.yaml: what two faces in one process share, and what that leaves of their memory."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from rtgraph.files import bundled
from rtgraph.planner import load_plan
from rtgraph.scheduler import Runner

#: Loads a graph with the large networks and prints its memory, and that of the imports alone.
MEMORY = """
import json, sys
from pathlib import Path
from rtgraph.planner import load_plan
from rtgraph.scheduler import Runner

def rss_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

graph, sets, swaps = json.loads(sys.argv[1])
with Runner(load_plan(graph, overrides=sets, swaps=swaps), clock="manual") as runner:
    runner.run(duration_s=0.5)
    print(rss_mb())
"""


def planned(name, size="base"):
    """The graph with rendered eyes, any free ports and networks of this size."""
    path = bundled("graphs") / f"{name}.yaml"
    sets, swaps = [], {}
    for node in load_plan(path).nodes:
        if node.spec.type == "sink.viewer":
            sets.append((f"{node.name}.port", "0"))
        if node.spec.type == "eye.camera_pair":
            swaps[node.name] = "eye.synthetic"
        if node.spec.type in ("face.online_encoder", "face.one_step_denoiser"):
            sets.append((f"{node.name}.weights", size))
    return str(path), sets, swaps


def test_networks_are_packed_once_and_faces_are_their_own():
    path, sets, swaps = planned("two_people", "tiny")
    with Runner(load_plan(path, overrides=sets, swaps=swaps), clock="manual") as runner:
        plan = runner.plan
        for part in ("encoder", "denoiser"):
            ann, ben = (plan[f"{person}_{part}"].node for person in ("ann", "ben"))
            assert ann.packed is ben.packed
            assert ann.packed.native.bytes > 100_000
        assert plan["ann_encoder"].node.packed is not plan["ann_denoiser"].node.packed
        runner.run(duration_s=1.0)
        profile = runner.profile()
    for person in ("ann", "ben"):
        assert profile.nodes[f"{person}_avatar"].count in (49, 50)
        assert profile.nodes[f"{person}_avatar"].segment == person


def test_another_precision_is_packed_for_itself():
    path, sets, swaps = planned("two_people", "tiny")
    sets.append(("ben_encoder.precision", "float32"))
    sets.append(("ann_encoder.precision", "int8"))
    with Runner(load_plan(path, overrides=sets, swaps=swaps), clock="manual") as runner:
        ann, ben = (runner.plan[f"{person}_encoder"].node.packed for person in ("ann", "ben"))
        assert ann is not ben
        assert ann.native.bytes < 0.5 * ben.native.bytes


def test_two_take_less_than_twice_the_memory_of_one():
    memory = []
    for graph in ("vr_audio_eye", "two_people"):
        command = [sys.executable, "-c", MEMORY, json.dumps(planned(graph))]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        memory.append(float(done.stdout.split()[-1]))
    one, two = memory
    assert two < 2 * one
    # The networks, the head's shapes and Python itself are there once. What a second face adds is its state,
    # its neutral head, its viewer's copy of the head, and its threads.
    assert two - one < 0.35 * one, f"one {one:.0f} MB, two {two:.0f} MB"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
