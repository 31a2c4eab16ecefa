"""The installed command as a process: signals, exit codes, start-up."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rtgraph.cli.follow import follow, still_running
from rtgraph.cli.interrupts import Interrupts
from rtgraph.planner import plan_text
from rtgraph.registry import import_module
from rtgraph.scheduler import Runner

COMMAND = [sys.executable, "-c", "from rtgraph.cli import main; main()"]
GRAPH = """\
version: 1
nodes:
  pulse: {type: debug.pulse, config: {size: 4, rate_hz: 200}}
  slow: {type: cliproc.slow, config: {seconds: 0}, inputs: {x: {from: pulse.out, capacity: 64}}}
"""
NODE = """\
import time
from rtgraph import ANY_TENSOR, Input, Node, NodeConfig, register

@register("cliproc.slow")
class Slow(Node):
    class Config(NodeConfig):
        seconds: float
    x = Input(ANY_TENSOR)

    def process(self, x, ctx):
        if ctx.seq == 3:
            print("going", flush=True)
        time.sleep(self.config.seconds)

    def close(self):
        print("closed", flush=True)
"""


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("g.yaml").write_text(GRAPH)
    Path("cliproc.py").write_text(NODE)


def start(*words: str) -> subprocess.Popen[str]:
    """`rtgraph run` in a process of its own, once packets flow."""
    process = subprocess.Popen(
        [*COMMAND, "run", "g.yaml", "--import", "cliproc", "--profile-json", "p.json", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "going\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_ends_cleanly(number: signal.Signals) -> None:
    process = start()
    process.send_signal(number)
    shown, told = process.communicate(timeout=60)
    assert process.returncode == 0, told
    assert "pulse -> slow" in shown
    assert "closed" in shown
    assert "stopping; interrupt again" in told
    profile = json.loads(Path("p.json").read_text())
    assert profile["nodes"]["slow"]["count"] == profile["edges"]["pulse.out -> slow.x"]["passed"]


def test_a_second_signal_ends_at_once() -> None:
    process = start("--set", "slow.seconds=0.5", "--set", "pulse.rate_hz=1000")
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert process.stderr.readline().startswith("stopping")
    process.send_signal(signal.SIGINT)
    shown, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "pulse -> slow" in shown
    assert "closed" in shown
    profile = json.loads(Path("p.json").read_text())
    assert profile["nodes"]["slow"]["count"] < profile["edges"]["pulse.out -> slow.x"]["passed"]


def test_a_node_that_hangs_does_not_keep_the_process() -> None:
    Path("cliproc.py").write_text(
        NODE.replace("time.sleep(self.config.seconds)", "time.sleep(600 * (ctx.seq == 3))")
    )
    process = start()
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert process.stderr.readline().startswith("stopping")
    process.send_signal(signal.SIGTERM)
    shown, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "does not return" in told
    assert "edges between threads" in shown
    assert Path("p.json").exists()


def test_a_slow_end_says_which_nodes_still_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(".")
    import_module("cliproc")
    text = GRAPH.replace("rate_hz: 200", "rate_hz: 2000").replace("seconds: 0", "seconds: 0.05")
    interrupts = Interrupts()
    told: list[str] = []
    interrupts.count = 1
    with Runner(plan_text(text)) as runner:
        runner.start()
        while not still_running(runner.profile(), runner.plan):
            runner.wait(0.01)
        runner.wait(0.3)
        assert follow(runner, interrupts, told.append, drain_notice_s=0.3)
        runner.finish()
        assert still_running(runner.profile(), runner.plan) == []
    assert told[0].startswith("stopping")
    assert told[1] == "waiting for nodes that still run: slow"


def test_check_starts_quickly_and_lightly() -> None:
    """Other commands, rich and torch stay out. Its time is no test's business: machines are busy."""
    code = (
        "import sys\nfrom rtgraph.cli import main\ntry: main()\nfinally: print(*sys.modules, file=sys.stderr)"
    )
    words = [sys.executable, "-c", code, "check", "g.yaml", "--swap", "slow=debug.discard"]
    result = subprocess.run(words, capture_output=True, text=True, check=True)
    assert result.stdout.startswith("ok: 2 nodes")
    loaded = set(result.stderr.split())
    assert "rtgraph.cli.check" in loaded
    others = ("run", "show", "nodes", "new_node", "bench")
    assert not loaded & {f"rtgraph.cli.{name}" for name in others}
    assert not loaded & {"rich", "torch", "soundfile", "matplotlib", "rtgraph.scheduler"}


def test_what_new_node_makes_runs() -> None:
    seed = int(np.random.default_rng().integers(1000))
    name = f"smooth_{seed}"
    made = subprocess.run(
        [*COMMAND, "new-node", name, "--dir", "sub/dir", "--family", "lab"],
        capture_output=True,
        text=True,
        check=True,
    )
    next_steps = [line.strip() for line in made.stdout.splitlines()[1:]]
    assert next_steps[:3] == [
        "cd sub/dir",
        f"rtgraph run {name}.yaml --import {name}",
        f"pytest test_{name}.py",
    ]
    folder = Path("sub/dir")
    run = subprocess.run(
        [*COMMAND, *next_steps[1].split()[1:], "--fast", "--profile-json", "p.json"],
        cwd=folder,
        capture_output=True,
    )
    assert run.returncode == 0, run.stderr
    assert json.loads((folder / "p.json").read_text())["nodes"][name]["count"] == 100
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", f"test_{name}.py"], cwd=folder, capture_output=True, text=True
    )
    assert tests.returncode == 0, tests.stdout
    assert "4 passed" in tests.stdout


def test_a_package_that_a_command_misses_while_it_works_names_the_extra() -> None:
    program = "import sys\nfrom rtgraph.cli import main\nsys.modules['scipy'] = None\nmain()"
    words = ["train", "--data", ".", "-o", "a.safetensors"]
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "pip install 'rtgraph[train]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_interrupt_while_it_starts_is_no_traceback() -> None:
    program = (
        "import os, signal, sys\nfrom rtgraph.cli import main\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # ignored where started by nohup
        "class Impatient:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'typer': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Impatient())\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", program, "--help"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (130, "interrupted\n")
