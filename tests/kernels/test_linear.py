"""The fused product and RMSNorm against their references in float64, on every instruction set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rtgraph.kernels.linear import Linear, instruction_sets
from rtgraph.kernels.linear.reference import linear, quantise_rows, round_bfloat16, silu
from rtgraph.kernels.norm import reference as norm_reference
from rtgraph.kernels.norm import rms_norm

Array = np.ndarray[Any, np.dtype[Any]]
TOLERANCE = {"float32": 1e-5, "bfloat16": 1e-2, "int8": 2e-2}
SIZES = [
    (1, 1, 1),
    (3, 2, 5),
    (1, 65, 17),
    (7, 130, 33),
    (2, 64, 256),
    (13, 96, 240),
    (1, 67, 129),
    (5, 256, 760),
]


def relative_error(got: Array, expected: Array) -> float:
    return float(np.linalg.norm(got - expected) / np.linalg.norm(expected))


def normal(rng: np.random.Generator, *shape: int) -> Array:
    return rng.standard_normal(shape).astype(np.float32)


def double(value: Any) -> Any:
    return value.astype(np.float64) if isinstance(value, np.ndarray) else value


@pytest.mark.parametrize("isa", instruction_sets())
@pytest.mark.parametrize("precision", TOLERANCE)
@pytest.mark.parametrize("activation", ["none", "silu", "swiglu"])
def test_against_the_reference(isa: str, precision: Any, activation: Any) -> None:
    rng = np.random.default_rng([1, len(isa), len(precision), len(activation)])
    for rows, columns, inputs in SIZES:
        columns += columns % 2
        weight = normal(rng, columns, inputs) / np.float32(np.sqrt(inputs))
        bias, x = normal(rng, columns), normal(rng, rows, inputs)
        product = Linear(weight, bias, precision, activation, isa)
        around: dict[str, Any] = {}
        for extra in (
            {},
            {"residual": normal(rng, rows, product.outputs)},
            {"gain": rng.uniform(0.5, 1.5, inputs).astype(np.float32)},
            {"scale": 0.3 * normal(rng, rows, inputs), "shift": normal(rng, rows, inputs)},
        ):
            around.update(extra)
            out = np.full((rows, product.outputs), np.nan, np.float32)
            assert product(x, out=out, **around) is out
            expected = linear(
                double(x),
                double(weight),
                double(bias),
                activation=activation,
                **{k: double(v) for k, v in around.items()},
            )
            # Few inputs leave rounding no chance to average out; the next two tests check it exactly.
            limit = TOLERANCE[precision] * (4 if precision != "float32" and inputs < 64 else 1)
            assert relative_error(out, expected) < limit, (rows, columns, inputs, sorted(around))


@pytest.mark.parametrize("isa", instruction_sets())
def test_bfloat16_is_exactly_rounding_of_both_sides(isa: str) -> None:
    rng = np.random.default_rng(2)
    weight, x = normal(rng, 70, 131), normal(rng, 9, 131)
    expected = linear(double(round_bfloat16(x)), double(round_bfloat16(weight)))
    assert relative_error(Linear(weight, None, "bfloat16", isa=isa)(x), expected) < 1e-6


@pytest.mark.parametrize("isa", instruction_sets())
def test_int8_is_exactly_rounding_of_both_sides(isa: str) -> None:
    rng = np.random.default_rng(3)
    weight, x = normal(rng, 70, 131), normal(rng, 9, 131)
    (w, w_scale), (q, x_scale) = quantise_rows(weight), quantise_rows(x)
    expected = (q.astype(np.float64) @ w.T.astype(np.float64)) * x_scale * w_scale.T
    assert relative_error(Linear(weight, None, "int8", isa=isa)(x), expected) < 1e-6


@pytest.mark.parametrize("isa", instruction_sets())
def test_extreme_int8_values_do_not_saturate(isa: str) -> None:
    x = np.full((1, 256), 1, np.float32)
    weight = np.concatenate([np.full((1, 256), 3, np.float32), np.full((1, 256), -3, np.float32)])
    np.testing.assert_allclose(Linear(weight, None, "int8", isa=isa)(x), [[768, -768]], rtol=1e-6)


@pytest.mark.parametrize("precision", TOLERANCE)
def test_zeros_and_denormals(precision: Any) -> None:
    rng = np.random.default_rng(4)
    weight, bias = normal(rng, 20, 40), normal(rng, 20)
    product = Linear(weight, bias, precision)
    np.testing.assert_array_equal(product(np.zeros((2, 40), np.float32)), np.stack([bias, bias]))
    np.testing.assert_allclose(product(np.full((1, 40), 1e-40, np.float32)), bias[None], rtol=1e-6)
    np.testing.assert_array_equal(
        Linear(np.zeros((3, 40), np.float32), None, precision)(normal(rng, 1, 40)), 0
    )


def test_activation_far_from_zero() -> None:
    identity = np.eye(8, dtype=np.float32)
    x = np.array([[-1e4, -100, -88, -20, 20, 88, 100, 1e4]], np.float32)
    with np.errstate(over="ignore"):
        expected = silu(double(x))
    np.testing.assert_allclose(
        Linear(identity, None, "float32", "silu")(x), expected, rtol=1e-5, atol=1e-30 + 1e-4
    )


@pytest.mark.parametrize("isa", ["baseline", "avx2", "avx512"])
def test_rms_norm(isa: str) -> None:
    if isa not in instruction_sets():
        pytest.skip(f"this machine does not run {isa}")
    rng = np.random.default_rng(5)
    for rows, width in [(1, 1), (3, 7), (5, 33), (2, 256), (64, 130)]:
        x, gain = normal(rng, rows, width), normal(rng, width)
        scale, shift = normal(rng, rows, width), normal(rng, rows, width)
        for condition in ({}, {"scale": scale, "shift": shift}):
            out = np.full_like(x, np.nan)
            rms_norm(x, gain, out=out, isa=isa, **condition)
            expected = norm_reference.rms_norm(
                double(x), double(gain), **{k: double(v) for k, v in condition.items()}
            )
            assert relative_error(out, expected) < 1e-6


def test_the_residual_may_be_the_output() -> None:
    rng = np.random.default_rng(6)
    weight, x, y = normal(rng, 70, 30), normal(rng, 3, 30), normal(rng, 3, 70)
    expected = Linear(weight)(x, residual=y.copy())
    np.testing.assert_array_equal(Linear(weight)(x, residual=y, out=y), expected)


WEIGHT = np.ones((4, 6), np.float32)
X = np.ones((2, 6), np.float32)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: Linear([[1.0]]),
            TypeError,
            r"linear: weight: expected a numpy array float32 \[any, any\], got list",
        ),
        (
            lambda: Linear(WEIGHT.astype(np.float64)),
            TypeError,
            r"weight: expected float32 .* got float64; convert",
        ),
        (
            lambda: Linear(WEIGHT[:3], activation="swiglu"),
            ValueError,
            "expected some inputs and an even number of columns, got",
        ),
        (
            lambda: Linear(WEIGHT, np.ones(5, np.float32)),
            ValueError,
            r"bias: expected float32 \[4\], got \[5\]",
        ),
        (
            lambda: Linear(WEIGHT, precision="int4"),
            ValueError,
            "precision: expected float32, bfloat16 or int8, got 'int4'",
        ),
        (
            lambda: Linear(WEIGHT, activation="tanh"),
            ValueError,
            "activation: expected none, silu or swiglu, got 'tanh'",
        ),
        (
            lambda: Linear(WEIGHT, isa="sse9"),
            ValueError,
            r"isa: expected one that this machine runs \(baseline.*got 'sse9'",
        ),
        (
            lambda: Linear(WEIGHT)(X[:, :5].copy()),
            ValueError,
            r"x: expected float32 \[any, 6\], got \[2, 5\]",
        ),
        (
            lambda: Linear(WEIGHT)(np.asfortranarray(X)),
            ValueError,
            "x: expected a contiguous array, got strides",
        ),
        (
            lambda: Linear(WEIGHT)(X, scale=X, shift=X),
            ValueError,
            "scale and shift: expected both, with a gain",
        ),
        (
            lambda: rms_norm(X, X[0], shift=X),
            ValueError,
            "rms_norm: scale and shift: expected both or neither",
        ),
    ],
)
def test_mistakes_are_named(call: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
