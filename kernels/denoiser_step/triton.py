"""One evaluation of the denoiser and its expression head for many streams on a GPU, in Triton kernels; see
models/one_step_denoiser.py. Like kernels/encoder_step/triton.py, made to be captured in a CUDA graph.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from ..common.stream_rows import hold_kernel
from ..linear.triton import Linear, Precision

CONDITIONS = ("hidden", "previous", "emotion")


@triton.jit
def squash_kernel(face, frame, confidence, weights, angles, regions, block: tl.constexpr):
    """face [B, weights + angles + regions] -> frame (weights 0..1, angles), confidence 0..1 (logistic)."""
    stream = tl.program_id(0)
    at = tl.arange(0, block)
    numbers = weights + angles
    x = tl.load(face + stream * (numbers + regions) + at, mask=at < numbers + regions, other=0.0)
    squashed = 1.0 / (1.0 + tl.exp(-x))
    y = tl.where((at >= weights) & (at < numbers), x, squashed)
    tl.store(frame + stream * numbers + at, y, mask=at < numbers)
    tl.store(confidence + stream * regions + at - numbers, y, mask=(at >= numbers) & (at < numbers + regions))


class DenoiserStep:
    """The denoiser's weights on a device and the buffers of its streams.

    config: a DenoiserConfig (models/config.py). Inputs: noise [B, latent_width], hidden [B, hidden_width],
    previous [B, latent_width] (the latent of the frame before: the same buffer), emotion [B, emotions],
    reset [B] bool. Outputs: latent [B, latent_width], frame [B, weights + angles], confidence [B, regions].
    float32. `hidden` may be the encoder's buffer. `replaced` counts broken rows, as the encoder's.
    """

    def __init__(
        self,
        config: Any,
        weights: Mapping[str, Any],
        precision: Precision = "float32",
        streams: int = 1,
        device: torch.device | str = "cuda",
        hidden: Tensor | None = None,
    ) -> None:
        c = self.config = config
        self.streams = b = streams
        tensors = {name: torch.as_tensor(value).float() for name, value in weights.items()}

        def weight(name: str) -> Tensor:
            if name not in tensors:
                raise ValueError(f"denoiser_step: weights: there is no '{name}'")
            return tensors[name]

        def linear(name: str, activation: Any = "none") -> Linear:
            return Linear(weight(f"{name}.weight"), weight(f"{name}.bias"), precision, activation, device)

        def buffer(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
            return torch.zeros(shape, dtype=dtype, device=device)

        self.noise, self.latent = buffer(b, c.latent_width), buffer(b, c.latent_width)
        self.previous = self.latent
        self.hidden = buffer(b, c.hidden_width) if hidden is None else hidden
        self.emotion, self.reset = buffer(b, c.emotions), buffer(b, dtype=torch.bool)
        self.frame, self.confidence = buffer(b, c.weights + c.angles), buffer(b, c.regions)
        self.replaced = buffer(1, dtype=torch.int32)

        together = torch.cat([weight(f"{name}.weight") for name in CONDITIONS], dim=1)
        self._condition = Linear(together, weight("hidden.bias"), precision, "silu", device)
        self._noise = linear("noise")
        self._blocks = [
            (
                weight(f"blocks.{i}.norm.weight").to(device),
                linear(f"blocks.{i}.modulation"),
                Linear(
                    torch.cat([weight(f"blocks.{i}.mlp.{part}.weight") for part in ("gate", "up")]),
                    None,
                    precision,
                    "swiglu",
                    device,
                ),
                Linear(weight(f"blocks.{i}.mlp.down.weight"), None, precision, "none", device),
            )
            for i in range(c.blocks)
        ]
        self._norm, self._out = weight("norm.weight").to(device), linear("out")
        self._inner, self._face_out = linear("head.inner", "silu"), linear("head.out")
        self._present = torch.ones(b, dtype=torch.bool, device=device)
        self._nothing = buffer(max(c.latent_width, c.hidden_width, c.emotions))
        self._conditions = buffer(b, together.shape[1])
        self._taken, self._c = buffer(b, c.latent_width), buffer(b, c.width)
        self._x, self._modulation = buffer(b, c.width), buffer(b, 2 * c.width)
        self._gated, self._head = buffer(b, c.mlp_width), buffer(b, c.head_width)
        self._face = buffer(b, c.weights + c.angles + c.regions)

    def step(self) -> None:
        """Launches one evaluation for every stream on the current CUDA stream."""
        c, epsilon = self.config, self.config.norm_epsilon
        start = 0
        for name in CONDITIONS:
            start = self._hold(self._conditions, start, getattr(self, name))
        self._hold(self._taken, 0, self.noise)
        self._condition(self._conditions, self._c)
        self._noise(self._taken, self._x)
        for norm, modulation, gated, down in self._blocks:
            modulation(self._c, self._modulation)
            scale, shift = self._modulation[:, : c.width], self._modulation[:, c.width :]
            gated(self._x, self._gated, gain=norm, scale=scale, shift=shift, epsilon=epsilon)
            down(self._gated, self._x, residual=self._x)
        self._out(self._x, self.latent, gain=self._norm, epsilon=epsilon)
        self._inner(self.latent, self._head)
        self._face_out(self._head, self._face)
        squash_kernel[(self.streams,)](
            self._face, self.frame, self.confidence, c.weights, c.angles, c.regions,
            triton.next_power_of_2(self._face.shape[1]),
        )  # fmt: skip

    def _hold(self, held: Tensor, start: int, given: Tensor) -> int:
        """Takes an input into its columns; returns where the next begin."""
        width = given.shape[1]
        hold_kernel[(self.streams,)](
            held[:, start : start + width], given, self._nothing, self._present.view(torch.int8),
            self.reset.view(torch.int8), self.replaced, held.stride(0), width, triton.next_power_of_2(width),
        )  # fmt: skip
        return start + width
