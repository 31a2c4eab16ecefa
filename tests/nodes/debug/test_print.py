"""debug.print: what a line says."""

from __future__ import annotations

import numpy as np

from rtgraph.nodes.debug.print import Print, describe
from rtgraph.testing import run_node


def test_every_third_packet(capfd):
    run_node(Print, {"x": [np.full((2, 3), k, np.float32) for k in range(7)]}, config={"every": 3})
    lines = capfd.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == ["#0", "#3", "#6"]
    assert lines[1] == "node #3  t=0.030000 s  age=0.00 ms  float32 [2, 3]  min=3 max=3 mean=3"


def test_any_array_can_be_described():
    assert describe(np.zeros(0, np.float32)) == "float32 [0]"
    assert describe(np.array(2.5)) == "float64 []  2.5"
    assert describe(np.array([True, False])) == "bool [2]  min=0 max=1 mean=0.5"
    assert describe(np.array(["a"])) == "<U1 [1]"


def test_what_is_not_finite_is_counted_apart():
    x = np.array([np.nan, 1, np.inf, 3, -np.inf], np.float32)
    assert describe(x) == "float32 [5]  1 NaN, 2 Inf; of the others  min=1 max=3 mean=2"
    assert describe(np.full(2, np.nan)) == "float64 [2]  2 NaN, 0 Inf"
