"""The avatar decoder of many sessions on a GPU: state on the device, graph-capturable."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import torch

from .. import _cuda
from ..common.torch_arrays import address, cuda_device
from .rig import Rig


@dataclass(frozen=True)
class FrameBatch:
    """The tensors that decoded frames are written to; None for an output that is not wanted, nor computed."""

    vertices: torch.Tensor  # [S, V, 3]; always wanted, as the others read them
    normals: torch.Tensor | None = None  # [S, V, 3] unit
    gaussian_mean: torch.Tensor | None = None  # [S, G, 3]
    gaussian_rotation: torch.Tensor | None = None  # [S, G, 4] unit quaternion w x y z
    gaussian_scale: torch.Tensor | None = None  # [S, G, 3]


class DecodeBatchState:
    """The state of S sessions of one rig on one device; belongs to one CUDA stream at a time.

    Raises ValueError where the rig is wrong or beyond the GPU kernels (512 inputs, 16 joints), RuntimeError
    where there is no device.
    """

    def __init__(self, rig: Rig, sessions: int, device: str | torch.device = "cuda") -> None:
        self.rig, self.sessions, self.device = rig, sessions, cuda_device(device)
        with torch.cuda.device(self.device):
            self._batch = _cuda.decode.Batch(rig, sessions)

    def set_identity(
        self, session: int, neutral: npt.NDArray[np.float32], joint_pivot: npt.NDArray[np.float32]
    ) -> None:
        """Take a person's neutral head [V, 3] and joint pivots [J, 3], host arrays, for a session. Waits."""
        for name, value, rows in (
            ("neutral", neutral, self.rig.vertices),
            ("joint_pivot", joint_pivot, self.rig.joints),
        ):
            if np.shape(value) != (rows, 3) or not np.isfinite(value).all():
                raise ValueError(
                    f"decode: {name}: expected finite [{rows}, 3], got {list(np.shape(value))}"
                    + (" with NaN or Inf" if np.shape(value) == (rows, 3) else "")
                )
        with torch.cuda.device(self.device):
            torch.cuda.synchronize()
            self._batch.set_identity(session, neutral, joint_pivot)

    def replaced_frames(self) -> list[int]:
        """Broken expressions of each session since its start or reset. Waits for the device."""
        with torch.cuda.device(self.device):
            torch.cuda.synchronize()
            return list(self._batch.replaced_frames())

    def empty_frames(self, normals: bool = True, gaussians: bool = True) -> FrameBatch:
        """Frames for this rig and these sessions."""
        wanted = {"vertices": True, "normals": normals}
        return FrameBatch(
            *(
                torch.empty(shape, device=self.device) if wanted.get(name, gaussians) else None
                for name, shape in self._shapes().items()
            )
        )

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        s, v, g = self.sessions, self.rig.vertices, self.rig.gaussians
        lasts = {"vertices": (v, 3), "normals": (v, 3), "gaussian_rotation": (g, 4)}
        return {item.name: (s, *lasts.get(item.name, (g, 3))) for item in fields(FrameBatch)}


def decode_batch(
    state: DecodeBatchState,
    expression: torch.Tensor,
    reset: torch.Tensor | None = None,
    out: FrameBatch | None = None,
) -> FrameBatch:
    """Decode one expression a session, [S, E] float32 on the state's device, into `out` or new frames.

    reset: [S] uint8, non-zero where a session forgets its last good expression first. Runs on torch's current
    stream and does not wait. Raises TypeError or ValueError, naming the tensor, where one does not fit.
    """
    out = out or state.empty_frames()
    device = state.device
    expression_at = address("decode", "expression", expression, (state.sessions, state.rig.inputs), device)
    reset_at = 0
    if reset is not None:
        reset_at = address("decode", "reset", reset, (state.sessions,), device, torch.uint8)
    outputs = []
    for name, shape in state._shapes().items():
        value = getattr(out, name)
        outputs.append(0 if value is None else address("decode", name, value, shape, device))
    if len({value is None for value in (out.gaussian_mean, out.gaussian_rotation, out.gaussian_scale)}) > 1:
        raise ValueError("decode: out: expected all three Gaussian tensors or none, got some")
    with torch.cuda.device(device):
        stream = torch.cuda.current_stream(device).cuda_stream
        state._batch.step(expression_at, reset_at, *outputs, stream)
    return out
