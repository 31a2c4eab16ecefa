"""flow.map: each operation against numpy, dtypes, shapes and wrong configurations."""

from __future__ import annotations

import numpy as np
import pytest

from rtgraph import GraphError, NodeError
from rtgraph.nodes.flow.map import Map
from rtgraph.testing import run_node

CASES = {
    "scale": ({"by": -2.5}, lambda x: x * -2.5),
    "offset": ({"by": 0.75}, lambda x: x + 0.75),
    "clip": ({"low": -0.5, "high": 1.0}, lambda x: np.clip(x, -0.5, 1.0)),
    "abs": ({}, np.abs),
    "rms": ({}, lambda x: np.sqrt(np.mean(x**2)).reshape(1)),
    "mean": ({}, lambda x: x.mean().reshape(1)),
    "max": ({}, lambda x: x.max().reshape(1)),
    "select": ({"index": [5, 0, 5]}, lambda x: x.reshape(-1)[[5, 0, 5]]),
}


@pytest.mark.parametrize("shape", [(7,), (3, 5)])
@pytest.mark.parametrize("op", CASES)
def test_against_numpy(op, shape):
    config, expected = CASES[op]
    x = np.random.default_rng(len(op)).standard_normal(shape).astype(np.float32)
    got = run_node(Map, {"x": [x, -x]}, config={"op": op, **config}).outputs["out"]
    for y, sent in zip(got, [x, -x], strict=True):
        assert y.dtype == np.float32
        np.testing.assert_allclose(y, expected(sent.astype(np.float64)), rtol=1e-6, atol=1e-7)


def test_a_result_keeps_the_dtype_and_stays_in_its_range():
    x = np.array([0, 100, 200, 255], np.uint8)
    assert run_node(Map, {"x": [x]}, config={"op": "scale", "by": 1.5}).outputs["out"][0].tolist() == [
        0,
        150,
        255,
        255,
    ]
    assert run_node(Map, {"x": [x]}, config={"op": "mean"}).outputs["out"][0].tolist() == [139]
    huge = np.array([3e38, -3e38], np.float32)
    assert np.isfinite(
        run_node(Map, {"x": [huge]}, config={"op": "scale", "by": 10.0}).outputs["out"][0]
    ).all()
    assert np.isfinite(run_node(Map, {"x": [huge]}, config={"op": "rms"}).outputs["out"][0]).all()


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"op": "scale"}, "op: scale needs `by`"),
        ({"op": "rms", "by": 2.0}, "op: rms takes no `by`"),
        ({"op": "clip", "low": 0.0}, "op: clip needs `high`"),
        ({"op": "clip", "low": 2.0, "high": 1.0}, "above high"),
        ({"op": "select", "index": [-1]}, "counts from 0"),
        ({"op": "exec"}, "exec"),
    ],
)
def test_wrong_configurations(config, words):
    with pytest.raises(GraphError, match=words):
        run_node(Map, {"x": [np.zeros(3, np.float32)]}, config=config)


def test_select_beyond_the_end():
    with pytest.raises(NodeError, match="names element 3; what came has 3"):
        run_node(Map, {"x": [np.zeros(3, np.float32)]}, config={"op": "select", "index": [3]})
