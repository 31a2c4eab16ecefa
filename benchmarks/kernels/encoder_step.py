"""One frame of encoder, denoiser and head on one core, against ONNX Runtime, torch and bare reading.

The network is the base size with random weights; every candidate runs one thread, its state full, and is
called from Python with arrays made before. ONNX Runtime gets the graph of onnx_face.py through an IO binding
or run(), whichever is faster; its int8 is its own dynamic quantisation.
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

from rtgraph.kernels.denoiser_step import DenoiserStep
from rtgraph.kernels.encoder_step import EncoderStep
from rtgraph.kernels.linear import Precision
from rtgraph.models.config import SIZES

from ..report import Row, alternate

Array = np.ndarray[Any, np.dtype[Any]]
CONFIG = SIZES["base"]
PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16", "int8")
PEERS = "pip install torch onnx onnxscript onnxruntime"


def rows(runs: int = 5, quick: bool = False) -> list[Row]:
    """Microseconds a frame (p50), tails, errors and the cost of a stream in a batch of 64."""
    calls = 50 if quick else 300
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
        import torch
    except ImportError as error:
        return [
            Row.compare(
                "encoder + denoiser step", "us", None, f"ONNX Runtime (absent: {error.name}; {PEERS})", None
            )
        ]
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        return _measure(Path(folder), runs, calls)


def _measure(folder: Path, runs: int, calls: int) -> list[Row]:
    encoder, denoiser, weights = _networks()
    ours = {p: _Ours(weights, p, 1) for p in PRECISIONS}
    onnx = _onnx_candidates(encoder, denoiser, folder)
    steps: dict[str, Callable[[], object]] = {
        **{p: step.frame for p, step in ours.items()},
        **{f"floor {p}": step.read_weights for p, step in ours.items()},
        **onnx,
        "torch": _eager(encoder, denoiser),
    }
    sampled = alternate({name: partial(_times_us, step, calls) for name, step in steps.items()}, runs)
    p50 = {
        name: statistics.median(statistics.median(run) for run in found) for name, found in sampled.items()
    }
    p99 = {
        name: statistics.median(float(np.quantile(run, 0.99)) for run in found)
        for name, found in sampled.items()
    }
    peers = {
        kind: min((name for name in onnx if name.startswith(kind)), key=lambda name: p50[name])
        for kind in ("ONNX Runtime float32", "ONNX Runtime int8")
    }

    table = []
    for p in PRECISIONS:
        for peer in (*peers.values(), "torch"):
            table.append(Row.compare(f"encoder + denoiser step, {p}", "us", p50[p], peer, p50[peer], "lower"))
        megabytes = ours[p].weight_bytes / 1e6
        what = f"encoder + denoiser step, {p}, {megabytes:.1f} MB of weights"
        table.append(Row.compare(what, "us", p50[p], "reading the weights alone", p50[f"floor {p}"], "lower"))
    for p in PRECISIONS:
        table.append(Row.compare(f"p99 of a step, {p}", "us", p99[p], "3 x its p50", 3 * p50[p], "lower"))
    table += _errors(encoder, denoiser, weights)
    for p in PRECISIONS:
        batch = _Ours(weights, p, 64)
        found = alternate(
            {
                "one": partial(_times_us, ours[p].frame, calls),
                "batch": partial(_times_us, batch.frame, calls // 10),
            },
            runs,
        )
        one, many = (
            statistics.median(statistics.median(run) for run in found[name]) for name in ("one", "batch")
        )
        table.append(
            Row.compare(
                f"a stream's step in a batch of 64, {p}", "us", many / 64, "one stream alone", one, "lower"
            )
        )
    return table


class _Ours:
    """Both fused steps with their arrays, called as a native node calls them."""

    def __init__(
        self, weights: tuple[dict[str, Array], dict[str, Array]], precision: Precision, streams: int
    ) -> None:
        self.encoder = EncoderStep(CONFIG.encoder, weights[0], precision, streams)
        self.denoiser = DenoiserStep(CONFIG.denoiser, weights[1], precision, streams)
        self.weight_bytes = self.encoder.weight_bytes + self.denoiser.weight_bytes
        rng, e, d = np.random.default_rng(0), CONFIG.encoder, CONFIG.denoiser

        def normal(*shape: int) -> Array:
            return rng.standard_normal((streams, *shape)).astype(np.float32)

        self.mel, self.previous, self.eyes = (
            normal(e.hops_per_frame, e.mel_bands),
            normal(e.latent_width),
            normal(e.eye_features),
        )
        self.emotion, self.style, self.noise = (
            normal(e.emotions),
            normal(e.style_width),
            normal(d.latent_width),
        )
        self.hidden = normal(e.hidden_width)
        self.out = normal(d.latent_width), normal(d.weights + d.angles), normal(d.regions)
        for _ in range(e.window):  # a full ring
            self.frame()

    def frame(self) -> None:
        self.encoder.native.step(
            self.mel, self.previous, self.eyes, None, self.emotion, self.style, None, self.hidden
        )
        self.denoiser.native.step(self.noise, self.hidden, self.previous, self.emotion, *self.out)

    def read_weights(self) -> None:
        self.encoder.native.read_weights()
        self.denoiser.native.read_weights()


def _networks() -> tuple[Any, Any, tuple[dict[str, Array], dict[str, Array]]]:
    import torch

    from rtgraph.models.one_step_denoiser import OneStepDenoiser
    from rtgraph.models.online_encoder import OnlineEncoder

    torch.manual_seed(0)
    encoder, denoiser = OnlineEncoder(CONFIG.encoder).eval(), OneStepDenoiser(CONFIG.denoiser).eval()
    for module in (encoder, denoiser):
        torch.nn.init.normal_(module.emotion.weight, std=0.05)
    parts = [
        {name: x.numpy().copy() for name, x in module.state_dict().items()} for module in (encoder, denoiser)
    ]
    return encoder, denoiser, (parts[0], parts[1])


def _eager(encoder: Any, denoiser: Any) -> Callable[[], object]:
    import torch

    c = CONFIG.encoder
    state = encoder.initial_state(1)
    state.position += c.window
    mel, eyes, noise = (
        torch.randn(1, *shape)
        for shape in ((c.hops_per_frame, c.mel_bands), (c.eye_features,), (c.latent_width,))
    )
    previous, emotion, style = (torch.randn(1, n) for n in (c.latent_width, c.emotions, c.style_width))

    def frame() -> object:
        with torch.no_grad():
            hidden = encoder.step(mel, state, previous, eyes, emotion=emotion, style=style)
            return denoiser.head(denoiser(noise, hidden, previous, emotion))

    return frame


def _onnx_candidates(encoder: Any, denoiser: Any, folder: Path) -> dict[str, Callable[[], object]]:
    import onnx
    import onnxruntime
    from onnxruntime.quantization import QuantType, quantize_dynamic

    from .onnx_face import OUTPUTS, export, make_inputs

    paths = {"ONNX Runtime float32": folder / "face.onnx", "ONNX Runtime int8": folder / "face_int8.onnx"}
    export(encoder, denoiser, CONFIG, paths["ONNX Runtime float32"])
    model = onnx.load(paths["ONNX Runtime float32"])
    del model.graph.value_info[:]  # the exporter's shapes of optimised-away values confuse the quantiser
    quantize_dynamic(model, paths["ONNX Runtime int8"], weight_type=QuantType.QInt8)

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    inputs = make_inputs(CONFIG)
    candidates: dict[str, Callable[[], object]] = {}
    for name, path in paths.items():
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        binding = session.io_binding()
        values = [
            onnxruntime.OrtValue.ortvalue_from_numpy(x)
            for x in (*inputs.values(), *session.run(None, inputs))
        ]
        for key, value in zip(inputs, values, strict=False):
            binding.bind_ortvalue_input(key, value)
        for key, value in zip(OUTPUTS, values[len(inputs) :], strict=True):
            binding.bind_ortvalue_output(key, value)
        candidates[name] = partial(session.run, None, inputs)
        candidates[f"{name}, IO binding"] = partial(session.run_with_iobinding, binding)
    return candidates


def _errors(encoder: Any, denoiser: Any, weights: tuple[dict[str, Array], dict[str, Array]]) -> list[Row]:
    """The largest difference of any of a frame's 61 values to float64 torch, over 200 frames."""
    import torch

    frames, c = 200, CONFIG.encoder
    rng = np.random.default_rng(1)
    mel = rng.standard_normal((1, frames, c.hops_per_frame, c.mel_bands)).astype(np.float32)
    previous, noise = rng.standard_normal((2, 1, frames, c.latent_width)).astype(np.float32)
    with torch.no_grad():
        wide = [torch.from_numpy(x).double() for x in (mel.reshape(1, -1, c.mel_bands), previous, noise)]
        hidden = encoder.double()(wide[0], wide[1])
        truth = denoiser.double().head(denoiser(wide[2], hidden, wide[1]))[0][0].numpy()
    encoder.float(), denoiser.float()
    table = []
    for p in PRECISIONS:
        fast, head = EncoderStep(CONFIG.encoder, weights[0], p), DenoiserStep(CONFIG.denoiser, weights[1], p)
        error = max(
            np.abs(
                head(noise[:, t], fast(mel[:, t], previous[:, t]), previous[:, t]).frame[0] - truth[t]
            ).max()
            for t in range(frames)
        )
        table.append(
            Row.compare(
                f"largest error of an expression value, {p}", "0..1", float(error), "float64 torch", None
            )
        )
    return table


def _times_us(step: Callable[[], object], calls: int) -> list[float]:
    for _ in range(5):
        step()
    times = []
    for _ in range(calls):
        start = time.perf_counter_ns()
        step()
        times.append((time.perf_counter_ns() - start) / 1e3)
    return times
