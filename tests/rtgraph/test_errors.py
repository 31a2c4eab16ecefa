"""Errors: how a diagnostic is drawn, what survives pickling, which names are near."""

from __future__ import annotations

import pickle

from rtgraph.errors import Diagnostic, GraphError, NodeError, RtGraphError, suggest


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
