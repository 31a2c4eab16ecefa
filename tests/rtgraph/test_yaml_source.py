"""Reading YAML: scalars, aliases, syntax errors, files that are none."""

from __future__ import annotations

from pathlib import Path

import pytest
from graph_text import GRAPH, mistakes

from rtgraph.errors import Diagnostic, GraphError
from rtgraph.spec import GraphSpec, load_graph, parse_graph
from rtgraph.yaml_reader import core_scalar
from rtgraph.yaml_source import MAX_BYTES, parse_source


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


def test_what_is_mistaken_for_a_graph_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "peak.py").write_text("import numpy\n")
    found = file_mistake(Path("peak.py"))
    assert found.message == "peak.py is Python"
    assert found.expected == "a graph file; --import peak makes the node types of this one known"
    found = file_mistake(Path("hello_audo"))
    assert found.hint == "hello_audio"
    assert "or a bundled graph: " in (found.expected or "")
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    assert "cannot be read: Too many levels of symbolic links" in file_mistake(Path("loop.yaml")).message


@pytest.mark.parametrize(
    ("content", "place", "message"),
    [
        (b"version: 1\n# caf\xe9\n", (2, 6), "byte 0xe9 is not UTF-8"),
        (b"\x7fELF\x00\x01", (1, 1), "this is a binary file"),
        (b"#" * (MAX_BYTES + 1), (1, 1), "the file is larger than 4,000,000 bytes"),
        (b"", (1, 1), "the file is empty"),
        ("version: 1\n".encode("utf-16"), (1, 1), "this text is UTF-16"),
        (b"hello\n", (1, 1), "a graph file cannot be 'hello'"),
        (b"nodes:\n  a:\n\t\ttype: x.y\n", (3, 1), "a tab cannot indent YAML"),
        (b"[" * 100_000, (1, 66), "nested more than 64 deep"),
        (
            b"a: &a [x]\nb: &b [" + b"*a, " * 9999 + b"*a]\nc: *b\n",
            (2, 20008),
            "aliases add more than 10,000 values",
        ),
    ],
)
def test_unreadable_content(tmp_path: Path, content: bytes, place: tuple[int, int], message: str) -> None:
    path = tmp_path / "g.yaml"
    path.write_bytes(content)
    found = file_mistake(path)
    assert ((found.line, found.column), found.message) == (place, message)
