"""Runs a piece of Python in a process of its own: whether Triton interprets or compiles is fixed at its import."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def run(code: str, cache: Path, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TRITON_CACHE_DIR": str(cache), **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
