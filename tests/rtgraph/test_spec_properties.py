"""Random edits of valid graph files: the loader answers with a graph or with diagnostics inside the file."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rtgraph.errors import GraphError
from rtgraph.spec import GraphSpec, load_graph, parse_graph

FILES = (
    """\
version: 1
clock: system
budget_ms: 15
nodes:
  mic:     {type: audio.microphone, config: {device: default, hop_ms: 10}}
  mel:     {type: audio.mel, inputs: {audio: mic.audio}}
  encoder: {type: face.online_encoder, inputs: {mel: mel.mel, eyes: {from: eyes.features, edge: latest}}}
  eyes:    {type: eye.synthetic, thread: cameras, on_error: skip}
""",
    """\
# Variables, threads, several producers of one port.
version: 1
name: "wiring"
doc: |
  Two lines of
  text.
clock: manual
frame: out.merged
variables:
  clip: clips/talk.wav
  gain: 0.5
  both: "${clip} at ${gain}"
threads:
  io: {cpus: [0, 1], priority: 50}
nodes:
  left: &source
    type: audio.file
    config:
      path: ${clip}
      note: 'costs $${5}'
      gain: ${env:RTGRAPH_TEST_UNSET:1.5}
  right: *source
  out:
    type: flow.merge
    thread: io
    inputs:
      in:
        - left.audio
        - {from: right.audio, edge: queue, capacity: 8, overflow: drop_oldest}
      clock: {from: left.audio, edge: match, tolerance_ms: 2.5}
""",
    "version: 1\r\nnodes:\r\n  a:\r\n    type: debug.print\r\n    inputs: {x: [b.y]}\r\n  b: {type: x.y}\r\n",
)
TOKENS = re.compile(r"\s+|\w+|[^\w\s]")
SNIPPETS = [
    "${", "}", "$${", "&a ", "*a", "!!str ", "- ", ": ", "---\n", "[", "{", '"', "'", "|", "#", "? ",
    "%", "<<", "1e999", "0x", ".nan", "9" * 5000, "\t", "\n", "\ufeff", "\u2028", "\x00", "\ud800",
]  # fmt: skip
LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


@st.composite
def edited_files(draw: st.DrawFn) -> str:
    """A valid file after one to six random edits."""
    text = draw(st.sampled_from(FILES))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(text)))
        kind = draw(
            st.sampled_from(("insert", "delete", "replace", "drop line", "double line", "swap", "cut"))
        )
        if kind in ("insert", "replace"):
            new = draw(st.one_of(st.sampled_from(SNIPPETS), st.text(max_size=5)))
            text = text[:at] + new + text[at + (len(new) if kind == "replace" else 0) :]
        elif kind == "delete":
            text = text[:at] + text[at + draw(st.integers(1, 8)) :]
        elif kind in ("drop line", "double line"):
            lines = text.splitlines(keepends=True) or [""]
            number = draw(st.integers(0, len(lines) - 1))
            lines[number : number + 1] = [] if kind == "drop line" else [lines[number]] * 2
            text = "".join(lines)
        elif kind == "swap":
            tokens = TOKENS.findall(text) or [""]
            one, other = (draw(st.integers(0, len(tokens) - 1)) for _ in range(2))
            tokens[one], tokens[other] = tokens[other], tokens[one]
            text = "".join(tokens)
        else:
            text = text[:at]
    return text


def check_answer(error: GraphError, texts: dict[str, str]) -> None:
    """Every diagnostic lies in one of the named texts, shows the very line, and can be printed anywhere."""
    assert error.diagnostics
    for diagnostic in error.diagnostics:
        lines = LINE_BREAK.split(texts[diagnostic.file].removeprefix("\ufeff"))
        assert 1 <= diagnostic.line <= len(lines)
        line = lines[diagnostic.line - 1]
        assert diagnostic.source == line
        assert 1 <= diagnostic.column <= len(line) + 1
        assert diagnostic.column < diagnostic.end_column <= len(line) + 2
        assert diagnostic.message
    str(error).encode("utf-8")
    assert all(c.isprintable() or c in "\t\n" for c in str(error))


@pytest.mark.parametrize("text", FILES)
def test_the_files_are_valid_as_they_stand(text: str) -> None:
    assert isinstance(parse_graph(text)[0], GraphSpec)


@settings(max_examples=400, deadline=None)
@given(edited_files())
def test_edited_file_never_crashes_the_loader(text: str) -> None:
    try:
        spec, source = parse_graph(text, "g.yaml")
    except GraphError as error:
        check_answer(error, {"g.yaml": text})
    else:
        assert isinstance(spec, GraphSpec)
        assert source.diagnostic(("nodes",), "m").line >= 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=edited_files())
def test_edited_file_never_crashes_the_loader_without_libyaml(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("yaml.CSafeLoader", raising=False)
    try:
        parse_graph(text, "g.yaml")
    except GraphError as error:
        check_answer(error, {"g.yaml": text})


OPTION_TEXT = st.one_of(
    st.text(max_size=12),
    st.lists(
        st.sampled_from((*SNIPPETS, "left", "out", ".", "config", "clock", "budget_ms", "1", "a.b", ", ")),
        max_size=6,
    ).map("".join),
)


@settings(max_examples=200, deadline=None)
@given(key=OPTION_TEXT, value=OPTION_TEXT, flag=st.sampled_from(("--set", "--swap", "--var")))
def test_random_option_never_crashes_the_loader(key: str, value: str, flag: str) -> None:
    options = {"--set": "overrides", "--swap": "swaps", "--var": "variables"}
    given_options = {options[flag]: [(key, value)] if flag == "--set" else {key: value}}
    option = f"{flag} {key}={value}"
    try:
        parse_graph(FILES[1], "g.yaml", **given_options)  # type: ignore[arg-type]
    except GraphError as error:
        check_answer(error, {"g.yaml": FILES[1], LINE_BREAK.split(option)[0]: option})


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=64) | edited_files().map(lambda text: text.encode("utf-16", "surrogatepass")))
def test_any_bytes_are_answered(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes.yaml"
    path.write_bytes(content)
    with pytest.raises(GraphError) as caught:  # 64 bytes at random are no graph
        load_graph(path)
    for diagnostic in caught.value.diagnostics:
        assert diagnostic.line >= 1
        assert diagnostic.column >= 1
