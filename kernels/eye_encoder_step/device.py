"""The eye encoder for many pairs of pictures on a GPU, as torch operations over buffers that stay where they
are; see models/eye_encoder.py.

Nothing waits or allocates for the host: a CUDA graph captures the step once and replays it for every frame.
The convolutions are cuDNN's, in float16 with channels last unless float32 is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor

Precision = Literal["float16", "float32"]


class EyeEncoderDevice:
    """The weights on a device, with input and output buffers for so many pairs.

    config, decode, weights, height and width as for EyeEncoderStep. Fill `images` [pairs, 2, height, width]
    uint8, left and right, upright; call `step`; read `features` [pairs, 2, features] in -1..1, `state`
    [pairs, 2, 7] and `mirrored` [pairs, 2], all float32.

    Raises ValueError where weights or sizes do not fit.
    """

    def __init__(
        self,
        config: Any,
        decode: tuple[float, ...],
        weights: Mapping[str, NDArray[np.float32]],
        height: int = 128,
        width: int = 128,
        pairs: int = 1,
        precision: Precision = "float16",
        device: torch.device | str = "cuda",
    ) -> None:
        if not (16 <= height <= 4096 and 16 <= width <= 4096):
            raise ValueError(
                "eye_encoder_step: pictures: expected 16 to 4096 pixels high and wide, "
                f"got {height} x {width}"
            )
        self.config, self._decode = config, decode
        self._type = torch.float16 if precision == "float16" else torch.float32
        self.device = torch.device(device)
        tensors = {}
        for name in _needed(config):
            if name not in weights:
                raise ValueError(f"eye_encoder_step: weights: there is no '{name}'")
            tensor = torch.from_numpy(np.array(weights[name]))
            wide = name.startswith("heads")  # small, and what is read in radians
            placed = tensor.to(self.device, torch.float32 if wide else self._type)
            tensors[name] = (
                placed.contiguous(memory_format=torch.channels_last) if placed.ndim == 4 else placed
            )
        self._weights = tensors
        crop = min(height, width)
        self._crop = (
            slice((height - crop) // 2, (height + crop) // 2),
            slice((width - crop) // 2, (width + crop) // 2),
        )
        self._resample = _triangles(crop, config.side_px).to(self.device) if crop != config.side_px else None
        side = config.side_px // config.fold
        for _, _, stride in config.stages[: config.places_after + 1]:
            side //= stride
        line = ((torch.arange(side) + 0.5) * (2 / side) - 1) * decode[0]
        grid = torch.stack([line.repeat(side), line.repeat_interleave(side)], 1)
        self._grid = grid.to(self.device)  # [side * side, 2] column, row
        self._mirror = torch.tensor([1.0, -1.0], device=self.device)

        def buffer(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
            return torch.zeros(pairs, 2, *shape, dtype=dtype, device=self.device)

        self.images = buffer(height, width, dtype=torch.uint8)
        self.features, self.state, self.mirrored = buffer(config.features), buffer(7), buffer()

    @torch.no_grad()
    def step(self) -> None:
        """Launches the work for what is in `images` on the current stream."""
        c, w = self.config, self._weights
        _, floor, gaze, pupil_centre, pupil_scale, pupil_least, pupil_most = self._decode
        x = self.images[:, :, self._crop[0], self._crop[1]].float()
        if self._resample is not None:
            x = self._resample @ x @ self._resample.T
        x = torch.stack([x[:, 0], x[:, 1].flip(-1)], 1).flatten(0, 1) / 255  # [2 pairs, S, S], as left eyes
        mean, spread = x.mean((1, 2), keepdim=True), x.std((1, 2), keepdim=True, correction=0)
        x = F.pixel_unshuffle(((x - mean) / (spread + floor))[:, None], c.fold).to(self._type)
        x = x.contiguous(memory_format=torch.channels_last)
        for k, (inputs, outputs, stride) in enumerate(c.stages):
            y = F.conv2d(x, w[f"stages.{k}.weight"], w[f"stages.{k}.bias"], stride, 1)
            x = F.relu(y + x if inputs == outputs else y)
            if k == c.places_after:
                maps = F.linear(x.permute(0, 2, 3, 1).flatten(1, 2), w["places.weight"], w["places.bias"])
                places = maps.float().softmax(1).transpose(1, 2) @ self._grid  # [2 pairs, P, 2]
        seen = torch.cat([x.permute(0, 2, 3, 1).flatten(1), places.flatten(1).to(self._type)], 1)
        hidden = F.relu(F.linear(seen, w["hidden.weight"], w["hidden.bias"]))
        features = torch.tanh(F.linear(hidden, w["features.weight"], w["features.bias"]).float())
        self.features.copy_(features.view_as(self.features))
        raw = torch.einsum("pef,ehf->peh", self.features, w["heads.weight"]) + w["heads.bias"]
        self.state[..., 0] = raw[..., 0] * gaze * self._mirror
        self.state[..., 1] = raw[..., 1] * gaze
        self.state[..., 2:5] = raw[..., 2:5].clamp(0, 1)
        self.state[..., 5] = (pupil_centre + pupil_scale * raw[..., 5]).clamp(pupil_least, pupil_most)
        self.state[..., 6] = torch.sigmoid(raw[..., 6])
        self.mirrored.copy_(torch.sigmoid(raw[..., 7]))

    def captured(self) -> torch.cuda.CUDAGraph:
        """A CUDA graph of `step`: `replay` it for every frame."""
        aside = torch.cuda.Stream(self.device)  # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream(self.device))  # where the buffers were filled
        with torch.cuda.stream(aside):
            for _ in range(3):  # cuDNN chooses its algorithms
                self.step()
        torch.cuda.current_stream(self.device).wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.step()
        return graph


def _needed(config: Any) -> list[str]:
    layers = [f"stages.{k}" for k in range(len(config.stages))] + ["places", "hidden", "features", "heads"]
    return [f"{layer}.{part}" for layer in layers for part in ("weight", "bias")]


def _triangles(crop: int, side: int) -> Tensor:
    """[side, crop] the weights of `resample` in reference.py."""
    scale = crop / side
    centre = (torch.arange(side, dtype=torch.float64) + 0.5) * scale - 0.5
    weight = (1 - (torch.arange(crop) - centre[:, None]).abs() / max(1.0, scale)).clamp(min=0)
    return (weight / weight.sum(1, keepdim=True)).float()
