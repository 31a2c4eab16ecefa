"""The graph file: what it means, and how each kind of mistake is answered."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rtgraph.errors import Diagnostic, GraphError, NodeError, RtGraphError, suggest
from rtgraph.plain_words import config_diagnostics
from rtgraph.spec import GraphSpec, load_graph, parse_graph
from rtgraph.yaml_source import MAX_BYTES, core_scalar, parse_source

GRAPH = """\
version: 1
clock: manual
budget_ms: 15
frame: mel.mel
variables: {clip: talk.wav, hop_ms: 10, loud: true}
threads: {io: {cpus: [0, 1], priority: 50}, calm: }
nodes:
  mic:
    type: audio.file
    config: {path: "${clip}", hop_ms: "${hop_ms}", title: "${clip} at ${hop_ms} ms, ${loud}", raw: "$${clip}"}
  mel:
    type: audio.mel
    config:
    inputs:
      audio: {from: mic.audio, edge: queue, capacity: 8, overflow: drop_oldest}
      levels: [mic.level, {from: mic.peak, edge: match, tolerance_ms: 2}]
    thread: io
    on_error: skip
"""


def mistakes(text: str, **options: Any) -> list[Diagnostic]:
    with pytest.raises(GraphError) as caught:
        parse_graph(text, "g.yaml", **options)
    return caught.value.diagnostics


def rendered(text: str, **options: Any) -> str:
    return "\n".join(str(d) for d in mistakes(text, **options))


def node(fields: str) -> str:
    """A graph whose node `a` has further fields, in line 3 from column 18 on."""
    return f"version: 1\nnodes:\n  a: {{type: x.y, {fields}}}\n"


def test_a_file_becomes_models() -> None:
    spec, _ = parse_graph(GRAPH)
    assert (spec.version, spec.clock, spec.budget_ms, spec.frame) == (1, "manual", 15.0, "mel.mel")
    assert spec.variables == {"clip": "talk.wav", "hop_ms": 10, "loud": True}
    assert spec.threads["io"].cpus == [0, 1]
    assert spec.threads["io"].priority == 50
    assert spec.threads["calm"].cpus is None
    mic, mel = spec.nodes["mic"], spec.nodes["mel"]
    assert mic.config == {
        "path": "talk.wav",
        "hop_ms": 10,
        "title": "talk.wav at 10 ms, true",
        "raw": "${clip}",
    }
    assert (mel.type, mel.config, mel.thread, mel.isolate, mel.on_error) == (
        "audio.mel",
        {},
        "io",
        "none",
        "skip",
    )
    (audio,) = mel.inputs["audio"]
    assert (audio.node, audio.port, audio.edge, audio.capacity, audio.overflow) == (
        "mic",
        "audio",
        "queue",
        8,
        "drop_oldest",
    )
    level, peak = mel.inputs["levels"]
    assert (level.source, level.edge, level.capacity, level.overflow, level.tolerance_ms) == (
        "mic.level",
        *[None] * 4,
    )
    assert (peak.source, peak.edge, peak.tolerance_ms) == ("mic.peak", "match", 2.0)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("null", None), ("true", True), ("FALSE", False),
        ("12", 12), ("-3", -3), ("007", 7), ("0x1F", 31), ("0o17", 15), ("9" * 5000, float("inf")),
        ("1.5", 1.5), ("1e3", 1000.0), (".5", 0.5), ("-.inf", float("-inf")),
        ("on", "on"), ("off", "off"), ("yes", "yes"), ("No", "No"), ("1_000", "1_000"), ("12:30", "12:30"),
        ("=", "="), ("2024-01-01", "2024-01-01"), ("0b1", "0b1"),
    ],
)  # fmt: skip
def test_scalars_follow_the_core_schema_of_yaml_1_2(text: str, value: object) -> None:
    assert core_scalar(text) == value
    assert type(core_scalar(text)) is type(value)


def test_quoted_scalars_stay_text() -> None:
    assert parse_source("{a: '1', b: \"true\", c: !!str 5}").data == {"a": "1", "b": "true", "c": "5"}


# ------------------------------------------------------------------------------------------ rendering


def test_a_mistake_is_shown_at_its_place() -> None:
    assert rendered("version: 1\nclock: sytem\nnodes: {a: {type: x.y}}\n") == (
        "g.yaml:2:8: error: 'clock' cannot be 'sytem'\n"
        "clock: sytem\n"
        "       ^~~~~\n"
        "expected: system, audio or manual\n"
        "did you mean 'system'?"
    )


def test_an_unknown_field_is_shown_at_its_name() -> None:
    assert rendered(node("inptus: {b: c.d}")) == (
        "g.yaml:3:18: error: node 'a' has no field 'inptus'\n"
        "  a: {type: x.y, inptus: {b: c.d}}\n"
        "                 ^~~~~~\n"
        "expected: type, config, inputs, thread, isolate, on_error\n"
        "did you mean 'inputs'?"
    )


def test_all_mistakes_of_a_file_are_told_in_order_and_once() -> None:
    text = "version: 2\nclok: system\nnodes:\n  a: {tpye: x.y}\n  b: {type: x}\n  b: {type: x.y}\n"
    found = [(d.line, d.column, d.message) for d in mistakes(text)]
    assert found == [
        (1, 10, "'version' cannot be 2"),
        (2, 1, "the graph file has no field 'clok'"),
        (4, 3, "node 'a' has no 'type'"),
        (4, 7, "node 'a' has no field 'tpye'"),
        (5, 13, "'x' is not a node type"),
        (6, 3, "duplicate name 'b' (first in line 5)"),
    ]
    one = Diagnostic("m", "f", 2, 1, 2)
    assert GraphError([one, Diagnostic("m", "f", 1, 1, 2), one]).diagnostics == [
        Diagnostic("m", "f", 1, 1, 2),
        one,
    ]


def test_rendering_keeps_the_caret_under_the_value_and_the_terminal_safe() -> None:
    assert str(Diagnostic("m", "f", 1, 6, 8, "\t日本: xy")).split("\n")[1:] == [
        "\t日本: xy",
        "\t" + " " * 6 + "^~",
    ]
    assert "\x1b" not in str(Diagnostic("a\x1b[31m", "f\x1b", 1, 1, 2, "x\x1b", "\x1b", "\x1b"))
    _, line, caret = str(Diagnostic("m", "f", 1, 5001, 5003, "a" * 5000 + "bc" + "d" * 5000)).split("\n")
    assert len(line) < 200
    assert line[caret.index("^") :].startswith("bc")


def test_errors_survive_pickling() -> None:
    error = NodeError("mel", "wrong shape", port="audio", seq=7, traceback_text="T")
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == "node 'mel', port 'audio', packet 7: wrong shape"
    assert copy.traceback_text == "T"
    graph_error = GraphError([Diagnostic("m", "f", 1, 1, 2)])
    assert str(pickle.loads(pickle.dumps(graph_error))) == str(graph_error) == "f:1:1: error: m"
    assert issubclass(GraphError, RtGraphError)
    assert issubclass(NodeError, RtGraphError)


def test_suggest() -> None:
    assert suggest("Sytem", ["audio", "system"]) == "system"
    assert suggest("zzz", ["audio", "system"]) is None
    assert suggest("a" * 10_000, ["a" * 9_999]) is None


# ------------------------------------------------------------------------------------------ one mistake each


@pytest.mark.parametrize(
    ("text", "place", "message", "expected", "hint"),
    [
        (
            "version: 1\n",
            (1, 1),
            "the graph file has no 'nodes'",
            "nodes: a mapping from names to nodes",
            None,
        ),
        ("version: 1\nnodes: {}\n", (2, 8), "'nodes' is empty", "at least one item", None),
        ("- 1\n", (1, 1), "the graph file cannot be a list", "a mapping", None),
        ("version: '1'\nnodes: {a: {type: x.y}}\n", (1, 10), "'version' cannot be '1'", "1", None),
        (
            "version: 1\nbudget_ms: 0\nnodes: {a: {type: x.y}}\n",
            (2, 12),
            "'budget_ms' cannot be 0",
            "more than 0",
            None,
        ),
        (
            "version: 1\nbudget_ms: .inf\nnodes: {a: {type: x.y}}\n",
            (2, 12),
            "'budget_ms' cannot be inf",
            "a finite number",
            None,
        ),
        (
            "version: 1\nframe: mel\nnodes: {a: {type: x.y}}\n",
            (2, 8),
            "'mel' names no port",
            "node.port",
            None,
        ),
        ("version: 1\nname: 5\nnodes: {a: {type: x.y}}\n", (2, 7), "'name' cannot be 5", "text", None),
        (
            "version: 1\nvariables: {a: [1]}\nnodes: {a: {type: x.y}}\n",
            (2, 16),
            "a variable cannot be a list",
            "text, a number, true, false or null",
            None,
        ),
        (
            "version: 1\nthreads: {t: {priority: 100}}\nnodes: {a: {type: x.y}}\n",
            (2, 25),
            "'priority' cannot be 100",
            "at most 99",
            None,
        ),
        (
            "version: 1\nthreads: {t: {cpus: [0, x]}}\nnodes: {a: {type: x.y}}\n",
            (2, 25),
            "item 2 of 'cpus' cannot be 'x'",
            "a whole number",
            None,
        ),
        (
            "version: 1\nnodes:\n  Big-Mic: {type: x.y}\n",
            (3, 3),
            "'Big-Mic' is not a valid name",
            "a to z, 0 to 9 and _, starting with a letter",
            "big_mic",
        ),
        ("version: 1\nnodes: {a: x.y}\n", (2, 12), "node 'a' cannot be 'x.y'", "a mapping", None),
        (node("isolate: process"), (3, 27), "isolate: process is not available yet", "isolate: none", None),
        (node("on_error: skp"), (3, 28), "'on_error' cannot be 'skp'", "stop or skip", "skip"),
        (
            node("inputs: {b: 5}"),
            (3, 30),
            "an input cannot be 5",
            "node.port, or a mapping with 'from'",
            None,
        ),
        (
            node("inputs: {b: []}"),
            (3, 30),
            "an input cannot be an empty list",
            "node.port, or no such input",
            None,
        ),
        (node("inputs: {b: [c.d, e]}"), (3, 36), "'e' names no port", "node.port", None),
        (
            node("inputs: {b: {edge: queue}}"),
            (3, 27),
            "input 'b' of node 'a' has no 'from'",
            "from: node.port",
            None,
        ),
        (
            node("inputs: {b: {from: c.d, edge: last}}"),
            (3, 48),
            "'edge' cannot be 'last'",
            "queue, latest or match",
            "latest",
        ),
        (
            node("inputs: {b: {from: c.d, capacity: 65537}}"),
            (3, 52),
            "'capacity' cannot be 65537",
            "at most 65536",
            None,
        ),
        (
            node("inputs: {b: {from: c.d, edge: latest, capacity: 2}}"),
            (3, 66),
            "'capacity' has no meaning with edge: latest",
            "edge: queue, or no such field",
            None,
        ),
        (
            node("inputs: {b: {from: c.d, edge: match, overflow: block}}"),
            (3, 65),
            "'overflow' has no meaning with edge: match",
            "edge: queue, or no such field",
            None,
        ),
        (
            node("inputs: {b: {from: c.d, tolerance_ms: 2}}"),
            (3, 56),
            "'tolerance_ms' has no meaning with no 'edge' given",
            "edge: match, or no such field",
            None,
        ),
    ],
)
def test_wrong_value(
    text: str, place: tuple[int, int], message: str, expected: str, hint: str | None
) -> None:
    (found,) = mistakes(text)
    assert ((found.line, found.column), found.message, found.expected, found.hint) == (
        place,
        message,
        expected,
        hint,
    )


@pytest.fixture(params=["libyaml", "python"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "python":
        monkeypatch.delattr("yaml.CSafeLoader", raising=False)


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(
    ("text", "place", "part"),
    [
        ("", (1, 1), "the file is empty"),
        ("\n# only a comment\n", (1, 1), "the file is empty"),
        ("nodes:\n\ta: 1\n", (2, 1), "a tab cannot indent YAML"),
        ("a: b: c\n", (1, 5), "a ':' has no place here"),
        ("a: [1, 2\n", (1, 9), "a bracket is not closed here"),
        ("a: 'text\nb: 1\n", (1, 4), "these quotes are never closed"),
        ("a: 1\nbc\nd: 2\n", (2, 1), "there is no ':' after this name"),
        ("a: @x\n", (1, 4), "a value cannot start with this character"),
        ("a: {path: ${clip}}\n", (1, 11), "${...} inside { } or [ ] needs quotes"),
        ("a: *anchr\nb: &anchor 1\n", (1, 4), "there is no anchor '&anchr' before this alias"),
        ("a: &x [*x]\n", (1, 8), "alias '*x' stands for a value that contains itself"),
        ("? [a]\n: b\n", (1, 3), "a mapping's key must be a name"),
        ("a: x\x07\n", (1, 5), "character U+0007 is not allowed"),
        ("[" * 5000, (1, 66), "nested more than 64 deep"),
        ("version: 1\n---\nb: 2\n", (2, 1), "a second document starts here"),
        ("a: !!python/object:os.x {}\n", (1, 4), "tags (!name) are not part of graph files"),
    ],
)
def test_syntax_error(text: str, place: tuple[int, int], part: str) -> None:
    assert [(d.line, d.column) for d in mistakes(text) if d.message.startswith(part)] == [place]


def test_aliases_are_copies_with_places_of_their_own() -> None:
    text = "version: 1\nnodes:\n  a: &n {type: x.y, config: {k: 1}}\n  b: *n\n"
    spec, source = parse_graph(text, overrides=[("b.k", "2")])
    assert spec.nodes["a"].config == {"k": 1}
    assert spec.nodes["b"].config == {"k": 2}
    assert source.diagnostic(("nodes", "b"), "m").line == 4


def test_alias_expansion_is_bounded() -> None:
    rows = ["a0: &a0 [1]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    (found,) = mistakes("\n".join(rows))
    assert found.message == "aliases add more than 10,000 values"


# ------------------------------------------------------------------------------------------ variables


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


# ------------------------------------------------------------------------------------------ options


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


# ------------------------------------------------------------------------------------------ files


def file_mistake(path: Path) -> Diagnostic:
    with pytest.raises(GraphError) as caught:
        load_graph(path)
    (found,) = caught.value.diagnostics
    return found


def test_a_file_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "g.yaml"
    path.write_text("\ufeff" + GRAPH, encoding="utf-8")
    spec, source = load_graph(path)
    assert isinstance(spec, GraphSpec)
    assert source.path == str(path)
    assert source.text == GRAPH


def test_missing_file_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "hello_audio.yaml").write_text(GRAPH)
    path = tmp_path / "helo_audio.yaml"
    found = file_mistake(path)
    assert found.message == f"there is no file {path}"
    assert found.hint == str(tmp_path / "hello_audio.yaml")
    assert file_mistake(tmp_path / "no" / "g.yaml").message == f"there is no folder {tmp_path / 'no'}"
    assert file_mistake(tmp_path).message == f"{tmp_path} is a folder"


@pytest.mark.parametrize(
    ("content", "place", "message"),
    [
        (b"version: 1\n# caf\xe9\n", (2, 6), "byte 0xe9 is not UTF-8"),
        (b"\x7fELF\x00\x01", (1, 1), "this is a binary file"),
        (b"#" * (MAX_BYTES + 1), (1, 1), "the file is larger than 4,000,000 bytes"),
        (b"", (1, 1), "the file is empty"),
    ],
)
def test_unreadable_content(tmp_path: Path, content: bytes, place: tuple[int, int], message: str) -> None:
    path = tmp_path / "g.yaml"
    path.write_bytes(content)
    found = file_mistake(path)
    assert ((found.line, found.column), found.message) == (place, message)


# ------------------------------------------------------------------------------------------ a node's Config


class Band(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: Literal["band"]
    centre_hz: float = Field(gt=0)


class Shelf(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: Literal["shelf"]
    slope: float


class Config(BaseModel):
    model_config = ConfigDict(extra="forbid")
    path: str = Field(description="a sound file")
    device: int | str = "default"
    gain: float = 1.0
    filters: list[Band | Shelf] = []
    eq: Band | Shelf | None = Field(default=None, discriminator="kind")


@pytest.mark.parametrize(
    ("config", "marked", "message", "expected", "hint"),
    [
        ("{gain: 2}", "config", "the config of node 'a' has no 'path'", "path: a sound file", None),
        (
            "{path: a, gian: 2}",
            "gian",
            "the config of node 'a' has no field 'gian'",
            "path, device, gain, filters, eq",
            "gain",
        ),
        ("{path: a, gain: loud}", "loud", "'gain' cannot be 'loud'", "a number", None),
        ("{path: a, device: [1]}", "[1]", "'device' cannot be a list", "a whole number or text", None),
        ("{path: a, eq: {kind: band, centre_hz: -1}}", "-1", "'centre_hz' cannot be -1", "more than 0", None),
        (
            "{path: a, eq: {kind: shelf, slop: 1, slope: 2}}",
            "slop",
            "'eq' has no field 'slop'",
            "kind, slope",
            "slope",
        ),
        (
            "{path: a, eq: {kind: bend}}",
            "{kind: bend}",
            "'eq' cannot be of kind 'bend'",
            "band, shelf",
            "band",
        ),
    ],
)
def test_mistake_in_a_config(config: str, marked: str, message: str, expected: str, hint: str | None) -> None:
    _, source = parse_graph(node(f"config: {config}"), "g.yaml")
    prefix = ("nodes", "a", "config")
    with pytest.raises(ValidationError) as caught:
        Config.model_validate(source.value(prefix))
    (found,) = config_diagnostics(source, prefix, caught.value, Config)
    assert found.source[found.column - 1 : found.end_column - 1] == marked
    assert (found.message, found.expected, found.hint) == (message, expected, hint)


def test_a_config_that_is_not_written_is_shown_at_its_node() -> None:
    _, source = parse_graph("version: 1\nnodes:\n  a:\n    type: x.y\n", "g.yaml")
    with pytest.raises(ValidationError) as caught:
        Config.model_validate({})
    (found,) = config_diagnostics(source, ("nodes", "a", "config"), caught.value, Config)
    assert (found.line, found.column) == (3, 3)


def test_the_loader_stays_light() -> None:
    code = "import sys, rtgraph.spec; print([m for m in ('torch', 'rich', 'typer') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
