"""The one-step denoiser: noise and the encoder's hidden vector in, one frame of expression out."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from .config import DenoiserConfig
from .streaming import GatedMlp
from .weights import load


class ExpressionHead(nn.Module):
    """Maps an expression latent to what mixers and senders take: 52 weights, 9 angles, 6 confidences."""

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        self.config = config
        self.inner = nn.Linear(config.latent_width, config.head_width)
        self.out = nn.Linear(config.head_width, config.weights + config.angles + config.regions)

    def forward(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """latent [..., latent_width] -> frame [..., 61] (weights 0..1, angles), confidence [..., 6] 0..1."""
        config = self.config
        y = self.out(functional.silu(self.inner(latent)))
        weights, angles, confidence = y.split([config.weights, config.angles, config.regions], dim=-1)
        return torch.cat([weights.sigmoid(), angles], dim=-1), confidence.sigmoid()


class DenoiserBlock(nn.Module):
    """A gated MLP whose normalised input is scaled and shifted by the condition (Peebles & Xie 2023)."""

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(config.width, eps=config.norm_epsilon)
        self.modulation = nn.Linear(config.width, 2 * config.width)
        self.mlp = GatedMlp(config.width, config.mlp_width)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        scale, shift = self.modulation(condition).chunk(2, dim=-1)
        return x + self.mlp(self.norm(x) * (1 + scale) + shift)


class OneStepDenoiser(nn.Module):
    """One evaluation a frame: Gaussian noise becomes an expression latent, given hidden, previous latent,
    emotion.
    """

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        self.config = config
        self.noise = nn.Linear(config.latent_width, config.width)
        self.hidden = nn.Linear(config.hidden_width, config.width)
        self.previous = nn.Linear(config.latent_width, config.width, bias=False)
        self.emotion = nn.Linear(config.emotions, config.width, bias=False)
        self.blocks = nn.ModuleList(DenoiserBlock(config) for _ in range(config.blocks))
        self.norm = nn.RMSNorm(config.width, eps=config.norm_epsilon)
        self.out = nn.Linear(config.width, config.latent_width)
        self.head = ExpressionHead(config)
        nn.init.zeros_(self.emotion.weight)

    @classmethod
    def load(cls, path: Path) -> OneStepDenoiser:
        """The denoiser of a weights file, ready to run; errors as of `weights.load`."""
        weights = load(path)
        denoiser = cls(weights.card.config.denoiser)
        denoiser.load_state_dict(
            {name: torch.tensor(array) for name, array in weights.part("denoiser").items()}
        )
        return denoiser.eval()

    def forward(
        self, noise: Tensor, hidden: Tensor, previous: Tensor, emotion: Tensor | None = None
    ) -> Tensor:
        """noise [..., latent_width], hidden [..., hidden_width], previous [..., latent_width] (the latent
        emitted one frame before), emotion [..., emotions] -> expression latent [..., latent_width]; any
        leading shape, so a sequence and a step are the same call. `head` turns the latent into an expression
        frame.
        """
        condition = self.hidden(hidden) + self.previous(previous)
        if emotion is not None:
            condition = condition + self.emotion(emotion)
        condition = functional.silu(condition)
        x = self.noise(noise)
        for block in self.blocks:
            x = block(x, condition)
        return self.out(self.norm(x))
