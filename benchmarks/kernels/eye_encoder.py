"""The eye encoder on a pair of pictures on one core, against ONNX Runtime on the same network.

Random weights at the shipped sizes. ONNX Runtime gets both eyes as one batch that is normalised already, so
that what it is timed for is less work than ours.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from rtgraph.kernels.eye_encoder_step import EyeEncoderStep
from rtgraph.models.eye_weights import DECODE, EyeEncoderConfig

from ..report import Row, alternate

WHAT = "eye encoder, both eyes"
PEERS = "pip install torch onnx onnxscript onnxruntime"


def rows(runs: int = 5, quick: bool = False) -> list[Row]:
    """Microseconds a pair (p50), the tail, and the share of a core at 120 pairs a second."""
    calls = 50 if quick else 500
    try:
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
        import torch
    except ImportError as error:
        return [Row.compare(WHAT, "us", None, f"ONNX Runtime (absent: {error.name}; {PEERS})", None)]
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = candidates(Path(folder))
        found = alternate(
            {"ours": partial(_times_us, ours, calls), "theirs": partial(_times_us, theirs, calls)}, runs
        )
    p50 = {name: statistics.median(map(statistics.median, lists)) for name, lists in found.items()}
    p99 = statistics.median(float(np.quantile(times, 0.99)) for times in found["ours"])
    return [
        Row.compare(WHAT, "us", p50["ours"], "ONNX Runtime float32", p50["theirs"], "lower"),
        Row.compare(f"p99 of {WHAT}", "us", p99, "3 x its p50", 3 * p50["ours"], "lower"),
        Row.compare("120 pairs a second", "% of a core", p50["ours"] * 120 / 1e4, "wanted", 20.0, "lower"),
    ]


def candidates(folder: Path) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Our step and an ONNX Runtime session with the same weights; both give [2, 80] features first."""
    import onnxruntime
    import torch

    from rtgraph.models.eye_encoder import EyeEncoder, normalise

    class Network(torch.nn.Module):
        """The encoder behind its normalisation."""

        def __init__(self, encoder: EyeEncoder) -> None:
            super().__init__()
            self.encoder = encoder

        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            features, heads, _ = self.encoder.read(x)
            return features, heads

    torch.manual_seed(0)
    config = EyeEncoderConfig()
    encoder = EyeEncoder(config).eval()
    tensors = encoder.arrays()
    for name in ("heads.weight", "heads.bias"):
        tensors[name] = np.stack([tensors[name]] * 2)
    step = EyeEncoderStep(config, DECODE, tensors)
    left, right = np.random.default_rng(0).integers(0, 256, (2, 128, 128)).astype(np.uint8)

    x = normalise(torch.from_numpy(np.stack([left, right[:, ::-1]])), config.fold)
    path = folder / "eye.onnx"
    torch.onnx.export(Network(encoder).eval(), (x,), path, input_names=["x"], dynamo=True, verbose=False)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    inputs = {session.get_inputs()[0].name: x.numpy()}
    return lambda: step(left, right), lambda: session.run(None, inputs)


def _times_us(step: Callable[[], object], calls: int) -> list[float]:
    step()
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        step()
        times.append((time.perf_counter() - start) * 1e6)
    return times
