"""The diffusion teacher: latents from noise in several evaluations, on the same hidden vectors as the
student.
"""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from rtgraph.models.config import DenoiserConfig
from rtgraph.models.one_step_denoiser import DenoiserBlock

_TIME_WIDTH = 64


class Teacher(nn.Module):
    """Says what lies under a noisy latent (x0 prediction).

    Noise is mixed in along a straight line, x_t = (1 - t) x_0 + t e with t from 0 to 1 (flow matching,
    Lipman et al. 2023), so that x_0 is what is said and the path from noise to face is a differential
    equation: the same noise always ends in the same face. Also serves as the critic of a student, which knows
    the student's faces instead of the true ones.
    """

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        width = config.width
        self.noisy = nn.Linear(config.latent_width, width)
        self.hidden = nn.Linear(config.hidden_width, width)
        self.previous = nn.Linear(config.latent_width, width, bias=False)
        self.emotion = nn.Linear(config.emotions, width, bias=False)
        self.time = nn.Linear(_TIME_WIDTH, width)
        self.blocks = nn.ModuleList(DenoiserBlock(config) for _ in range(config.blocks + 1))
        self.norm = nn.RMSNorm(width, eps=config.norm_epsilon)
        self.out = nn.Linear(width, config.latent_width)
        nn.init.zeros_(self.emotion.weight)

    def forward(self, noisy: Tensor, time: Tensor, condition: Tensor) -> Tensor:
        """noisy [..., 64], time [...] 0..1, condition of `condition` [..., width] -> x_0 [..., 64]."""
        rate = torch.exp(torch.arange(_TIME_WIDTH // 2, device=time.device) * (-math.log(1000) / 32))
        angle = 1000 * time.unsqueeze(-1) * rate
        told = functional.silu(condition + self.time(torch.cat([angle.sin(), angle.cos()], dim=-1)))
        x = self.noisy(noisy)
        for block in self.blocks:
            x = block(x, told)
        return torch.as_tensor(self.out(self.norm(x)))

    def condition(self, hidden: Tensor, previous: Tensor, emotion: Tensor) -> Tensor:
        """What a frame is made from: hidden [..., 256], previous latent [..., 64], emotion [..., 8]."""
        return torch.as_tensor(self.hidden(hidden) + self.previous(previous) + self.emotion(emotion))

    @torch.no_grad()
    def sample(self, noise: Tensor, condition: Tensor, evaluations: int) -> Tensor:
        """From noise [..., 64] to a latent in `evaluations` equal steps (DDIM, Song et al. 2021)."""
        x = noise
        times = torch.linspace(1, 0, evaluations + 1).tolist()
        for now, then in itertools.pairwise(times):
            clean = self(x, torch.full(x.shape[:-1], now, device=x.device), condition)
            x = (1 - then) * clean + then * (x - (1 - now) * clean) / now
        return x

    @torch.no_grad()
    def stream(self, hidden: Tensor, emotion: Tensor, noise: Tensor, evaluations: int) -> Tensor:
        """Frame by frame on its own last answer: hidden [B, T, 256], emotion [B, 8], noise [B, T, 64] -> [B,
        T, 64].
        """
        previous = torch.zeros_like(noise[:, 0])
        latents = []
        for t in range(hidden.shape[1]):
            previous = self.sample(noise[:, t], self.condition(hidden[:, t], previous, emotion), evaluations)
            latents.append(previous)
        return torch.stack(latents, dim=1)
