"""Windowed causal attention for new steps on a GPU: rotary embedding, cache write and attention in one Triton
kernel.

One program serves one head of one stream. Positions and the reset mask live on the device and nothing depends
on their values on the host, so a CUDA graph can capture a step.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

SLOT_BLOCK = 64  # ring slots a program reads at a time


@triton.jit
def cosine_and_sine(quarter_turns):
    """Of float64 angles counted in quarter turns, within 2 ulp of float32: exact even after days of
    streaming.

    The library's own functions keep a path for huge arguments that costs registers and stack. Polynomials:
    Cephes (S. Moshier, netlib), on -pi/4 .. pi/4.
    """
    nearest = tl.floor(quarter_turns + 0.5)
    x = ((quarter_turns - nearest) * 1.5707963267948966).to(tl.float32)
    quadrant = nearest.to(tl.int64) & 3
    z = x * x
    sine = x + x * z * (-1.6666654611e-1 + z * (8.3321608736e-3 - z * 1.9515295891e-4))
    cosine = (
        1.0
        - 0.5 * z
        + z * z * (4.166664568298827e-2 + z * (-1.388731625493765e-3 + z * 2.443315711809948e-5))
    )
    swapped = (quadrant & 1) != 0
    sine, cosine = tl.where(swapped, cosine, sine), tl.where(swapped, sine, cosine)
    return (
        tl.where((quadrant == 1) | (quadrant == 2), -cosine, cosine),
        tl.where(quadrant >= 2, -sine, sine),
    )


@triton.jit
def attention_kernel(
    qkv,  # [B, T, 3, H, D], not rotated
    keys,  # [B, H, W, D], rotated to their absolute positions
    values,  # [B, H, W, D]
    positions,  # [B] int64, of the first of the T steps
    reset,  # [B] int8: not zero where the stream begins anew with the first step
    frequency,  # [D / 2] float64, quarter turns a step
    out,  # [B, T, H, D]
    steps,
    heads,
    scale,
    window: tl.constexpr,  # a constant: the remainder of an int64 by it then needs no subroutine
    head_size: tl.constexpr,
    half: tl.constexpr,  # head_size / 2, rounded up to a power of two
    block: tl.constexpr,
):
    stream = tl.program_id(0)
    head = tl.program_id(1)
    d = tl.arange(0, half)
    real = d < head_size // 2
    first = tl.load(positions + stream)
    first = tl.where(tl.load(reset + stream) != 0, first * 0, first)
    quarter_turns = tl.load(frequency + d, mask=real, other=0.0)
    ring = (stream * heads + head).to(tl.int64) * window * head_size

    for t in range(steps):
        position = first + t
        slot = position % window
        cosine, sine = cosine_and_sine(position.to(tl.float64) * quarter_turns)

        step = (stream * steps + t).to(tl.int64)
        q = qkv + (step * 3 * heads + head) * head_size + d
        k = q + heads * head_size
        v = k + heads * head_size
        q_low = tl.load(q, mask=real, other=0.0).to(tl.float32) * scale
        q_high = tl.load(q + head_size // 2, mask=real, other=0.0).to(tl.float32) * scale
        k_low = tl.load(k, mask=real, other=0.0).to(tl.float32)
        k_high = tl.load(k + head_size // 2, mask=real, other=0.0).to(tl.float32)
        v_low = tl.load(v, mask=real, other=0.0).to(tl.float32)
        v_high = tl.load(v + head_size // 2, mask=real, other=0.0).to(tl.float32)
        q_low, q_high = q_low * cosine - q_high * sine, q_high * cosine + q_low * sine
        k_low, k_high = k_low * cosine - k_high * sine, k_high * cosine + k_low * sine

        # The step's own key and value start the running softmax; the ring's other slots join block by block.
        largest = tl.sum(q_low * k_low + q_high * k_high, axis=0)
        total = largest * 0 + 1.0
        sum_low = v_low
        sum_high = v_high
        seen = tl.minimum(position + 1, window)
        for start in range(0, seen, block):
            s = start + tl.arange(0, block)
            old = (s < seen) & (s != slot)
            at = ring + s[:, None] * head_size + d[None, :]
            mask = old[:, None] & real[None, :]
            low = tl.load(keys + at, mask=mask, other=0.0).to(tl.float32)
            high = tl.load(keys + at + head_size // 2, mask=mask, other=0.0).to(tl.float32)
            score = tl.sum(low * q_low[None, :] + high * q_high[None, :], axis=1)
            score = tl.where(old, score, float("-inf"))
            top = tl.maximum(largest, tl.max(score, axis=0))
            weight = tl.exp(score - top)
            fade = tl.exp(largest - top)
            low = tl.load(values + at, mask=mask, other=0.0).to(tl.float32)
            high = tl.load(values + at + head_size // 2, mask=mask, other=0.0).to(tl.float32)
            sum_low = sum_low * fade + tl.sum(weight[:, None] * low, axis=0)
            sum_high = sum_high * fade + tl.sum(weight[:, None] * high, axis=0)
            total = total * fade + tl.sum(weight, axis=0)
            largest = top

        y = out + (step * heads + head) * head_size + d
        tl.store(y, sum_low / total, mask=real)
        tl.store(y + head_size // 2, sum_high / total, mask=real)
        at = ring + slot * head_size + d
        tl.store(keys + at, k_low, mask=real)
        tl.store(keys + at + head_size // 2, k_high, mask=real)
        tl.store(values + at, v_low, mask=real)
        tl.store(values + at + head_size // 2, v_high, mask=real)
        tl.debug_barrier()  # the next step of a chunk reads what other threads of this program wrote


@triton.jit
def advance_kernel(positions, reset, steps):
    """Moves a stream's position on by `steps`, from zero where it was reset. It waits for all heads: a launch
    of its own.
    """
    stream = tl.program_id(0)
    position = tl.load(positions + stream)
    tl.store(positions + stream, tl.where(tl.load(reset + stream) != 0, position * 0, position) + steps)


class RingAttention:
    """The streams of one attention layer, on a device; as kernels.attention.RingAttention, with torch
    tensors.

    dtype: float32, float16 or bfloat16, of inputs, outputs, keys and values; sums are float32.
    """

    def __init__(
        self,
        streams: int,
        heads: int,
        head_size: int,
        window: int,
        *,
        rotary_base: float = 10_000.0,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cuda",
    ) -> None:
        for name, value in (("streams", streams), ("heads", heads), ("window", window)):
            if value < 1:
                raise ValueError(f"attention: {name}: expected at least 1, got {value}")
        if head_size % 2 or not 16 <= head_size <= 256:
            raise ValueError(f"attention: head_size: expected an even number from 16 to 256, got {head_size}")
        if dtype not in (torch.float32, torch.float16, torch.bfloat16):
            raise ValueError(f"attention: dtype: expected float32, float16 or bfloat16, got {dtype}")
        self.streams, self.heads, self.head_size, self.window = streams, heads, head_size, window
        self.keys = torch.zeros(streams, heads, window, head_size, dtype=dtype, device=device)
        self.values = torch.zeros_like(self.keys)
        self.positions = torch.zeros(streams, dtype=torch.int64, device=device)
        self._kept = torch.zeros(streams, dtype=torch.bool, device=device)
        exponent = torch.arange(0, head_size, 2, dtype=torch.float64, device=device) / head_size
        self._frequency = rotary_base**-exponent / (math.pi / 2)

    def step(self, qkv: Tensor, *, reset: Tensor | None = None, out: Tensor | None = None) -> Tensor:
        """One step of every stream: qkv [streams, 3, heads, head_size], not rotated -> [streams, heads,
        head_size].
        """
        self._check("qkv", qkv, (self.streams, 3, self.heads, self.head_size))
        if out is None:
            out = torch.empty_like(qkv[:, 0])
        self.steps(qkv.unsqueeze(1), reset=reset, out=out.unsqueeze(1))
        return out

    def steps(self, qkv: Tensor, *, reset: Tensor | None = None, out: Tensor | None = None) -> Tensor:
        """T steps: qkv [streams, T, 3, heads, head_size] -> [streams, T, heads, head_size]; a reset applies
        to the first.

        reset [streams] bool. Everything stays on the device; nothing waits. Raises TypeError or ValueError
        where a tensor does not fit.
        """
        frames = qkv.shape[1] if qkv.ndim == 5 else 0
        self._check("qkv", qkv, (self.streams, frames, 3, self.heads, self.head_size))
        if reset is None:
            reset = self._kept
        self._check("reset", reset, (self.streams,), torch.bool)
        if out is None:
            out = torch.empty_like(qkv[:, :, 0])
        self._check("out", out, (self.streams, frames, self.heads, self.head_size))
        mask = reset.view(torch.int8)
        attention_kernel[(self.streams, self.heads)](
            qkv,
            self.keys,
            self.values,
            self.positions,
            mask,
            self._frequency,
            out,
            frames,
            self.heads,
            1 / math.sqrt(self.head_size),
            **constants(self.window, self.head_size),
        )
        advance_kernel[(self.streams,)](self.positions, mask, frames)
        return out

    def _check(
        self, name: str, value: Tensor, shape: tuple[int, ...], dtype: torch.dtype | None = None
    ) -> None:
        dtype = dtype or self.keys.dtype
        expected = f"a contiguous {dtype} {list(shape)} on {self.keys.device}"
        if value.dtype != dtype or value.device != self.keys.device:
            raise TypeError(f"attention: {name}: expected {expected}, got {value.dtype} on {value.device}")
        if tuple(value.shape) != shape or not value.is_contiguous():
            raise ValueError(
                f"attention: {name}: expected {expected}, got {list(value.shape)}, strides {value.stride()}"
            )


def constants(window: int, head_size: int) -> dict[str, Any]:
    """The compile-time arguments of attention_kernel."""
    return {
        "window": window,
        "head_size": head_size,
        "half": triton.next_power_of_2(head_size // 2),
        "block": SLOT_BLOCK,
    }
