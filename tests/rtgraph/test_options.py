"""What changes a graph from outside: variables in the file, and options of the command line."""

from __future__ import annotations

from typing import Any

import pytest
from graph_text import GRAPH, mistakes, rendered

from rtgraph.spec import parse_graph


def variables(declared: str, value: str) -> str:
    return f"version: 1\nvariables: {{{declared}}}\nnodes:\n  a:\n    type: x.y\n    config: {{k: {value}}}\n"


@pytest.mark.parametrize(
    ("declared", "value", "result"),
    [
        ("x: 5", '"${x}"', 5),
        ("x: '5'", '"${x}"', "5"),
        ("x: 1.5", '"${x}s"', "1.5s"),
        ("x: , y: 1", '"${x}"', None),
        ('x: 1, y: "${x}", z: "${y}0"', '"${z}"', "10"),
        ("x: 1", '"${env:RTGRAPH_TEST_SET}"', 12),
        ("x: 1", '"${env:RTGRAPH_TEST_SET} ms"', "12 ms"),
        ("x: 1", '"${env:RTGRAPH_TEST_UNSET:a:b}"', "a:b"),
        ("x: 1", '"${env:RTGRAPH_TEST_UNSET:}"', None),
        ("x: 1", '"$${x} $x $$${x}"', "${x} $x $${x}"),
    ],
)
def test_variables(declared: str, value: str, result: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RTGRAPH_TEST_SET", "12")
    monkeypatch.delenv("RTGRAPH_TEST_UNSET", raising=False)
    config = parse_graph(variables(declared, value))[0].nodes["a"].config
    assert config == {"k": result}
    assert type(config["k"]) is type(result)


@pytest.mark.parametrize(
    ("declared", "value", "line", "marked", "message", "hint"),
    [
        ("clip: 1", '"a ${clp}"', 6, "${clp}", "there is no variable 'clp'", "clip"),
        ("clip: 1", '"a ${clip"', 6, "${clip", "'${' is not closed", None),
        ("clip: 1", '"${ENV:X}"', 6, "${ENV:X}", "'${ENV:X}' names no variable", None),
        ("clip: 1", '"${}"', 6, "${}", "'${}' names no variable", None),
        (
            "clip: 1",
            '"${env:RTGRAPH_TEST_UNSET}"',
            6,
            "${env:RTGRAPH_TEST_UNSET}",
            "the environment variable 'RTGRAPH_TEST_UNSET' is not set and has no default here",
            None,
        ),
        ('a: "${b}", b: "${a}"', '"${a}"', 2, "${a}", "variables refer to each other: a -> b -> a", None),
    ],
)
def test_unresolved_variable(
    declared: str, value: str, line: int, marked: str, message: str, hint: str | None
) -> None:
    (found,) = mistakes(variables(declared, value))
    assert (found.line, found.source[found.column - 1 : found.end_column - 1]) == (line, marked)
    assert (found.message, found.hint) == (message, hint)


def test_an_unresolved_variable_is_told_once_and_hides_no_other_mistake() -> None:
    text = "version: 1\nbudget_ms: ${x}\nclock: ${y}\nnodes: {a: {type: x}}\n"
    assert [d.message for d in mistakes(text)] == [
        "there is no variable 'x'",
        "there is no variable 'y'",
        "'x' is not a node type",
    ]


def test_variables_cannot_grow_without_bound() -> None:
    declared = ["v0: " + "x" * 1000] + [f'v{i}: "{f"${{v{i - 1}}}" * 10}"' for i in range(1, 10)]
    (found,) = mistakes(variables(", ".join(declared), '"${v9}"'))
    assert found.message == "variables make more than 4,000,000 characters"


def test_set_swap_and_variables() -> None:
    spec, source = parse_graph(
        GRAPH,
        overrides=[
            ("mic.path", "other.wav"),
            ("mic.eq.bands", "[1, 2]"),
            ("budget_ms", "20"),
            ("mel.note", ""),
        ],
        swaps={"mel": "audio.mel2", "mic": "audio.microphone"},
        variables={"clip": "unused.wav", "hop_ms": "20"},
    )
    assert spec.budget_ms == 20.0
    assert spec.variables["hop_ms"] == 20
    assert spec.nodes["mic"].type == "audio.microphone"  # and its old config is gone
    assert spec.nodes["mic"].config == {"path": "other.wav", "eq": {"bands": [1, 2]}}
    assert spec.nodes["mel"].inputs["audio"][0].source == "mic.audio"
    assert spec.nodes["mel"].config == {"note": None}
    assert str(source.diagnostic(("nodes", "mic", "config", "eq", "bands", 1), "too loud")) == (
        "--set mic.eq.bands=[1, 2]:1:24: error: too loud\n--set mic.eq.bands=[1, 2]\n" + " " * 23 + "^"
    )
    assert source.diagnostic(("nodes", "mic", "config", "eq"), "m", key=True).column == 7
    assert source.diagnostic(("nodes", "mel", "thread"), "m").file == "<string>"


def test_an_option_with_an_unknown_node_is_shown_in_the_option() -> None:
    assert rendered(GRAPH, overrides=[("mik.path", "x.wav")]) == (
        "--set mik.path=x.wav:1:7: error: there is no node 'mik'\n"
        "--set mik.path=x.wav\n"
        "      ^~~\n"
        "expected: mic, mel\n"
        "did you mean 'mic'?"
    )


@pytest.mark.parametrize(
    ("options", "column", "message"),
    [
        ({"swaps": {"mik": "a.b"}}, 8, "there is no node 'mik'"),
        ({"swaps": {"mic": "file"}}, 12, "'file' is not a node type"),
        ({"overrides": [("clock", "auido")]}, 13, "'clock' cannot be 'auido'"),
        ({"overrides": [("budget", "1")]}, 7, "'budget' cannot be set"),
        ({"overrides": [("mic..path", "1")]}, 7, "'mic..path' names no field"),
        (
            {"overrides": [("mic.path", "[1")]},
            18,
            "a bracket is not closed here (begun in line 1, column 16)",
        ),
        ({"overrides": [("mic.path", "#1")]}, 16, "a value that starts with '#' is a comment"),
        ({"overrides": [("mic.path.x", "1")]}, 11, "'path' is '${clip}', not a mapping"),
        ({"overrides": [("mic.path", "${clap}")]}, 16, "there is no variable 'clap'"),
        ({"variables": {"clap": "1"}}, 7, "the graph declares no variable 'clap'"),
    ],
)
def test_wrong_option(options: dict[str, Any], column: int, message: str) -> None:
    (found,) = mistakes(GRAPH, **options)
    assert found.file.startswith("--")
    assert found.source == found.file
    assert (found.line, found.column, found.message) == (1, column, message)
