"""Mistakes in node classes: each is told at its place in the class, or when the class is made."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from rtgraph.cli.app import app

HEAD = """\
import numpy as np
from pydantic import Field
from rtgraph import ANY_TENSOR, Input, InputFile, Node, NodeConfig, Output, TensorType, register
from rtgraph.nodes.audio import AudioChunk

@register("badclass.node")
"""


@pytest.fixture
def answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What `rtgraph check` says of a graph with the node whose class is given, which begins in line 7."""
    monkeypatch.chdir(tmp_path)

    def check(body: str, config: str = "{}", code: int = 2) -> str:
        (tmp_path / "badclass.py").write_text(HEAD + body)
        (tmp_path / "g.yaml").write_text(
            "version: 1\nnodes:\n  mic: {type: audio.file}\n"
            f"  bad: {{type: badclass.node, config: {config}, inputs: {{x: mic.audio}}}}\n"
        )
        sys.modules.pop("badclass", None)
        done = CliRunner().invoke(app, ["check", "g.yaml", "--import", "badclass"])
        assert done.exit_code == code, done.output
        return done.output

    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield check
    sys.modules.pop("badclass", None)
    from rtgraph import registry

    registry._types.pop("badclass.node", None)


@pytest.mark.parametrize("number", [".nan", ".inf", "-.inf"])
@pytest.mark.parametrize("annotation", ["float", "float | None", "tuple[float, float]"])
def test_no_option_takes_a_number_that_is_none(answer: Any, annotation: str, number: str) -> None:
    body = f"""\
class Bad(Node):
    class Config(NodeConfig):
        offset_m: {annotation}
    x = Input(AudioChunk)
    def process(self, x, ctx):
        pass
"""
    value = f"[0, {number}]" if "tuple" in annotation else number
    said = answer(body, f"{{offset_m: {value}}}")
    assert f"cannot be {number.replace('.', '')}" in said
    assert "expected: a finite number" in said


CLASS = """\
class Bad(Node):
    class Config(NodeConfig):
        fall: float = Field({default}, ge=0, lt=1)
    x = Input(AudioChunk)
    out = Output({output})
    {more}
    def process(self, x, ctx):
        return x
"""


def bad_class(default: str = "0.5", output: str = 'like="x"', more: str = "") -> str:
    return CLASS.format(default=default, output=output, more=more)


def test_the_class_is_right_as_it_stands(answer: Any) -> None:
    assert answer(bad_class(), code=0).startswith("ok: ")


def test_a_wrong_default_is_shown_in_the_class(answer: Any) -> None:
    assert answer(bad_class(default="2.0")) == (
        "badclass.py:9:9: error: the default of 'fall' cannot be 2.0; badclass.node says so itself\n"
        "        fall: float = Field(2.0, ge=0, lt=1)\n"
        "        ^" + "~" * 35 + "\n"
        "expected: less than 1\n"
    )
    assert answer(bad_class(default="2.0"), config="{fall: 0.1}", code=0).startswith("ok: ")


MISTAKES = {
    "__init__ with other arguments": (
        bad_class(more="def __init__(self, gain): self.gain = gain\n"),
        r"Bad.__init__ takes (self, gain); the runtime calls it with (config, name). Options belong into the "
        "Config, and what is prepared once into open(self, ctx) (badclass.py:7)",
    ),
    "__init__ that forgets the base": (
        bad_class(more="def __init__(self, config, name=''): self.gain = 1\n"),
        "g.yaml:4:15: error: Bad.__init__ failed: TypeError: it does not call super().__init__(config, name)",
    ),
    "__init__ that fails": (
        bad_class(more="def __init__(self, config, name=''):\n        self.gain = config.gain\n"),
        "Bad.__init__ failed: AttributeError: 'Config' object has no attribute 'gain' (badclass.py:13)",
    ),
    "a port of a type that is none": (
        bad_class(output="np.float32"),
        "Output takes a TensorType, not <class 'numpy.float32'>",
    ),
    "a name for a type": (bad_class(output='"AudioChunk"'), "Output takes a TensorType, not 'AudioChunk'"),
    "an element type that numpy does not know": (
        bad_class(output='TensorType("Level", "float33")'),
        "TensorType 'Level': numpy knows no dtype 'float33'; float32, int64 and uint8 are some (badclass.py:11)",
    ),
    "a port without brackets": (
        bad_class(more="y = Input\n"),
        "Bad.y is the class Input; a port is Input(...) (badclass.py:7)",
    ),
    "an edge that there is not": (
        bad_class(more="y = Input(AudioChunk, edge='lates')\n"),
        "Input takes one of queue, latest, match, not 'lates' (badclass.py:12)",
    ),
    "a shape that asks for a field that there is not": (
        bad_class(output='like="x", shape=lambda c: (c.size,)'),
        "g.yaml:4:15: error: Bad.out cannot tell its shape or rate: AttributeError: 'Config' object has no "
        "attribute 'size' (badclass.py:11)",
    ),
    "an unknown name": (
        bad_class(output="AudioChunks"),
        "name 'AudioChunks' is not defined (badclass.py:11)",
    ),
    "a typing slip": (bad_class(more="def open(self ctx): ..."), "SyntaxError: invalid syntax"),
    "process with other names": (
        bad_class().replace("self, x, ctx", "self, audio, ctx"),
        "Bad.process takes (audio, ctx); its ports ask for (x, ctx) (badclass.py:7)",
    ),
    "an input that is an annotation": (
        bad_class()
        .replace("x = Input(AudioChunk)", "x: Input(AudioChunk)")
        .replace('like="x"', "AudioChunk"),
        "Bad.process takes (x, ctx); its ports ask for (ctx); an input is declared so: x = Input(...) (badclass.py:7)",
    ),
    "open without ctx": (
        bad_class(more="def open(self): ...\n"),
        "Bad.open takes (self); the runtime calls open(self, ctx) (badclass.py:7)",
    ),
    "a port with a name that every node has": (
        bad_class(more="close = Output(AudioChunk)\n"),
        "Bad.close: every node has a 'close'; call the port something else (badclass.py:7)",
    ),
    "a rate that is no method": (
        bad_class(more="rate_hz = 100.0\n"),
        "Bad.rate_hz is 100.0; the runtime calls it: def rate_hz(self): ... (badclass.py:7)",
    ),
    "a node that nothing would fire": (
        bad_class()
        .replace("x = Input(AudioChunk)", "")
        .replace("self, x, ctx", "self, ctx")
        .replace('like="x"', "AudioChunk"),
        "Bad has no inputs, so nothing would ever fire it: class Bad(Source) (badclass.py:6)",
    ),
    "no process": (
        bad_class().replace("def process", "def proces"),
        "Bad has no process(self, x, ctx); it has 'proces' (badclass.py:6)",
    ),
    "a class that is no node": (
        bad_class().replace("Bad(Node)", "Bad"),
        "TypeError: Bad is no node: class Bad(Node) (badclass.py:6)",
    ),
    "a Config that is none of ours": (
        bad_class().replace("Config(NodeConfig)", "Config"),
        "Bad.Config does not derive from NodeConfig: class Config(NodeConfig) (badclass.py:7)",
    ),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_mistake_in_a_class_names_the_line(answer: Any, kind: str) -> None:
    body, expected = MISTAKES[kind]
    said = answer(body)
    assert expected in said
    assert "Traceback" not in said
    assert "badclass.py:" in said or "g.yaml:4:15" in said


@pytest.mark.parametrize(
    ("decorator", "expected"),
    [
        (
            "",
            r'expected: a registered node type; no @register\("badclass.node"\) stands over .*badclass\.Bad\n',
        ),
        ("@register", r'register takes a name: @register\("my.bad"\) \(badclass.py:6\)'),
        ('@register("bad")', "'bad' cannot be a node type; expected family.name"),
        ('@register("my.Bad")', "'my.Bad' cannot be a node type; expected family.name"),
    ],
)
def test_a_class_without_a_name_is_told(
    answer: Any, monkeypatch: pytest.MonkeyPatch, decorator: str, expected: str
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "HEAD", HEAD.replace('@register("badclass.node")', decorator))
    assert re.search(expected, answer(bad_class()))


def test_a_forgotten_import_is_found(answer: Any) -> None:
    answer(bad_class(), code=0)
    from rtgraph import registry

    registry._types.pop("badclass.node")
    for words, expected in (
        (["check", "g.yaml"], "expected: badclass.py has it: --import badclass\n"),
        (["check", "g.yaml", "--import", "badclas"], "did you mean 'badclass'?"),
        (["check", "g.yaml", "--import", "./badclas.py"], "--import ./badclas.py: there is no such file\n"),
        (["nodes", "badclass.node"], "'; expected badclass.py has it: --import badclass\n"),
    ):  # fmt: skip
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 2
        assert expected in done.output


def test_a_module_is_imported_by_its_file_too(answer: Any, tmp_path: Path, monkeypatch: Any) -> None:
    answer(bad_class(), code=0)
    from rtgraph import registry

    registry._types.pop("badclass.node")
    sys.modules.pop("badclass")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    forgotten = CliRunner().invoke(app, ["check", "../g.yaml"])
    assert "badclass.py has it: --import ../badclass.py\n" in forgotten.output
    assert CliRunner().invoke(app, ["check", "../g.yaml", "--import", "../badclass.py"]).exit_code == 0


def test_the_place_of_an_error_is_in_the_users_code(answer: Any) -> None:
    answer(bad_class().replace("return x", "return x * self.config.fal"), code=0)
    done = CliRunner().invoke(app, ["run", "g.yaml", "--import", "badclass", "--fast", "-q"])
    assert done.exit_code == 1
    assert "'Config' object has no attribute 'fal' (badclass.py:14, in process)" in done.output


FILES = """\
class Reads(Node):
    class Config(NodeConfig):
        path: InputFile = "talk.wav"
        other: InputFile | None = None
    x = Input(AudioChunk)
    def process(self, x, ctx): ...
"""


def test_missing_input_files_are_told_where_they_are_named(answer: Any, tmp_path: Path) -> None:
    said = answer(FILES, config="{other: tlak.wav}")
    assert "g.yaml:4:38: error: there is no file 'talk.wav', which is the default of 'path'\n" in said
    assert "g.yaml:4:46: error: there is no file 'tlak.wav'\n" in said
    assert f"expected: a file in {tmp_path}\n" in said
    (tmp_path / "talk.wav").write_bytes(b"")
    said = answer(FILES, config="{other: tlak.wav}")
    assert "'talk.wav'?" in said
    assert said.count("error:") == 1
    assert answer(FILES, config="{other: talk.wav}", code=0).startswith("ok: ")
