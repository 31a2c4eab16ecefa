"""The product of a few rows with weights on a GPU, fused with norm, activation and residual in one kernel.

A step reads each weight once, so a program owns a block of columns and keeps nothing else: the row's
norm is computed anew by every program, which costs less than a launch that would share it.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
import triton
import triton.language as tl
from torch import Tensor

Activation = Literal["none", "silu", "swiglu"]
Precision = Literal["float32", "bfloat16"]  # int8 saves bytes, and a card waits for launches instead

_ACTIVATIONS = {"none": 0, "silu": 1, "swiglu": 2}


@triton.jit
def silu(x):
    return x / (1.0 + tl.exp(-x))


@triton.jit
def load_input(
    x, gain, scale, shift, row, k, real_row, real_k, inverse, x_stride, modulation_stride, has_gain, has_scale
):
    """Rows of the input, normalised and modulated: [block_rows, block_k] float32."""
    mask = real_row[:, None] & real_k[None, :]
    value = tl.load(x + row[:, None] * x_stride + k[None, :], mask=mask, other=0.0).to(tl.float32)
    if has_gain:
        value = value * inverse[:, None] * tl.load(gain + k, mask=real_k, other=0.0)[None, :]
    if has_scale:
        at = row[:, None] * modulation_stride + k[None, :]
        factor = 1.0 + tl.load(scale + at, mask=mask, other=0.0)
        value = value * factor + tl.load(shift + at, mask=mask, other=0.0)
    return value


@triton.jit
def accumulate(total, value, weight, column, k, real_column, real_k, inputs, block_rows: tl.constexpr):
    """Adds value [block_rows, block_k] x weight [columns, inputs]^T to total [block_rows, block_columns]."""
    at = column[:, None].to(tl.int64) * inputs + k[None, :]
    part = tl.load(weight + at, mask=real_column[:, None] & real_k[None, :], other=0.0)
    if block_rows == 1:
        return total + tl.sum(part.to(tl.float32) * value, axis=1)[None, :]
    if part.dtype == tl.float32:
        return total + tl.dot(value, tl.trans(part), input_precision="ieee")
    # TF32 holds a bfloat16 exactly, and the interpreter knows no product of bfloat16.
    rounded = value.to(part.dtype).to(tl.float32)
    return total + tl.dot(rounded, tl.trans(part.to(tl.float32)), input_precision="tf32")


@triton.jit
def linear_kernel(
    x,  # [rows, inputs], rows x_stride apart
    weight,  # [columns, inputs]; with swiglu twice as many rows, the gates first
    bias,  # [columns]
    gain,  # [inputs]: turns the norm on
    scale,  # [rows, inputs], modulation_stride apart
    shift,
    residual,  # [rows, columns], residual_stride apart
    out,  # [rows, columns], out_stride apart
    rows,
    columns,
    x_stride,
    modulation_stride,
    residual_stride,
    out_stride,
    epsilon,
    inputs: tl.constexpr,
    activation: tl.constexpr,
    has_bias: tl.constexpr,
    has_gain: tl.constexpr,
    has_scale: tl.constexpr,
    has_residual: tl.constexpr,
    block_rows: tl.constexpr,
    block_columns: tl.constexpr,
    block_inputs: tl.constexpr,
):
    row = tl.program_id(1) * block_rows + tl.arange(0, block_rows)
    column = tl.program_id(0) * block_columns + tl.arange(0, block_columns)
    real_row, real_column = row < rows, column < columns
    k0 = tl.arange(0, block_inputs)

    inverse = tl.zeros([block_rows], tl.float32)
    if has_gain:
        for start in range(0, inputs, block_inputs):
            k = start + k0
            mask = real_row[:, None] & (k < inputs)[None, :]
            part = tl.load(x + row[:, None] * x_stride + k[None, :], mask=mask, other=0.0).to(tl.float32)
            inverse += tl.sum(part * part, axis=1)
        inverse = 1.0 / tl.sqrt(inverse / inputs + epsilon)

    total = tl.zeros([block_rows, block_columns], tl.float32)
    upper = tl.zeros([block_rows, block_columns], tl.float32)
    for start in range(0, inputs, block_inputs):
        k = start + k0
        real_k = k < inputs
        value = load_input(
            x,
            gain,
            scale,
            shift,
            row,
            k,
            real_row,
            real_k,
            inverse,
            x_stride,
            modulation_stride,
            has_gain,
            has_scale,
        )
        total = accumulate(total, value, weight, column, k, real_column, real_k, inputs, block_rows)
        if activation == 2:
            second = column + columns
            upper = accumulate(upper, value, weight, second, k, real_column, real_k, inputs, block_rows)

    if has_bias:
        total += tl.load(bias + column, mask=real_column, other=0.0)[None, :]
        if activation == 2:
            upper += tl.load(bias + columns + column, mask=real_column, other=0.0)[None, :]
    if activation == 1:
        total = silu(total)
    if activation == 2:
        total = silu(total) * upper
    mask = real_row[:, None] & real_column[None, :]
    if has_residual:
        total += tl.load(residual + row[:, None] * residual_stride + column[None, :], mask=mask, other=0.0)
    tl.store(out + row[:, None] * out_stride + column[None, :], total, mask=mask)


def constants(
    inputs: int,
    activation: Activation,
    rows: int,
    *,
    bias: bool = False,
    gain: bool = False,
    scale: bool = False,
    residual: bool = False,
) -> dict[str, Any]:
    """The compile-time arguments of linear_kernel."""
    one = rows == 1
    return {
        "inputs": inputs,
        "activation": _ACTIVATIONS[activation],
        "has_bias": bias,
        "has_gain": gain,
        "has_scale": scale,
        "has_residual": residual,
        "block_rows": 1 if one else 16,
        # One stream: many small programs, so that all of the card reads weights.
        "block_columns": 4 if one else 16 if activation == "swiglu" else 32,
        "block_inputs": 256 if one else 64,
    }


class Linear:
    """Weights on a device for y = activation(norm(x) weight^T + bias) + residual; as kernels.linear.Linear.

    weight [columns, inputs], bias [columns] float32 are copied. bfloat16 rounds the weights and, for several
    rows, the inputs.
    """

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor | None = None,
        precision: Precision = "float32",
        activation: Activation = "none",
        device: torch.device | str = "cuda",
    ) -> None:
        if weight.ndim != 2 or (activation == "swiglu" and weight.shape[0] % 2):
            raise ValueError(f"linear: weight: expected [columns, inputs], got {list(weight.shape)}")
        columns, self.inputs = weight.shape
        self.columns = columns // 2 if activation == "swiglu" else columns
        self.activation: Activation = activation
        self.device = torch.device(device)
        weight = weight.detach().float()
        if precision == "bfloat16":
            weight = weight.bfloat16()
        self._weight = weight.contiguous().to(device)
        self._bias = None if bias is None else bias.detach().float().contiguous().to(device)

    @property
    def weight_bytes(self) -> int:
        """Bytes of weights that a call reads."""
        return self._weight.numel() * self._weight.element_size()

    def __call__(
        self,
        x: Tensor,
        out: Tensor,
        *,
        gain: Tensor | None = None,
        scale: Tensor | None = None,
        shift: Tensor | None = None,
        epsilon: float = 1e-5,
        residual: Tensor | None = None,
    ) -> Tensor:
        """x [rows, inputs] float32 -> out [rows, columns] float32; nothing waits, nothing is allocated.

        The rows of each may lie apart (a stride over dimension 0). Raises ValueError where one does not fit.
        """
        rows = x.shape[0]
        self._check("x", x, rows, self.inputs)
        self._check("out", out, rows, self.columns)
        for name, value in (("scale", scale), ("shift", shift)):
            if value is not None:
                self._check(name, value, rows, self.inputs)
        if residual is not None:
            self._check("residual", residual, rows, self.columns)
        if (scale is None) != (shift is None) or (scale is not None and gain is None):
            raise ValueError("linear: scale and shift: expected both, with a gain, or neither")
        if scale is not None and shift is not None and scale.stride(0) != shift.stride(0):
            raise ValueError("linear: scale and shift: expected rows equally far apart")
        fixed = constants(
            self.inputs,
            self.activation,
            rows,
            bias=self._bias is not None,
            gain=gain is not None,
            scale=scale is not None,
            residual=residual is not None,
        )
        grid = (triton.cdiv(self.columns, fixed["block_columns"]), triton.cdiv(rows, fixed["block_rows"]))

        def given(value: Tensor | None) -> Tensor:
            return x if value is None else value  # a kernel's pointer has to point somewhere

        linear_kernel[grid](
            x, self._weight, given(self._bias), given(gain), given(scale), given(shift),
            given(residual), out, rows, self.columns, x.stride(0), given(scale).stride(0),
            given(residual).stride(0), out.stride(0), epsilon, **fixed,
        )  # fmt: skip
        return out

    def _check(self, name: str, value: Tensor, rows: int, columns: int) -> None:
        expected = f"float32 [{rows}, {columns}] on {self.device}, each row contiguous"
        fits = value.dtype == torch.float32 and value.device.type == self.device.type
        if not fits or tuple(value.shape) != (rows, columns) or value.stride(1) != 1:
            raise ValueError(
                f"linear: {name}: expected {expected},"
                f" got {value.dtype} {list(value.shape)} on {value.device}"
            )
