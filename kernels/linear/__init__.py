"""The product of a few rows with packed weights, fused with norm, bias, activation and residual."""

from __future__ import annotations

from typing import Literal

import numpy as np

from .. import _cpu
from .check import Array, check_array, check_optional

__all__ = ["Activation", "Linear", "Precision", "instruction_sets"]

Precision = Literal["float32", "bfloat16", "int8"]
Activation = Literal["none", "silu", "swiglu"]


def instruction_sets() -> list[str]:
    """The instruction sets that this machine runs, weakest first; a name of these is what `isa` takes."""
    return list(_cpu.linear.instruction_sets())


class Linear:
    """Weights packed for y = activation(norm(x) weight^T + bias) + residual.

    weight [columns, inputs] and bias [columns] float32 are copied. swiglu takes the first half of the columns
    as gates and gives half as many outputs. bfloat16 rounds weights and inputs; int8 has a scale a column of
    weights and, at each call, a scale a row of inputs. isa names an instruction set for tests; None takes the
    best.
    """

    def __init__(
        self,
        weight: Array,
        bias: Array | None = None,
        precision: Precision = "float32",
        activation: Activation = "none",
        isa: str | None = None,
    ) -> None:
        check_array("linear", "weight", weight, (None, None))
        self.columns, self.inputs = weight.shape
        check_optional("linear", "bias", bias, (self.columns,))
        if min(weight.shape) == 0 or (activation == "swiglu" and self.columns % 2):
            number = "an even number of" if activation == "swiglu" else "some"
            raise ValueError(
                f"linear: weight: expected some inputs and {number} columns, got {list(weight.shape)}"
            )
        self.outputs = self.columns // 2 if activation == "swiglu" else self.columns
        self._packed = _cpu.linear.Linear(weight, bias, precision, activation, isa)

    def __call__(
        self,
        x: Array,
        *,
        gain: Array | None = None,
        scale: Array | None = None,
        shift: Array | None = None,
        epsilon: float = 1e-5,
        residual: Array | None = None,
        out: Array | None = None,
    ) -> Array:
        """x [rows, inputs] float32, finite -> [rows, outputs].

        gain [inputs] turns the norm on; scale and shift [rows, inputs] modulate what it gives; residual
        [rows, outputs] is added last and may be out. Raises TypeError or ValueError where an array does not
        fit.
        """
        check_array("linear", "x", x, (None, self.inputs))
        check_optional("linear", "gain", gain, (self.inputs,))
        check_optional("linear", "scale", scale, x.shape)
        check_optional("linear", "shift", shift, x.shape)
        check_optional("linear", "residual", residual, (len(x), self.outputs))
        if (scale is None) != (shift is None) or (scale is not None and gain is None):
            raise ValueError(
                "linear: scale and shift: expected both, with a gain, or neither; pass zeros or ones instead"
            )
        if out is None:
            out = np.empty((len(x), self.outputs), np.float32)
        check_array("linear", "out", out, (len(x), self.outputs))
        self._packed.run(x, gain, scale, shift, epsilon, residual, out)
        return out
