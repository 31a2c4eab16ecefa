"""The eye encoder in torch, for training and as the truth of its native step."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor, nn

from .eye_weights import (
    CONTRAST_FLOOR,
    GAZE_SCALE_RAD,
    HEADS,
    PLACE_REACH,
    PUPIL_CENTRE_MM,
    PUPIL_RANGE_MM,
    PUPIL_SCALE_MM,
    EyeEncoderConfig,
)


class EyeEncoder(nn.Module):
    """A left eye -> features and raw heads. A right eye's picture is mirrored before, its yaw after.

    While it learns, each convolution is followed by batch normalisation; `folded` gives the same function
    without, which is what weight files hold.
    """

    def __init__(self, config: EyeEncoderConfig | None = None, norm: bool = False) -> None:
        super().__init__()
        self.config = config = config or EyeEncoderConfig()
        self.stages = nn.ModuleList(nn.Conv2d(a, b, 3, stride, 1) for a, b, stride in config.stages)
        self.norms = nn.ModuleList(nn.BatchNorm2d(w) for w in config.widths) if norm else None
        self.places = nn.Linear(config.widths[config.places_after], config.places)
        self.hidden = nn.Linear(config.flat + 2 * config.places, config.hidden)
        self.features = nn.Linear(config.hidden, config.features)
        self.heads = nn.Linear(config.features, len(HEADS))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """images [B, 128, 128] uint8 -> features [B, 80] in -1..1 and raw heads [B, 8]."""
        return self.look(images)[:2]

    def look(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The same, and the places [B, places, 2] (column, row) in eighths of the side about the middle."""
        return self.read(normalise(images, self.config.fold))

    def read(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The same of pictures that are normalised and folded already, [B, 4, 64, 64]."""
        for k, (conv, (inputs, outputs, _)) in enumerate(zip(self.stages, self.config.stages, strict=True)):
            y = conv(x)
            if self.norms is not None:
                y = self.norms[k](y)
            x = F.relu(y + x if inputs == outputs else y)
            if k == self.config.places_after:
                places = strongest(self.places(x.permute(0, 2, 3, 1)))
        flat = x.permute(0, 2, 3, 1).flatten(1)  # rows, columns, channels: as the native step has them
        seen = torch.cat([flat, places.flatten(1).to(flat.dtype)], 1)
        features = torch.tanh(self.features(F.relu(self.hidden(seen))))
        return features, self.heads(features), places

    @torch.no_grad()
    def folded(self) -> EyeEncoder:
        """The same function with the statistics of batch normalisation inside the convolutions."""
        plain = EyeEncoder(self.config)
        plain.load_state_dict({k: v for k, v in self.state_dict().items() if not k.startswith("norms.")})
        for conv, norm in zip(plain.stages, self.norms or (), strict=False):
            assert isinstance(conv, nn.Conv2d)
            assert isinstance(norm, nn.BatchNorm2d)
            assert norm.running_mean is not None
            assert norm.running_var is not None
            assert conv.bias is not None
            scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            conv.weight.mul_(scale[:, None, None, None])
            conv.bias.copy_((conv.bias - norm.running_mean) * scale + norm.bias)
        return plain.eval()

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """The network's parameters as a weight file holds them."""
        return {name: t.detach().cpu().float().numpy() for name, t in self.state_dict().items()}

    @staticmethod
    def from_arrays(config: EyeEncoderConfig, tensors: Mapping[str, NDArray[np.float32]]) -> EyeEncoder:
        """A folded encoder out of a weight file's tensors."""
        encoder = EyeEncoder(config)
        encoder.load_state_dict(
            {name: torch.from_numpy(np.array(tensors[name])) for name in encoder.state_dict()}
        )
        return encoder.eval()


def strongest(maps: Tensor) -> Tensor:
    """[B, S, S, P] -> [B, P, 2] float32: the mean column and row under each map's softmax (C. Finn et al.,
    Deep spatial autoencoders, 2016)."""
    side = maps.shape[1]
    share = maps.float().flatten(1, 2).softmax(1)
    line = ((torch.arange(side, device=maps.device) + 0.5) * (2 / side) - 1) * PLACE_REACH
    return torch.stack(
        [(share * line.repeat(side)[:, None]).sum(1), (share * line.repeat_interleave(side)[:, None]).sum(1)],
        2,
    )


def normalise(images: Tensor, fold: int) -> Tensor:
    """[B, S, S] uint8 -> [B, fold^2, S / fold, S / fold] of mean 0 and spread about 1 a picture."""
    x = images.float() / 255
    mean = x.mean((1, 2), keepdim=True)
    spread = x.std((1, 2), keepdim=True, correction=0)
    return F.pixel_unshuffle(((x - mean) / (spread + CONTRAST_FLOOR))[:, None], fold)


def state(heads: Tensor) -> Tensor:
    """Raw heads [B, 7] -> a left eye's state [B, 7] in the units of rtgraph.models.expression.EYE."""
    gaze, unit = heads[:, :2] * GAZE_SCALE_RAD, heads[:, 2:5].clamp(0, 1)
    pupil = (PUPIL_CENTRE_MM + PUPIL_SCALE_MM * heads[:, 5:6]).clamp(*PUPIL_RANGE_MM)
    return torch.cat([gaze, unit, pupil, torch.sigmoid(heads[:, 6:7])], 1)
