"""What a run's figures show that is seldom meant: silent outputs, nodes that never ran, NaN and Inf."""

from __future__ import annotations

import time
from io import StringIO
from typing import Literal

import numpy as np
import pytest
from graph_text import nodes
from rich.console import Console
from typer.testing import CliRunner

from rtgraph import ANY_TENSOR, EndOfStream, Input, Node, NodeConfig, Output, Source, register
from rtgraph.cli.app import app
from rtgraph.planner import plan_text
from rtgraph.profiler import Profile
from rtgraph.remarks import remarks
from rtgraph.scheduler import Runner
from rtgraph.value_check import found_values, with_value_checks, without_checks


@register("test.mute")
class Mute(Node):
    """Sends on `out`, and never on `other`."""

    x = Input(ANY_TENSOR)
    out = Output(like="x")
    other = Output(like="x")

    def process(self, x, ctx):
        return {"out": x}


@register("test.spoils")
class Spoils(Node):
    """Puts `value` into the packets from number `at` on."""

    class Config(NodeConfig):
        value: Literal["nan", "inf", "-inf"] = "nan"
        at: int = 2

    x = Input(ANY_TENSOR)
    out = Output(like="x")

    def process(self, x, ctx):
        y = x.copy()
        if x[0] >= self.config.at:
            y[-1] = float(self.config.value)
        return y


def run(text: str) -> Profile:
    with Runner(plan_text(nodes(text)), clock="manual") as runner:
        runner.run()
        return runner.profile()


def test_a_run_in_which_all_sent_has_no_remarks() -> None:
    assert remarks(run("  a: {type: test.ramp}\n  end: {type: debug.discard, inputs: {x: a.out}}\n")) == []


def test_a_silent_output_is_told_with_whom_it_left_waiting() -> None:
    profile = run(
        "  a: {type: test.ramp}\n"
        "  mute: {type: test.mute, inputs: {x: a.out}}\n"
        "  join: {type: test.add, inputs: {a: mute.out, b: mute.other}}\n"
        "  end: {type: debug.discard, inputs: {x: join.out}}\n"
    )
    assert remarks(profile) == [
        "mute ran 5 times and never sent anything on 'other', to join",
        "join never ran: packets came on 'a', but none on 'b'",
        "never ran: end",
    ]


def test_an_output_that_nobody_wants_may_be_silent() -> None:
    assert remarks(run("  a: {type: test.ramp}\n  mute: {type: test.mute, inputs: {x: a.out}}\n")) == []


@register("test.slow_tick")
class SlowTick(Source):
    """Takes four periods a packet."""

    out = Output(ANY_TENSOR)

    def rate_hz(self) -> float:
        return 100.0

    def process(self, ctx):
        if ctx.seq > 1000:
            raise EndOfStream
        ctx.elapse(40_000_000)
        return np.zeros(1, np.float32)


def test_a_source_that_cannot_keep_its_rate_is_told() -> None:
    profile = run("  slow: {type: test.slow_tick}\n")
    assert profile.nodes["slow"].counters["skipped_ticks"] > 600
    assert any("slow left out" in said and "lower rate" in said for said in remarks(profile))


@register("test.sleepy")
class Sleepy(Node):
    """Takes 50 ms a packet."""

    x = Input(ANY_TENSOR)

    def process(self, x, ctx):
        time.sleep(0.05)


def test_a_thread_with_too_much_to_do_is_told_and_not_the_timer() -> None:
    text = nodes(
        "  a: {type: test.ramp, config: {count: 20, rate_hz: 100}}\n"
        "  slow: {type: test.sleepy, inputs: {x: a.out}}\n"
    )
    with Runner(plan_text(text)) as runner:
        runner.run()
        profile = runner.profile()
    assert any("'a' had work all the time, most of it in slow" in said for said in remarks(profile))
    with StringIO() as shown:
        Console(file=shown, width=200).print(profile.table())
        assert "timer lateness" not in shown.getvalue()


def test_an_empty_source_is_told() -> None:
    profile = run("  a: {type: test.ramp, config: {count: 0}}\n  b: {type: test.gain, inputs: {x: a.out}}\n")
    assert remarks(profile) == ["a ran once and never sent anything on 'out', to b", "never ran: b"]


SPOILT = nodes(
    "  a: {type: test.ramp}\n"
    "  fine: {type: test.gain, inputs: {x: a.out}}\n"
    "  bad: {type: test.spoils, inputs: {x: fine.out}, config: {at: 4}}\n"
    "  relay: {type: debug.relay, inputs: {x: bad.out}}\n"
    "  end: {type: debug.discard, inputs: {x: relay.out}}\n"
)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_checked_values_name_every_output_with_nan_or_inf(value: str) -> None:
    plan = with_value_checks(plan_text(SPOILT, overrides=[("bad.value", value)]))
    with Runner(plan, clock="manual") as runner:
        runner.run()
        profile = without_checks(runner.profile())
    assert found_values(plan) == [
        f"{output} sent NaN or Inf in 3 of 5 packets, first in packet 2"
        for output in ("bad.out", "relay.out")
    ]
    assert list(profile.nodes) == ["a", "fine", "bad", "relay", "end"]
    assert list(profile.paths) == ["a -> end"]
    assert len(profile.edges) == 4


def test_checking_values_changes_no_result() -> None:
    from rtgraph.testing import record

    plain = record(plan_text(SPOILT), {"y": "relay.out"})
    checked = record(with_value_checks(plan_text(SPOILT)), {"y": "relay.out"})
    np.testing.assert_array_equal(plain.stacked("y"), checked.stacked("y"))
    assert plain.timestamps_ns == checked.timestamps_ns


def test_the_command_says_what_it_found(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "g.yaml").write_text(SPOILT)
    told = CliRunner().invoke(app, ["run", "g.yaml", "--fast", "--check-values"])
    assert told.exit_code == 1, told.output
    assert "bad.out sent NaN or Inf in 3 of 5 packets, first in packet 2" in told.output
    assert "values of" not in told.output
    clean = CliRunner().invoke(app, ["run", "g.yaml", "--fast", "--check-values", "--set", "bad.at=100"])
    assert clean.exit_code == 0
    assert "no NaN and no Inf in what nodes sent" in clean.output
    assert "NaN" not in CliRunner().invoke(app, ["run", "g.yaml", "--fast"]).output


def test_the_table_ends_with_the_remarks(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "g.yaml").write_text(
        nodes("  a: {type: test.ramp, config: {count: 0}}\n  b: {type: test.gain, inputs: {x: a.out}}\n")
    )
    told = CliRunner().invoke(app, ["run", "g.yaml", "--fast"]).output
    assert told.endswith("note: a ran once and never sent anything on 'out', to b\nnote: never ran: b\n")
