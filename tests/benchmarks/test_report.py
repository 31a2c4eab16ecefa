"""benchmarks/report.py: ratios, the order of interleaved runs, the JSON shape and the tables."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from rtgraph.benchmarks.report import (
    Row,
    alternate,
    interleave,
    machine_facts,
    markdown_table,
    print_table,
    ratio,
    write_json,
)


def test_ratio_is_above_one_where_ours_is_better() -> None:
    assert ratio(300.0, 100.0) == pytest.approx(3.0)
    assert ratio(100.0, 300.0, better="lower") == pytest.approx(3.0)
    assert ratio(100.0, 300.0) == pytest.approx(1 / 3)
    assert ratio(7.0, 7.0) == ratio(7.0, 7.0, better="lower") == 1.0


@pytest.mark.parametrize("figure", [0.0, -1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_ratio_refuses_what_is_no_figure_and_names_the_side(figure: float, side: str) -> None:
    figures = {"ours": 1.0, "theirs": 1.0} | {side: figure}
    with pytest.raises(ValueError, match=f"ratio: {side} must be positive"):
        ratio(**figures)


def test_ratio_refuses_an_unknown_direction() -> None:
    with pytest.raises(ValueError, match="'higher' or 'lower'"):
        ratio(1.0, 1.0, better="bigger")  # type: ignore[arg-type]


def test_row_has_no_ratio_without_both_figures() -> None:
    assert Row.compare("hop", "us", 2.0, "peer", 6.0, better="lower").ratio == pytest.approx(3.0)
    assert Row.compare("hop", "us", None, "peer", 6.0).ratio is None
    assert Row.compare("hop", "us", 2.0, "peer", None).ratio is None


def test_candidates_take_turns() -> None:
    order: list[str] = []

    def candidate(name: str) -> Callable[[], int]:
        def measure() -> int:
            order.append(name)
            return len(order)

        return measure

    results = alternate({name: candidate(name) for name in "ABC"}, runs=3)
    assert "".join(order) == "ABCABCABC"
    assert results == {"A": [1, 4, 7], "B": [2, 5, 8], "C": [3, 6, 9]}


def test_interleave_gives_the_median_of_each_candidate() -> None:
    seed = random.randrange(2**32)
    rng = random.Random(seed)
    figures = {name: [rng.uniform(1, 100) for _ in range(5)] for name in "AB"}
    pending = {name: iter(values) for name, values in figures.items()}
    medians = interleave({name: pending[name].__next__ for name in figures}, runs=5)
    assert medians == {name: sorted(values)[2] for name, values in figures.items()}, f"seed {seed}"


@pytest.mark.parametrize("runs", [0, -1])
def test_no_runs_is_an_error(runs: int) -> None:
    with pytest.raises(ValueError, match="runs must be 1 or more"):
        alternate({"A": lambda: 1.0}, runs)


def test_json_has_the_one_shape(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    rows = [
        Row.compare("throughput", "messages/s", 300.0, "csp 0.19.1", 100.0),
        Row.compare("throughput", "messages/s", 300.0, "ezmsg (absent: offline)", None),
    ]
    write_json(path, rows, machine={"gpu": "none"})
    report = json.loads(path.read_text())
    assert list(report) == ["machine", "rows"]
    assert report["machine"] == machine_facts() | {"gpu": "none"}
    assert [list(row) for row in report["rows"]] == [["what", "unit", "ours", "peer", "theirs", "ratio"]] * 2
    assert report["rows"][0]["ratio"] == pytest.approx(3.0)
    assert report["rows"][1]["theirs"] is None
    assert report["rows"][1]["ratio"] is None


def test_json_never_holds_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "report.json", [Row("w", "u", float("nan"), "p", 1.0, None)])


def test_machine_facts_are_known() -> None:
    facts = machine_facts()
    assert set(facts) == {"cpu", "cores", "os", "kernel", "arch", "python"}
    assert all(facts.values())


def test_markdown_table_escapes_and_aligns_its_columns() -> None:
    rows = [
        Row.compare("a | b", "us", 0.123456, "peer", 12345.6, better="lower"),
        Row.compare("c", "us", 1.0, "peer", None),
    ]
    lines = markdown_table(rows).splitlines()
    assert lines[0] == "| what | unit | ours | peer | theirs | ratio |"
    assert lines[2] == r"| a \| b | us | 0.123 | peer | 12,346 | 100,000 |"
    assert lines[3] == "| c | us | 1 | peer | - | - |"


def test_terminal_table_prints_markup_in_names_as_it_is() -> None:
    out = io.StringIO()
    row = Row.compare("shape [4096]", "us", 2.0, "peer [red]", 6.0, better="lower")
    print_table([row], "title", Console(file=out, width=200))
    text = out.getvalue()
    assert "title" in text
    assert "shape [4096]" in text
    assert "peer [red]" in text
    assert text.count("3") == 1  # the ratio
