"""The face networks' step as an ONNX graph: one frame of encoder, denoiser and head in one call.

The graph is what a careful user would export: the cache goes in and comes out, rolled by one frame and full,
so no mask is needed; rotary cosines and sines come from outside.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from rtgraph.models.config import FaceConfig
from rtgraph.models.one_step_denoiser import OneStepDenoiser
from rtgraph.models.online_encoder import Block, OnlineEncoder
from rtgraph.models.streaming import rotary, rotate

INPUTS = [
    "mel",
    "mel_tail",
    "stem_tail",
    "eyes",
    "emotion",
    "style",
    "previous",
    "noise",
    "cosine",
    "sine",
    "keys",
    "values",
]
STATE = {"mel_tail": "new_mel_tail", "stem_tail": "new_stem_tail", "keys": "new_keys", "values": "new_values"}
OUTPUTS = ["latent", "frame", "confidence", *STATE.values()]


class FaceStep(nn.Module):
    """One frame of one stream, with all state as inputs and outputs."""

    def __init__(self, encoder: OnlineEncoder, denoiser: OneStepDenoiser) -> None:
        super().__init__()
        self.encoder, self.denoiser = encoder, denoiser

    def forward(
        self, mel: Tensor, mel_tail: Tensor, stem_tail: Tensor, eyes: Tensor, emotion: Tensor, style: Tensor,
        previous: Tensor, noise: Tensor, cosine: Tensor, sine: Tensor, keys: Tensor, values: Tensor,
    ) -> tuple[Tensor, ...]:  # fmt: skip
        """keys and values [layers, heads, window - 1, head_size]: earlier frames, oldest first."""
        e = self.encoder
        mel = torch.cat([mel_tail, mel], dim=1)
        stem = torch.cat(
            [stem_tail, functional.silu(nn.Conv1d.forward(e.stem, mel.transpose(1, 2))).transpose(1, 2)],
            dim=1,
        )
        x = nn.Conv1d.forward(e.frame, stem.transpose(1, 2))[:, :, 0]
        x = x + e.eyes(eyes) + e.emotion(emotion) + e.style(style) + e.previous(previous)
        new_keys, new_values = [], []
        for i, block in enumerate(e.blocks):
            assert isinstance(block, Block)
            attention = block.attention
            qkv = attention.qkv(block.attention_norm(x)).view(3, attention.heads, 1, attention.head_size)
            key = torch.cat([keys[i], rotate(qkv[1], cosine, sine)], dim=1)
            value = torch.cat([values[i], qkv[2]], dim=1)
            scores = rotate(qkv[0], cosine, sine) @ key.transpose(1, 2) * attention.head_size**-0.5
            x = x + attention.out((scores.softmax(dim=-1) @ value).view(1, -1))
            x = x + block.mlp(block.mlp_norm(x))
            new_keys.append(key[:, 1:])
            new_values.append(value[:, 1:])
        latent = self.denoiser(noise, e.out(e.norm(x)), previous, emotion)
        tails = mel[:, -mel_tail.shape[1] :], stem[:, -stem_tail.shape[1] :]
        return latent, *self.denoiser.head(latent), *tails, torch.stack(new_keys), torch.stack(new_values)


def make_inputs(config: FaceConfig, seed: int = 0) -> dict[str, np.ndarray[Any, np.dtype[np.float32]]]:
    """Random inputs of one frame under the graph's names, with a full cache."""
    c = config.encoder
    torch.manual_seed(seed)
    cache = (c.layers, c.heads, c.window - 1, c.head_size)
    cosine, sine = rotary(torch.tensor(c.window), c.head_size, c.rotary_base, torch.float32)
    shapes = {
        "mel": (1, c.hops_per_frame, c.mel_bands), "mel_tail": (1, c.stem_kernel - 1, c.mel_bands),
        "stem_tail": (1, c.frame_kernel - c.hops_per_frame, c.stem_width), "eyes": (1, c.eye_features),
        "emotion": (1, c.emotions), "style": (1, c.style_width), "previous": (1, c.latent_width),
        "noise": (1, c.latent_width), "keys": cache, "values": cache,
    }  # fmt: skip
    tensors = {name: torch.randn(shape) for name, shape in shapes.items()} | {"cosine": cosine, "sine": sine}
    return {name: tensors[name].numpy() for name in INPUTS}


def export(encoder: OnlineEncoder, denoiser: OneStepDenoiser, config: FaceConfig, path: Path) -> None:
    """Writes the float32 graph."""
    example = tuple(torch.from_numpy(x) for x in make_inputs(config).values())
    step = FaceStep(encoder, denoiser).eval()
    torch.onnx.export(
        step,
        example,
        str(path),
        input_names=INPUTS,
        output_names=OUTPUTS,
        opset_version=18,
        external_data=False,
        verbose=False,
    )
