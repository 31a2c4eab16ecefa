"""A sound file's face: `rtgraph animate`, start-up included, on one core."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np

from rtgraph.files import find_file

from ..report import Row, interleave

SIZES = ("tiny", "base")


def rows(folder: Path, runs: int, seconds: float) -> list[Row]:
    """Seconds of sound a second for each size of the networks that ship, in their default precision; the peer
    is the voice that speaks. folder: where the sound is put, the bundled clip over and over."""
    sound = _sound(folder / "speech.wav", seconds)
    took_s = interleave({size: partial(_animate_s, sound, size) for size in SIZES}, runs)
    return [
        Row.compare(f"animate, {size}, one core", "s of sound/s", seconds / took_s[size], "real time", 1.0)
        for size in SIZES
    ]


def _sound(path: Path, seconds: float) -> Path:
    import soundfile

    clip, rate = soundfile.read(find_file("asset:clips/hello.flac", path.parent), dtype="float32")
    soundfile.write(path, np.resize(clip, round(seconds * rate)), rate)
    return path


def _animate_s(sound: Path, weights: str) -> float:
    """How long a process takes that is alone on the last of this one's cores."""
    core = max(os.sched_getaffinity(0))
    command = [sys.executable, "-m", "rtgraph.cli", "animate", str(sound), "--weights", weights]
    begun_s = time.perf_counter()
    ran = subprocess.run(
        [*command, "-o", str(sound.with_suffix(".csv"))],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),  # the threads of the child begin there, too
    )
    if ran.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{ran.stderr}")
    return time.perf_counter() - begun_s
