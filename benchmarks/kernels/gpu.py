"""The GPU's kernels, captured into CUDA graphs and timed by events; no rows where there is no device."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

from rtgraph.models.config import SIZES

from ..report import Row, interleave
from .synthetic_head import synthetic_head

CONFIG = SIZES["base"]
HEADS, HEAD_SIZE = 4, 64


def rows(runs: int = 5, quick: bool = False) -> list[Row]:
    """A frame of one stream, a step of thousands, and attention against torch's, in microseconds."""
    try:
        import torch
    except ImportError:
        return []
    if not torch.cuda.is_available():
        return []
    replays = 20 if quick else 200
    return [*_frames(runs, replays), *_many(runs, max(3, replays // 20)), *_attention(runs, replays)]


def _frames(runs: int, replays: int) -> list[Row]:
    """Encoder, denoiser and decoder in one graph; torch's modules, called, do without the decoder, and so do
    ours where CUDA's compiler was not there when rtgraph was built."""
    decode = find_spec("rtgraph.kernels._cuda") is not None
    work = "encoder, denoiser, decode" if decode else "encoder, denoiser (built without nvcc: no decode)"
    candidates = {p: _timed(_frame(p, 1, decode), replays) for p in ("float32", "bfloat16")}
    medians = interleave({**candidates, "torch": _eager(replays)}, runs)
    return [
        Row.compare(f"GPU frame: {work}, {p}", "us", medians[p], peer, theirs, "lower")
        for p in candidates
        for peer, theirs in (
            ("torch, encoder and denoiser alone", medians["torch"]),
            ("asked at most", 250.0),
        )
    ]


def _many(runs: int, replays: int) -> list[Row]:
    streams = 4096
    medians = interleave(
        {p: _timed(_frame(p, streams, decode=False), replays) for p in ("float32", "bfloat16")}, runs
    )
    return [
        Row.compare(
            f"GPU step: encoder, denoiser, {streams:,} streams, {p}",
            "us",
            ours,
            "asked at most",
            10_000,
            "lower",
        )
        for p, ours in medians.items()
    ]


def _attention(runs: int, replays: int) -> list[Row]:
    """Ours turns queries and keys and writes the cache, too; torch's attends alone."""
    import torch

    table = []
    for streams, window in ((1, 128), (64, 128), (64, 1024), (4096, 128)):
        kinds = {"float32": torch.float32, "bfloat16": torch.bfloat16}
        candidates = {
            f"{who} {name}": _timed(make(streams, window, kind), replays)
            for name, kind in kinds.items()
            for who, make in (("ours", _ours), ("torch", _sdpa))
        }
        medians = interleave(candidates, runs)
        table += [
            Row.compare(
                f"GPU attention, {streams} x {HEADS} heads of {HEAD_SIZE}, window {window}, {name} cache",
                "us", medians[f"ours {name}"], "torch SDPA alone", medians[f"torch {name}"], "lower",
            )
            for name in kinds
        ]  # fmt: skip
    return table


def _frame(precision: Any, streams: int, decode: bool) -> Callable[[], None]:
    import torch

    from rtgraph.kernels.denoiser_step.triton import DenoiserStep
    from rtgraph.kernels.encoder_step.triton import EncoderStep

    from .encoder_step import _networks

    _, _, weights = _networks()
    encoder = EncoderStep(CONFIG.encoder, weights[0], precision, streams)
    denoiser = DenoiserStep(CONFIG.denoiser, weights[1], precision, streams, hidden=encoder.hidden)
    encoder.positions.fill_(CONFIG.encoder.window)  # full: every slot is read
    for given in (encoder.mel, encoder.eyes, denoiser.noise):
        given.normal_()
    steps = [encoder.step, denoiser.step]
    if decode:
        from rtgraph.kernels.decode.cuda import DecodeBatchState, decode_batch

        rig = synthetic_head()
        state = DecodeBatchState(rig, streams)
        expression, out = torch.rand(streams, rig.inputs, device="cuda"), state.empty_frames()
        steps.append(lambda: decode_batch(state, expression, out=out))

    def launch() -> None:
        for step in steps:
            step()

    return launch


def _eager(replays: int) -> Callable[[], float]:
    import torch

    from .encoder_step import _networks

    c = CONFIG.encoder
    encoder, denoiser, _ = _networks()
    encoder, denoiser = encoder.cuda(), denoiser.cuda()
    state = encoder.initial_state(1)
    mel, eyes, noise = (
        torch.randn(1, *shape, device="cuda")
        for shape in ((c.hops_per_frame, c.mel_bands), (c.eye_features,), (c.latent_width,))
    )
    previous, emotion, style = (
        torch.randn(1, n, device="cuda") for n in (c.latent_width, c.emotions, c.style_width)
    )

    def frame() -> None:
        with torch.no_grad():
            hidden = encoder.step(mel, state, previous, eyes, emotion=emotion, style=style)
            denoiser.head(denoiser(noise, hidden, previous, emotion))

    return partial(_events_us, frame, max(5, replays // 10))


def _ours(streams: int, window: int, kind: Any) -> Callable[[], None]:
    import torch

    from rtgraph.kernels.attention.triton import attention_kernel, constants

    qkv = torch.randn(streams, 3 * HEADS * HEAD_SIZE, device="cuda")
    keys, values = torch.randn(2, streams, HEADS, window, HEAD_SIZE, device="cuda").to(kind)
    positions = torch.full((streams,), window, dtype=torch.int64, device="cuda")
    reset = torch.zeros(streams, dtype=torch.int8, device="cuda")
    exponent = torch.arange(0, HEAD_SIZE, 2, dtype=torch.float64, device="cuda") / HEAD_SIZE
    frequency = 1e4**-exponent / (math.pi / 2)
    out = torch.empty(streams, HEADS * HEAD_SIZE, device="cuda")

    def launch() -> None:
        attention_kernel[(streams, HEADS)](
            qkv, keys, values, positions, reset, frequency, out, 1, HEADS, 1 / math.sqrt(HEAD_SIZE),
            **constants(window, HEAD_SIZE),
        )  # fmt: skip

    return launch


def _sdpa(streams: int, window: int, kind: Any) -> Callable[[], None]:
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    q = torch.randn(streams, HEADS, 1, HEAD_SIZE, device="cuda").to(kind)
    keys, values = torch.randn(2, streams, HEADS, window, HEAD_SIZE, device="cuda").to(kind)
    return lambda: scaled_dot_product_attention(q, keys, values)


def _timed(launch: Callable[[], None], replays: int) -> Callable[[], float]:
    """Captures and returns what measures the graph."""
    import torch

    launch()  # compiles
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        launch()
    return partial(_events_us, graph.replay, replays)


def _events_us(call: Callable[[], object], calls: int) -> float:
    """Microseconds a call on the device, between two events around many."""
    import torch

    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    for _ in range(3):
        call()
    begin.record()
    for _ in range(calls):
        call()
    end.record()
    end.synchronize()
    return float(begin.elapsed_time(end)) * 1e3 / calls
