"""The example of a native node outside of the repository builds, installs and runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "native_node"


@pytest.mark.slow
def test_the_example_builds_and_runs(tmp_path):
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-build-isolation",
        "--no-deps",
        "--target",
        str(tmp_path),
    ]
    subprocess.run([*pip, f"--config-settings=build-dir={tmp_path}/build", str(EXAMPLE)], check=True)
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    command = [
        sys.executable,
        "-m",
        "rtgraph.cli",
        "run",
        str(EXAMPLE / "graph.yaml"),
        "--fast",
        "--duration",
        "1",
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "example.peak_hold" not in done.stderr
    assert "peak" in done.stdout
