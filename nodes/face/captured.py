"""The parts of the face networks as CUDA graphs, for one stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch

from rtgraph.kernels.common.captured import Captured
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
    if not torch.cuda.is_available():
        raise RuntimeError("no CUDA device is available")
    step = {"encoder": EncoderStep, "denoiser": DenoiserStep}[part](config, tensors, precision)
    inputs, outputs = ({name: getattr(step, name) for name in names} for names in _BUFFERS[part])
    return Captured(step.step, inputs, outputs)
