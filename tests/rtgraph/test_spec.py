"""The graph file: what it means, and how each wrong value in it is answered."""

from __future__ import annotations

import subprocess
import sys

import pytest
from graph_text import GRAPH, mistakes, node, rendered

from rtgraph.errors import Diagnostic, GraphError
from rtgraph.spec import parse_graph


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
        ("- 1\n", (1, 1), "a graph file cannot be a list", "a mapping that starts with 'version: 1'", None),
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
            "version: 1\nframe: Mel\nnodes: {a: {type: x.y}}\n",
            (2, 8),
            "'Mel' names no port",
            "node.port; `rtgraph nodes TYPE` lists the ports",
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
        (
            "version: 1\nnodes: {a: {type: my.Peak}}\n",
            (2, 19),
            "'my.Peak' is not a node type",
            "family.name, such as audio.file",
            "my.peak",
        ),
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
        (
            node("inputs: {b: [c.d, E]}"),
            (3, 36),
            "'E' names no port",
            "node.port; `rtgraph nodes TYPE` lists the ports",
            None,
        ),
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


def test_a_colon_without_a_space_is_told() -> None:
    _, found = mistakes("version: 1\nnodes: {a: {type:x.y}}\n")
    assert (found.message, found.expected) == ("'type:x.y' is one word", "a space behind the ':'")
    assert (found.line, found.column, found.hint) == (2, 13, "type: x.y")


def test_the_loader_stays_light() -> None:
    code = "import sys, rtgraph.spec; print([m for m in ('torch', 'rich', 'typer') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
