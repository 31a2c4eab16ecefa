"""Installs the peers, each pinned and in a venv of its own, where its dependencies bind nobody else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .cache import cache_folder
from .errors import NoFiguresError

PINS = {"csp": "0.19.1", "timeflux": "0.17.2", "ezmsg": "3.9.0"}
# What a peer needs beside its own dependencies: numpy for the payload, where it does not bring it.
EXTRAS = {"ezmsg": ["numpy"]}
INSTALL_TIMEOUT_S = 600


def peer_python(peer: str) -> Path:
    """The interpreter of the venv that holds `peer`, made and filled on the first call.

    Raises NoFiguresError when it cannot be installed. An install that was cut short is done again.
    """
    requirement = f"{peer}=={PINS[peer]}"
    tag = f"{peer}-{PINS[peer]}-py{sys.version_info.major}.{sys.version_info.minor}"
    venv = cache_folder("bench-peers") / tag
    python = venv / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    installed = venv / ".installed"
    if not (installed.exists() and python.exists()):
        print(f"installing {requirement} into {venv} ...", file=sys.stderr)
        _run(requirement, [sys.executable, "-m", "venv", "--clear", str(venv)])
        pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", "--retries", "1"]
        _run(requirement, [*pip, "install", requirement, *EXTRAS.get(peer, [])])
        installed.touch()
    return python


def _run(requirement: str, command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise NoFiguresError(f"{requirement} was not installed within {INSTALL_TIMEOUT_S} s") from error
    if done.returncode != 0:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        errors = [line for line in said if line.startswith("ERROR")] or said or ["no reason given"]
        raise NoFiguresError(f"{requirement} cannot be installed: {errors[-1]}")
