"""Signals: types, shapes and rates are handed on from node to node, and contradictions told."""

from __future__ import annotations

import pytest
from graph_text import plan

from rtgraph import GraphError, Input, NativeNode, Node, NodeConfig, Output, Source, TensorType, register
from rtgraph.nodes import _native

Sound = TensorType("Sound", "float32", (None,))


@register("test.sound")
class SoundSource(Source):
    class Config(NodeConfig):
        rate: int = 16000

    out = Output(Sound, shape=(3,), rate_hz=100.0, sample_rate_hz="rate")

    def process(self, ctx): ...


@register("test.hears")
class Hears(Node):
    class Config(NodeConfig):
        wanted_hz: int = 16000

    x = Input(Sound, sample_rate_hz="wanted_hz")

    def process(self, x, ctx): ...


@register("test.hears_8k")
class Hears8k(Node):
    x = Input(Sound, sample_rate_hz=8000)

    def process(self, x, ctx): ...


def test_shape_and_rate_are_checked():
    fixed = TensorType("Samples", "float32", (None,))

    @register("test.picky")
    class Picky(Node):
        x = Input(fixed, shape=(4,), rate_hz=50.0)

        def process(self, x, ctx): ...

    with pytest.raises(GraphError) as caught:
        plan("a: {type: test.ramp}\nb: {type: test.picky, inputs: {x: a.out}}")
    assert "sends shape [3]" in str(caught.value)
    assert "sends 100 packets a second" in str(caught.value)
    plan("a: {type: test.ramp, config: {size: 4, rate_hz: 50}}\nb: {type: test.picky, inputs: {x: a.out}}")


def test_a_native_node_needs_a_fixed_size():
    @register("test.loose")
    class Loose(Source):
        out = Output(TensorType("Samples", "float32", (None,)))

        def process(self, ctx): ...

    with pytest.raises(GraphError, match="no fixed size"):
        plan("a: {type: test.loose}\nb: {type: debug.discard, inputs: {x: a.out}}")


def test_a_native_output_needs_a_fixed_size():
    @register("test.open_shape")
    class OpenShape(NativeNode):
        x = Input(TensorType("Samples", "float32", (None,)))
        out = Output(TensorType("Samples", "float32", (None,)))

        def native(self):
            return _native.relay()

    with pytest.raises(GraphError, match=r"output 'out' of test\.open_shape has no fixed size"):
        plan("a: {type: test.ramp}\nb: {type: test.open_shape, inputs: {x: a.out}}")


def test_pass_through_takes_over_type_shape_and_rate():
    made = plan(
        "a: {type: test.ramp, config: {size: 7}}\nb: {type: test.gain, inputs: {x: a.out}}\nc: {type: test.gain, inputs: {x: b.out}}"
    )
    signal = made["c"].outputs["out"]
    assert (signal.type.name, signal.shape, signal.rate_hz) == ("Samples", (7,), 100.0)


def test_a_wrong_sample_rate_is_told_with_both_rates_and_the_remedy() -> None:
    with pytest.raises(GraphError) as caught:
        plan("a: {type: test.sound, config: {rate: 48000}}\nb: {type: test.hears, inputs: {x: a.out}}")
    assert str(caught.value) == (
        "g.yaml:4:37: error: a.out sends 48000 samples a second\n"
        "  b: {type: test.hears, inputs: {x: a.out}}\n"
        "                                    ^~~~~\n"
        "expected: 16000 a second for input 'x' of test.hears: "
        "`rate: 16000` in node 'a', or `wanted_hz: 48000` in node 'b'"
    )
    plan(
        "a: {type: test.sound, config: {rate: 48000}}\n"
        "b: {type: test.hears, config: {wanted_hz: 48000}, inputs: {x: a.out}}"
    )


def test_the_sample_rate_goes_through_nodes_that_pass_sound_on() -> None:
    """And the remedy names the node that decided upon it."""
    chain = (
        "a: {type: test.sound, config: {rate: 48000}}\n"
        "louder: {type: flow.map, config: {op: scale, by: 2}, inputs: {x: a.out}}\n"
    )
    with pytest.raises(GraphError, match=r"louder\.out sends 48000 .*\n.*\n.*\n.*`rate: 8000` in node 'a'$"):
        plan(chain + "b: {type: test.hears_8k, inputs: {x: louder.out}}")


def test_what_is_worked_out_of_sound_has_no_sample_rate() -> None:
    made = plan(
        "a: {type: test.sound}\n"
        "level: {type: flow.map, config: {op: rms}, inputs: {x: a.out}}\n"
        "same: {type: flow.map, config: {op: abs}, inputs: {x: a.out}}\n"
    )
    assert made["same"].outputs["out"].sample_rate_hz == 16000
    assert made["level"].outputs["out"].sample_rate_hz is None


def test_an_unknown_sample_rate_is_no_mistake() -> None:
    @register("test.silent_about_it")
    class Silent(Source):
        out = Output(Sound, shape=(3,))

        def process(self, ctx): ...

    plan("a: {type: test.silent_about_it}\nb: {type: test.hears, inputs: {x: a.out}}")


def test_sounds_of_two_sample_rates_do_not_merge() -> None:
    with pytest.raises(
        GraphError, match=r"b\.out sends Sound\[3\] of 8000 samples/s .*\n(.*\n)*.*of 16000 samples"
    ):
        plan(
            "a: {type: test.sound}\n"
            "b: {type: test.sound, config: {rate: 8000}}\n"
            "c: {type: flow.merge, inputs: {x: [a.out, b.out]}}"
        )


def test_the_microphone_at_48_khz_does_not_fit_the_mel_spectrum() -> None:
    with pytest.raises(GraphError) as caught:
        plan(
            "mic: {type: audio.file, config: {sample_rate: 48000}}\n"
            "mel: {type: audio.mel, inputs: {audio: mic.audio}}\n"
            "gate: {type: audio.speech_gate, inputs: {audio: mic.audio}}"
        )
    assert [(d.line, d.column, d.expected) for d in caught.value.diagnostics] == [
        (4, 42, "16000 a second for input 'audio' of audio.mel: "
         "`sample_rate: 16000` in node 'mic', or `sample_rate_hz: 48000` in node 'mel'"),
        (5, 51, "16000 a second for input 'audio' of audio.speech_gate: `sample_rate: 16000` in node 'mic'"),
    ]  # fmt: skip


def test_a_port_names_a_field_and_an_input_that_there_are() -> None:
    with pytest.raises(TypeError, match=r"Deaf\.out: sample_rate_hz names 'rat', .*its fields: rate"):

        class Deaf(Source):
            class Config(NodeConfig):
                rate: int = 1

            out = Output(Sound, sample_rate_hz="rat")

    with pytest.raises(TypeError, match=r"Odd\.out: like names 'y', which is no input; the inputs: x"):

        class Odd(Node):
            x = Input(Sound)
            out = Output(like="y")
