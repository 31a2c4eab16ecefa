"""What importing and starting costs, where it can be said without a stopwatch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def modules_after(code: str, folder: Path) -> set[str]:
    script = f"{code}\nimport sys\nprint(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_import_loads_nothing_heavy(tmp_path):
    loaded = modules_after("import rtgraph", tmp_path)
    assert not loaded & {"numpy", "pydantic", "torch", "yaml", "rich", "typer"}


def test_the_cpu_run_path_imports_no_torch(tmp_path):
    loaded = modules_after(
        "from rtgraph.planner import load_plan\n"
        "from rtgraph.files import find_graph\n"
        "from rtgraph.scheduler import Runner\n"
        "plan = load_plan(find_graph('hello_audio'), swaps={'picture': 'debug.discard'})\n"
        "with Runner(plan, clock='manual') as runner:\n"
        "    runner.run(duration_s=0.2)",
        tmp_path,
    )
    assert "torch" not in loaded
    assert "numpy" in loaded
