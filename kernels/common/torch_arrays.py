"""Checks of torch tensors that a CUDA kernel is to read or write, answered by name."""

from __future__ import annotations

import torch


def address(
    operation: str,
    name: str,
    value: torch.Tensor,
    shape: tuple[int, ...],
    device: torch.device,
    dtype: torch.dtype = torch.float32,
) -> int:
    """The device address of a contiguous tensor of this shape, device and dtype.

    Raises TypeError or ValueError, naming the tensor, what was expected and what came.
    """
    if not isinstance(value, torch.Tensor) or value.dtype != dtype:
        got = value.dtype if isinstance(value, torch.Tensor) else type(value).__name__
        raise TypeError(f"{operation}: {name}: expected a {dtype} tensor, got {got}")
    if value.device != device:
        raise ValueError(f"{operation}: {name}: expected it on {device}, got {value.device}; move it there")
    if tuple(value.shape) != shape or not value.is_contiguous():
        layout = "" if value.is_contiguous() else ", not contiguous"
        raise ValueError(
            f"{operation}: {name}: expected a contiguous {list(shape)}, got {list(value.shape)}{layout}"
        )
    return int(value.data_ptr())


def cuda_device(device: str | torch.device) -> torch.device:
    """The device with its index, so that it compares equal to a tensor's.

    Raises ValueError where it is no CUDA device, RuntimeError where there is none.
    """
    chosen = torch.device(device)
    if chosen.type != "cuda":
        raise ValueError(f"device: expected a CUDA device, got {chosen}; on a CPU use the state without it")
    if not torch.cuda.is_available():
        raise RuntimeError("device: no CUDA device is available; use the CPU state, or check the driver")
    return torch.device("cuda", torch.cuda.current_device() if chosen.index is None else chosen.index)
