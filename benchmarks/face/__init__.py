"""The face as it runs, sound to vertices on one core, against ONNX Runtime and larger networks; and a sound
file's face against real time."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..report import Row, alternate, print_table, write_json
from . import sound_file

PRECISIONS = ("float32", "bfloat16", "int8")
PEERS = "pip install torch onnx onnxscript onnxruntime"
Sample = Mapping[str, Any]  # us: one figure a frame; peak_mb


def main(json_path: Path | None, runs: int = 5, quick: bool = False) -> list[Row]:
    """Measure the frame path and whole sound files, print the table, write the report, return its rows.

    On the frame path networks have random weights, which take as long as trained ones. Ours and ONNX Runtime
    run in processes of their own, in turn, on the bundled clip. A peer that is not installed is named as
    absent.
    """
    seconds = 2.0 if quick else 9.0
    with tempfile.TemporaryDirectory() as folder:
        rows = _rows(Path(folder), runs, seconds)
        rows += sound_file.rows(Path(folder), runs, 30.0 if quick else 300.0)
    print_table(rows, f"face, median of {runs} interleaved runs")
    if json_path is not None:
        write_json(json_path, rows)
    return rows


def _rows(folder: Path, runs: int, seconds: float) -> list[Row]:
    try:
        import onnxruntime  # noqa: F401

        from . import networks
    except ImportError as error:
        absent = f"ONNX Runtime (absent: {error.name}; {PEERS})"
        return [Row.compare("frame, sound to vertices", "us", None, absent, None)]
    weights = {size: networks.save_random(folder, size) for size in ("base", "tiny")}
    models = networks.export_onnx(folder)
    candidates = {
        f"{size} {p}": partial(_run, "ours", weights[size], p, seconds)
        for size, p in (*(("base", p) for p in PRECISIONS), ("tiny", "int8"))
    } | {f"ONNX Runtime {p}": partial(_run, "onnx_path", path, seconds) for p, path in models.items()}
    sampled = alternate(candidates, runs)

    def figure(name: str, quantile: float) -> float:
        return statistics.median(float(np.quantile(run["us"], quantile)) for run in sampled[name])

    def memory(name: str) -> float:
        return statistics.median(float(run["peak_mb"]) for run in sampled[name])

    table = []
    for ours, peer in (
        ("base float32", "ONNX Runtime float32"),
        ("base bfloat16", "ONNX Runtime float32"),
        ("base int8", "ONNX Runtime float32"),
        ("base int8", "ONNX Runtime int8"),
    ):
        for name, quantile in (("p50", 0.5), ("p99", 0.99)):
            what = f"frame, sound to vertices, {ours}, {name}"
            table.append(
                Row.compare(what, "us", figure(ours, quantile), peer, figure(peer, quantile), "lower")
            )
    tiny = "frame, sound to vertices, tiny int8, p50"
    table.append(
        Row.compare(tiny, "us", figure("tiny int8", 0.5), "base int8", figure("base int8", 0.5), "lower")
    )
    for ours, peer in (("base float32", "ONNX Runtime float32"), ("base int8", "ONNX Runtime int8")):
        table.append(Row.compare(f"peak memory, {ours}", "MB", memory(ours), peer, memory(peer), "lower"))
    live = _run("ours", weights["base"], "int8", seconds, "--live")
    table.append(
        Row.compare("frame in real time, base int8, p50", "us", float(np.quantile(live["us"], 0.5)),
                    "as fast as it goes", figure("base int8", 0.5), "lower")
    )  # fmt: skip
    for peer, a_frame_ms in networks.larger_networks().items():
        ours_ms = figure("base float32", 0.5) / 1000
        table.append(Row.compare("frame, base float32", "ms", ours_ms, peer, a_frame_ms, "lower"))
    return table


def _run(module: str, *arguments: object) -> Sample:
    """One measurement in a process of its own, so that its memory is its own, too."""
    command = [sys.executable, "-m", f"{__name__}.{module}", *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{ran.stderr}")
    sample: Sample = json.loads(ran.stdout.splitlines()[-1])
    return sample
