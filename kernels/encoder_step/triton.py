"""One frame of the online encoder for many streams on a GPU, as a chain of Triton kernels; see
models/online_encoder.py.

Inputs and outputs are buffers that stay where they are, positions and masks live on the device, and nothing
waits or allocates: a CUDA graph captures the chain once and replays it for every frame.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
import triton
from torch import Tensor

from ..attention.triton import advance_kernel, attention_kernel, constants
from ..common.stream_rows import hear_kernel, hold_kernel, slide_kernel
from ..linear.triton import Linear, Precision

CONDITIONS = ("previous", "eyes", "emotion", "style")


class EncoderStep:
    """The encoder's weights on a device, the state of its streams, and their input and output buffers.

    config: an EncoderConfig (models/config.py). weights: the encoder's arrays under torch's names. Fill the
    inputs, call `step`, read `hidden`:

        mel [B, hops_per_frame, mel_bands]; previous [B, latent_width]; eyes [B, eye_features] with
        eyes_present [B] bool; emotion [B, emotions]; style [B, style_width]; reset [B] bool: the stream
        begins anew with this frame -> hidden [B, hidden_width]. float32.

    `replaced` [1] int32 counts broken input rows (NaN, infinity, beyond 1e6), in whose place stands what came
    before.

    Raises ValueError where a weight is missing or does not fit.
    """

    def __init__(
        self,
        config: Any,
        weights: Mapping[str, Any],
        precision: Precision = "float32",
        streams: int = 1,
        device: torch.device | str = "cuda",
    ) -> None:
        c = self.config = config
        self.streams = b = streams
        tensors = {name: torch.as_tensor(value).float() for name, value in weights.items()}

        def weight(name: str) -> Tensor:
            if name not in tensors:
                raise ValueError(f"encoder_step: weights: there is no '{name}'")
            return tensors[name]

        def linear(name: str, bias: bool = False, activation: Any = "none") -> Linear:
            return Linear(
                weight(f"{name}.weight"),
                weight(f"{name}.bias") if bias else None,
                precision,
                activation,
                device,
            )

        def convolution(name: str, activation: Any) -> Linear:
            kernel = weight(f"{name}.weight").permute(0, 2, 1).flatten(1)  # [out, kernel * in]
            return Linear(kernel, weight(f"{name}.bias"), precision, activation, device)

        def buffer(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
            return torch.zeros(shape, dtype=dtype, device=device)

        self.mel = buffer(b, c.hops_per_frame, c.mel_bands)
        self.previous = buffer(b, c.latent_width)
        self.eyes = buffer(b, c.eye_features)
        self.eyes_present = buffer(b, dtype=torch.bool)
        self.emotion = buffer(b, c.emotions)
        self.style = buffer(b, c.style_width)
        self.reset = buffer(b, dtype=torch.bool)
        self.hidden = buffer(b, c.hidden_width)
        self.replaced = buffer(1, dtype=torch.int32)
        self.positions = buffer(b, dtype=torch.int64)

        self._stem, self._frame = convolution("stem", "silu"), convolution("frame", "none")
        together = torch.cat([weight(f"{name}.weight") for name in CONDITIONS], dim=1)
        self._condition = Linear(together, None, precision, "none", device)
        self._absent = {name: torch.zeros(getattr(self, name).shape[1], device=device) for name in CONDITIONS}
        self._absent["eyes"].copy_(weight("eyes_absent"))
        self._present = torch.ones(b, dtype=torch.bool, device=device)
        self._blocks = [
            (
                weight(f"blocks.{i}.attention_norm.weight").to(device),
                linear(f"blocks.{i}.attention.qkv"),
                linear(f"blocks.{i}.attention.out"),
                weight(f"blocks.{i}.mlp_norm.weight").to(device),
                Linear(
                    torch.cat([weight(f"blocks.{i}.mlp.{part}.weight") for part in ("gate", "up")]),
                    None,
                    precision,
                    "swiglu",
                    device,
                ),
                linear(f"blocks.{i}.mlp.down"),
                buffer(2, b, c.heads, c.window, c.head_size),  # keys, values
            )
            for i in range(c.layers)
        ]
        self._norm, self._out = weight("norm.weight").to(device), linear("out", bias=True)
        exponent = torch.arange(0, c.head_size, 2, dtype=torch.float64) / c.head_size
        self._frequency = (c.rotary_base**-exponent / (math.pi / 2)).to(device)

        self._mel_window = buffer(b, (c.stem_kernel - 1 + c.hops_per_frame) * c.mel_bands)
        self._stem_window = buffer(b, c.frame_kernel * c.stem_width)
        self._conditions = buffer(b, together.shape[1])
        self._x, self._attended = buffer(b, c.width), buffer(b, c.width)
        self._qkv, self._gated = buffer(b, 3 * c.width), buffer(b, c.mlp_width)

    def step(self) -> None:
        """Launches the next frame of every stream on the current CUDA stream."""
        self._hear()
        self._take_conditions()
        c, b, x, epsilon = self.config, self.streams, self._x, self.config.norm_epsilon
        mask = self.reset.view(torch.int8)
        for attention_norm, qkv, attention_out, mlp_norm, gated, down, cache in self._blocks:
            qkv(x, self._qkv, gain=attention_norm, epsilon=epsilon)
            attention_kernel[(b, c.heads)](
                self._qkv, cache[0], cache[1], self.positions, mask, self._frequency, self._attended, 1,
                c.heads, 1 / math.sqrt(c.head_size), **constants(c.window, c.head_size),
            )  # fmt: skip
            attention_out(self._attended, x, residual=x)
            gated(x, self._gated, gain=mlp_norm, epsilon=epsilon)
            down(self._gated, x, residual=x)
        advance_kernel[(b,)](self.positions, mask, 1)
        self._out(x, self.hidden, gain=self._norm, epsilon=epsilon)

    def _hear(self) -> None:
        """The convolutions: windows of hops and of the stem's outputs move on."""
        c, b = self.config, self.streams
        mask = self.reset.view(torch.int8)
        tail, bands, hops, width = c.stem_kernel - 1, c.mel_bands, c.hops_per_frame, c.stem_width
        stem_tail = c.frame_kernel - hops
        for window, kept, added in (
            (self._mel_window, tail * bands, hops * bands),
            (self._stem_window, stem_tail * width, hops * width),
        ):
            slide_kernel[(b,)](window, mask, kept, added, triton.next_power_of_2(max(kept, 1)))
        hear_kernel[(b,)](
            self._mel_window, self.mel, self.replaced, tail, hops, bands, triton.next_power_of_2(bands)
        )
        for hop in range(hops):
            heard = self._mel_window[:, hop * bands : (hop + c.stem_kernel) * bands]
            at = (stem_tail + hop) * width
            self._stem(heard, self._stem_window[:, at : at + width])
        self._frame(self._stem_window, self._x)

    def _take_conditions(self) -> None:
        """Adds the conditions to the frame's token."""
        mask, start = self.reset.view(torch.int8), 0
        for name in CONDITIONS:
            given: Tensor = getattr(self, name)
            width = given.shape[1]
            present = self.eyes_present if name == "eyes" else self._present
            hold_kernel[(self.streams,)](
                self._conditions[:, start : start + width], given, self._absent[name],
                present.view(torch.int8), mask, self.replaced, self._conditions.stride(0), width,
                triton.next_power_of_2(width),
            )  # fmt: skip
            start += width
        self._condition(self._conditions, self._x, residual=self._x)
