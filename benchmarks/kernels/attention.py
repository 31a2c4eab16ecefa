"""One step of windowed attention with its ring cache on one core, against torch's own attention."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from rtgraph.kernels.attention import RingAttention

from ..report import Row, interleave

HEADS, HEAD_SIZE = 4, 64


def rows(runs: int = 5, quick: bool = False) -> list[Row]:
    """Microseconds a step of all streams: rotary embedding, cache write and attention, on both sides."""
    try:
        import torch
    except ImportError:
        return [Row.compare("attention step", "us", None, "torch SDPA (absent: pip install torch)", None)]
    torch.set_num_threads(1)
    table = []
    for streams, window in ((1, 128), (1, 1024), (64, 128)):
        calls = max(20, (100 if quick else 1000) // streams)
        candidates = {
            "float32": _ours(streams, window, "float32", calls),
            "bfloat16": _ours(streams, window, "bfloat16", calls),
            "torch": _torch(streams, window, calls),
        }
        medians = interleave(candidates, runs)
        for cache in ("float32", "bfloat16"):
            what = f"attention step, {streams} x {HEADS} heads of {HEAD_SIZE}, window {window}, {cache} cache"
            table.append(
                Row.compare(what, "us", medians[cache], "torch SDPA, float32", medians["torch"], "lower")
            )
    return table


def _ours(streams: int, window: int, cache: Any, calls: int) -> Callable[[], float]:
    ring = RingAttention(streams, HEADS, HEAD_SIZE, window, cache=cache)
    qkv = np.random.default_rng(0).standard_normal((streams, 3, HEADS, HEAD_SIZE)).astype(np.float32)
    out = np.empty((streams, HEADS, HEAD_SIZE), np.float32)
    ring.positions[:] = window  # full: every slot is read
    return lambda: _time_us(lambda: ring.step(qkv, out=out), calls)


def _torch(streams: int, window: int, calls: int) -> Callable[[], float]:
    import torch
    from torch.nn import functional

    from rtgraph.models.streaming import rotary, rotate

    keys, values = torch.randn(2, streams, HEADS, window, HEAD_SIZE)
    qkv = torch.randn(streams, 3, HEADS, HEAD_SIZE)
    position = 0

    def step() -> None:
        nonlocal position
        cosine, sine = rotary(torch.tensor(position), HEAD_SIZE, 1e4, torch.float32)
        keys[:, :, position % window] = rotate(qkv[:, 1], cosine, sine)
        values[:, :, position % window] = qkv[:, 2]
        functional.scaled_dot_product_attention(rotate(qkv[:, 0], cosine, sine).unsqueeze(2), keys, values)
        position += 1

    return lambda: _time_us(step, calls)


def _time_us(step: Callable[[], object], calls: int) -> float:
    step()
    start = time.perf_counter()
    for _ in range(calls):
        step()
    return (time.perf_counter() - start) * 1e6 / calls
