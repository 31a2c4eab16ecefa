"""Compiles bare_ring.cpp on demand, with the system's C++ compiler, into the user's cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from .cache import cache_folder
from .errors import NoFiguresError

SOURCE = Path(__file__).with_suffix(".cpp")
FLAGS = ["-std=c++20", "-O2", "-pthread"]


def bare_ring() -> Path:
    """The compiled program, built once for each version of its source. Raises NoFiguresError."""
    if not SOURCE.exists():
        raise NoFiguresError(f"{SOURCE} is missing from this install; run the benchmark from a checkout")
    compiler = shutil.which("c++")
    if compiler is None:
        raise NoFiguresError("bare_ring.cpp cannot be compiled: no c++ on the PATH; install g++ or clang++")
    key = hashlib.sha256(SOURCE.read_bytes() + " ".join([compiler, *FLAGS]).encode()).hexdigest()[:16]
    program = cache_folder("bench-bare-ring") / f"bare_ring-{key}"
    if not program.exists():
        unfinished = program.with_suffix(f".{os.getpid()}")  # a build that is cut short leaves no program
        command = [compiler, *FLAGS, str(SOURCE), "-o", str(unfinished)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            errors = [line for line in done.stderr.splitlines() if "error" in line] or [done.stderr]
            raise NoFiguresError(f"bare_ring.cpp cannot be compiled: {errors[0]}")
        unfinished.rename(program)
    return program
