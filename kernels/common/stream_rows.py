"""What a step does to its streams' rows on a GPU, in Triton: windows move on, broken inputs are kept out."""

from __future__ import annotations

import triton
import triton.language as tl

LIMIT = tl.constexpr(1e6)  # beyond it an input counts as broken, as on the CPU


@triton.jit
def slide_kernel(window, reset, kept, added, block: tl.constexpr):
    """Moves each stream's window [kept + added] on by `added` values; what was kept is zero after a reset."""
    stream = tl.program_id(0)
    row = window + stream.to(tl.int64) * (kept + added)
    at = tl.arange(0, block)
    old = tl.load(row + added + at, mask=at < kept, other=0.0)
    old = tl.where(tl.load(reset + stream) != 0, old * 0.0, old)
    tl.debug_barrier()  # all is read before any of it is written
    tl.store(row + at, old, mask=at < kept)


@triton.jit
def hear_kernel(window, mel, replaced, tail, hops, bands, block: tl.constexpr):
    """Appends mel [B, hops, bands] to windows [B, tail + hops, bands]; a broken hop repeats the last."""
    stream = tl.program_id(0)
    band = tl.arange(0, block)
    real = band < bands
    row = window + stream.to(tl.int64) * (tail + hops) * bands
    before = tl.load(row + (tail - 1) * bands + band, mask=band < bands * tl.minimum(tail, 1), other=0.0)
    broken = 0
    for hop in range(hops):
        new = tl.load(mel + (stream * hops + hop) * bands + band, mask=real, other=0.0)
        good = tl.min(tl.where(tl.abs(new) <= LIMIT, 1, 0), axis=0)  # false for NaN, too
        before = tl.where(good != 0, new, before)
        broken += 1 - good
        tl.store(row + (tail + hop) * bands + band, before, mask=real)
    tl.atomic_add(replaced, broken)


@triton.jit
def hold_kernel(held, given, absent, present, reset, replaced, row_stride, width, block: tl.constexpr):
    """held [B, width], rows row_stride apart, takes given [B, width]; a broken row leaves what was held.

    Where present [B] is 0 the row is absent [width] instead, as it is after a reset.
    """
    stream = tl.program_id(0)
    at = tl.arange(0, block)
    real = at < width
    row = held + stream.to(tl.int64) * row_stride
    nothing = tl.load(absent + at, mask=real, other=0.0)
    old = tl.where(tl.load(reset + stream) != 0, nothing, tl.load(row + at, mask=real, other=0.0))
    new = tl.load(given + stream.to(tl.int64) * width + at, mask=real, other=0.0)
    good = tl.min(tl.where(tl.abs(new) <= LIMIT, 1, 0), axis=0)
    new = tl.where(good != 0, new, old)
    there = tl.load(present + stream) != 0
    new = tl.where(there, new, nothing)
    tl.store(row + at, new, mask=real)
    tl.atomic_add(replaced, tl.where(there, 1 - good, 0))
