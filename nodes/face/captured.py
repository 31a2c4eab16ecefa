"""The steps of a face as CUDA graphs, for one stream: the two networks, and the avatar that they move."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from rtgraph.kernels.common.captured import Captured, need_device
from rtgraph.kernels.decode.rig import Rig
from rtgraph.kernels.denoiser_step.triton import DenoiserStep
from rtgraph.kernels.encoder_step.triton import EncoderStep

#: What a frame brings, what it gives, and what says how it went.
_BUFFERS = {
    "encoder": (("mel", "previous", "eyes", "eyes_present", "emotion", "reset"), ("hidden", "replaced")),
    "denoiser": (
        ("noise", "hidden", "previous", "emotion", "reset"),
        ("latent", "frame", "confidence", "replaced"),
    ),
}


def capture(
    part: Literal["encoder", "denoiser"], config: Any, tensors: Mapping[str, Any], precision: Any
) -> Captured:
    """The step of a part on the current CUDA device. Raises RuntimeError where there is none."""
    need_device()
    step = {"encoder": EncoderStep, "denoiser": DenoiserStep}[part](config, tensors, precision)
    inputs, outputs = ({name: getattr(step, name) for name in names} for names in _BUFFERS[part])
    return Captured(step.step, inputs, outputs)


def capture_avatar(
    rig: Rig,
    neutral: NDArray[np.float32],
    joint_pivot: NDArray[np.float32],
    tint: NDArray[np.float32],
    mesh: bool,
    gaussians: bool,
) -> Captured:
    """A rig's inputs to vertices, normals and rows of Gaussians (as face.types.Splats), for a person.

    neutral [V, 3], joint_pivot [J, 3]: the person; tint [G, 4]: linear RGB and opacity. Raises RuntimeError
    where there is no CUDA device, or where rtgraph was built without CUDA.
    """
    need_device()
    try:
        from rtgraph.kernels.decode.cuda import DecodeBatchState, decode_batch
    except ImportError as error:
        raise RuntimeError(f"rtgraph was built without CUDA ({error})") from error
    state = DecodeBatchState(rig, 1)
    state.set_identity(0, neutral, joint_pivot)
    frames = state.empty_frames(normals=mesh, gaussians=gaussians)
    inputs = torch.zeros(1, rig.inputs, device=state.device)
    outputs = {}
    if mesh:
        assert frames.normals is not None
        outputs = {"vertices": frames.vertices, "normals": frames.normals}
    if gaussians:
        rows = torch.zeros(1, len(tint), 14, device=state.device)
        rows[0, :, 10:] = torch.from_numpy(tint).to(state.device)
        outputs["gaussians"] = rows

    def launch() -> None:
        decode_batch(state, inputs, out=frames)
        if gaussians:
            parts = (frames.gaussian_mean, frames.gaussian_rotation, frames.gaussian_scale)
            torch.cat([part for part in parts if part is not None], dim=2, out=rows[:, :, :10])

    return Captured(launch, {"inputs": inputs}, outputs)
