"""Windowed attention with its ring against the float64 reference over whole sequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rtgraph.kernels.attention import RingAttention
from rtgraph.kernels.attention.reference import attention
from rtgraph.kernels.linear import instruction_sets

Array = np.ndarray[Any, np.dtype[Any]]
ISAS = [isa for isa in ("baseline", "avx2", "avx512") if isa in instruction_sets()]
TOLERANCE = {"float32": 1e-5, "bfloat16": 1e-2}


def make_qkv(rng: np.random.Generator, streams: int, frames: int, heads: int, head_size: int) -> Array:
    return rng.standard_normal((streams, frames, 3, heads, head_size)).astype(np.float32)


def relative_error(got: Array, expected: Array) -> float:
    return float(np.linalg.norm(got - expected) / np.linalg.norm(expected))


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("cache", TOLERANCE)
@pytest.mark.parametrize(
    ("streams", "heads", "head_size", "window", "frames"),
    [
        (1, 1, 16, 1, 5),
        (2, 3, 32, 7, 30),
        (1, 4, 64, 128, 300),
        (3, 1, 80, 65, 140),
        (1, 2, 128, 1024, 1100),
        (1, 1, 112, 33, 70),
    ],
)
def test_against_the_reference(
    isa: str, cache: Any, streams: int, heads: int, head_size: int, window: int, frames: int
) -> None:
    rng = np.random.default_rng([streams, heads, head_size, window])
    qkv = make_qkv(rng, streams, frames, heads, head_size)
    ring = RingAttention(streams, heads, head_size, window, cache=cache, isa=isa)
    out = np.full((streams, frames, heads, head_size), np.nan, np.float32)
    ring.steps(qkv, out=out)
    assert relative_error(out, attention(qkv, window)) < TOLERANCE[cache]
    assert (ring.positions == frames).all()


def test_any_chunking_gives_the_same_numbers() -> None:
    rng = np.random.default_rng(7)
    qkv = make_qkv(rng, 2, 90, 2, 32)
    whole = RingAttention(2, 2, 32, 16).steps(qkv)
    for _ in range(5):
        ring, at, parts = RingAttention(2, 2, 32, 16), 0, []
        while at < 90:
            n = int(rng.integers(1, 20))
            chunk = np.ascontiguousarray(qkv[:, at : at + n])
            parts.append(ring.step(chunk[:, 0].copy())[:, None] if n == 1 else ring.steps(chunk))
            at += n
        np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)


def test_reset_equals_new_for_the_chosen_streams_only() -> None:
    rng = np.random.default_rng(8)
    before, after = make_qkv(rng, 3, 40, 2, 32), make_qkv(rng, 3, 50, 2, 32)
    ring, kept, new = (RingAttention(3, 2, 32, 16) for _ in range(3))
    ring.steps(before)
    kept.steps(before)
    out = ring.steps(after, reset=np.array([False, True, False]))
    np.testing.assert_array_equal(out[1], new.steps(after)[1])
    np.testing.assert_array_equal(out[[0, 2]], kept.steps(after)[[0, 2]])
    assert list(ring.positions) == [90, 50, 90]


def test_streams_may_stand_at_different_positions() -> None:
    rng = np.random.default_rng(9)
    qkv = make_qkv(rng, 2, 60, 1, 32)
    ring = RingAttention(2, 1, 32, 20)
    ring.steps(qkv[:, :25].copy())
    out = ring.steps(qkv[:, 25:].copy(), reset=np.array([True, False]))
    assert relative_error(out[1], attention(qkv, 20)[1, 25:]) < 1e-5
    assert relative_error(out[0], attention(qkv[:1, 25:], 20)[0]) < 1e-5


def test_200_000_steps_wrap_the_ring_without_drift() -> None:
    rng = np.random.default_rng(10)
    frames, window = 200_000, 24
    qkv = make_qkv(rng, 1, frames, 1, 32)
    out = RingAttention(1, 1, 32, window).steps(qkv)
    for end in (frames, frames - 61_111, frames // 2):
        last = slice(end - 3 * window, end)
        expected = attention(qkv[:, last], window, first_position=last.start)[:, window:]
        assert relative_error(out[:, last][:, window:], expected) < 1e-5


def test_positions_beyond_32_bits() -> None:
    rng = np.random.default_rng(11)
    first, window = 2**33 + 5, 10
    qkv = make_qkv(rng, 1, 40, 2, 32)
    ring = RingAttention(1, 2, 32, window)
    ring.positions[0] = first
    out = ring.steps(qkv)
    # A ring that starts late holds zeros where nothing was written; after one turn they are gone.
    assert relative_error(out[:, window:], attention(qkv, window, first_position=first)[:, window:]) < 1e-5


def test_far_scores_and_equal_scores() -> None:
    qkv = np.zeros((1, 6, 3, 1, 16), np.float32)
    qkv[:, :, 2, :, 0] = np.arange(6)[:, None]
    equal = RingAttention(1, 1, 16, 3).steps(qkv)[0, :, 0, 0]
    np.testing.assert_allclose(equal, [0, 0.5, 1, 2, 3, 4], atol=1e-6)
    qkv[:, :, :2, :, 7] = 300.0  # the slowest channel: scores of 22,500 at distance zero
    sharp = RingAttention(1, 1, 16, 3).steps(qkv)
    assert np.isfinite(sharp).all()
    assert relative_error(sharp, attention(qkv, 3)) < 1e-3


QKV = np.zeros((2, 3, 2, 32), np.float32)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: RingAttention(0, 1, 32, 4), ValueError, "attention: streams: expected at least 1, got 0"),
        (
            lambda: RingAttention(1, 1, 40, 4),
            ValueError,
            "head_size: expected a multiple of 16 from 16 to 256, got 40",
        ),
        (
            lambda: RingAttention(1, 1, 32, 4, cache="int8"),
            ValueError,
            "cache: expected float32 or bfloat16, got 'int8'",
        ),
        (
            lambda: RingAttention(2, 2, 32, 4).step(QKV[:1]),
            ValueError,
            r"qkv: expected float32 \[2, 3, 2, 32\], got \[1, 3, 2, 32\]",
        ),
        (
            lambda: RingAttention(2, 2, 32, 4).step(QKV.astype(np.float16)),
            TypeError,
            "qkv: expected float32 .* got float16",
        ),
        (
            lambda: RingAttention(2, 2, 32, 4).step(QKV, reset=np.zeros(2)),
            TypeError,
            r"reset: expected bool \[2\], got float64",
        ),
    ],
)
def test_mistakes_are_named(call: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
