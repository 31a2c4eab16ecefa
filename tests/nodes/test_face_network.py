"""Encoder and denoiser were trained together: a graph in which each has weights of its own is refused."""

from __future__ import annotations

import pytest

from rtgraph import GraphError
from rtgraph.files import bundled
from rtgraph.planner import load_plan

GRAPH = bundled("graphs") / "file_to_csv.yaml"


@pytest.mark.parametrize("node", ["encoder", "denoiser"])
def test_weights_of_two_trainings_are_refused_when_the_graph_is_checked(node):
    with pytest.raises(GraphError) as caught:
        load_plan(GRAPH, overrides=[(f"{node}.weights", "base")])
    text = str(caught.value)
    theirs, own = ("base", "tiny") if node == "encoder" else ("tiny", "base")
    assert "file_to_csv.yaml:" in text
    assert "inputs: {hidden: encoder.hidden, speech: gate.speech}" in text
    assert f"encoder.hidden is made with `weights: {theirs}`" in text
    assert f"expected: `weights: {own}` for input 'hidden' of face.one_step_denoiser: give both nodes" in text


def test_both_together_and_both_names_of_a_bundled_size_are_taken():
    load_plan(GRAPH, variables={"weights": "base"})
    load_plan(GRAPH, overrides=[("encoder.weights", "asset:weights/face-tiny.safetensors")])
    load_plan(
        GRAPH, overrides=[(f"{node}.weights", "own/face.safetensors") for node in ("encoder", "denoiser")]
    )
