"""Checks of array arguments; an error names the operation, the argument, what was expected and what came."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def check_array(
    op: str, name: str, value: object, shape: tuple[int | None, ...], dtype: type = np.float32
) -> Array:
    """`value` as a contiguous array of `shape` (None: any size) and `dtype`; no conversion is made.

    Raises TypeError where it is no array or of another dtype, ValueError where shape or strides differ.
    """
    expected = f"{np.dtype(dtype).name} [{', '.join('any' if n is None else str(n) for n in shape)}]"
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{op}: {name}: expected a numpy array {expected}, got {type(value).__name__}")
    if value.dtype != dtype:
        raise TypeError(f"{op}: {name}: expected {expected}, got {value.dtype}; convert it with .astype")
    if value.ndim != len(shape) or any(
        n not in (None, size) for n, size in zip(shape, value.shape, strict=True)
    ):
        raise ValueError(f"{op}: {name}: expected {expected}, got {list(value.shape)}")
    if not value.flags.c_contiguous:
        raise ValueError(f"{op}: {name}: expected a contiguous array, got strides {value.strides}; copy it")
    return value


def check_optional(
    op: str, name: str, value: object, shape: tuple[int | None, ...], dtype: type = np.float32
) -> Array | None:
    """As check_array, where None is allowed."""
    return None if value is None else check_array(op, name, value, shape, dtype)
