"""The online encoder: mel hops and conditions in, one hidden vector a frame out, without look-ahead."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from .config import EncoderConfig
from .streaming import CausalConv, GatedMlp, RingCache, WindowedAttention, rotary
from .weights import load


@dataclass
class EncoderState:
    """All that a stream remembers between two frames."""

    position: Tensor  # [B] int64, frames since the stream began
    mel_tail: Tensor  # [B, stem_kernel - 1, mel_bands]
    stem_tail: Tensor  # [B, frame_kernel - hops_per_frame, stem_width]
    caches: list[RingCache]  # one a layer

    def reset(self, streams: Tensor) -> None:
        """Makes the streams chosen by the mask [B] bool as good as new."""
        self.position[streams] = 0  # hides every slot of the ring
        self.mel_tail[streams] = 0
        self.stem_tail[streams] = 0


class Block(nn.Module):
    """One pre-norm transformer layer."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.attention_norm = nn.RMSNorm(config.width, eps=config.norm_epsilon)
        self.attention = WindowedAttention(config.width, config.heads, config.window)
        self.mlp_norm = nn.RMSNorm(config.width, eps=config.norm_epsilon)
        self.mlp = GatedMlp(config.width, config.mlp_width)

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        x = x + self.attention(self.attention_norm(x), cosine, sine)
        return x + self.mlp(self.mlp_norm(x))

    def step(self, x: Tensor, cache: RingCache, position: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        x = x + self.attention.step(self.attention_norm(x), cache, position, cosine, sine)
        return x + self.mlp(self.mlp_norm(x))


class OnlineEncoder(nn.Module):
    """Causal convolution stem, conditions, windowed causal transformer.

    The conditions are added to the token of their frame: eye features (where a stream has no eyes, a learned
    vector stands in), emotion (initialised to zero, so that it can be trained in later), style, and the
    expression latent emitted for the frame before.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.stem = CausalConv(config.mel_bands, config.stem_width, config.stem_kernel, stride=1)
        self.frame = CausalConv(config.stem_width, config.width, config.frame_kernel, config.hops_per_frame)
        self.eyes_absent = nn.Parameter(0.02 * torch.randn(config.eye_features))
        self.eyes = nn.Linear(config.eye_features, config.width, bias=False)
        self.emotion = nn.Linear(config.emotions, config.width, bias=False)
        self.style = nn.Linear(config.style_width, config.width, bias=False)
        self.previous = nn.Linear(config.latent_width, config.width, bias=False)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.RMSNorm(config.width, eps=config.norm_epsilon)
        self.out = nn.Linear(config.width, config.hidden_width)
        nn.init.zeros_(self.emotion.weight)

    @classmethod
    def load(cls, path: Path) -> OnlineEncoder:
        """The encoder of a weights file, ready to run; errors as of `weights.load`."""
        weights = load(path)
        encoder = cls(weights.card.config.encoder)
        encoder.load_state_dict(
            {name: torch.tensor(array) for name, array in weights.part("encoder").items()}
        )
        return encoder.eval()

    def forward(
        self,
        mel: Tensor,
        previous: Tensor,
        eyes: Tensor | None = None,
        eyes_present: Tensor | None = None,
        emotion: Tensor | None = None,
        style: Tensor | None = None,
    ) -> Tensor:
        """A whole sequence from the stream's start.

        mel [B, T * hops_per_frame, mel_bands]; previous [B, T, latent_width], the latent emitted one frame
        before; eyes [B, T, eye_features] with eyes_present [B, T] bool (default: all present; without eyes:
        none); emotion [B, emotions] or [B, T, emotions]; style [B, style_width] -> hidden [B, T,
        hidden_width].
        """
        x = self.frame(functional.silu(self.stem(mel)))
        emotion = emotion.unsqueeze(1) if emotion is not None and emotion.ndim == 2 else emotion
        style = None if style is None else style.unsqueeze(1)
        x = x + self._conditions(previous, eyes, eyes_present, emotion, style)
        frames = torch.arange(x.shape[1], device=x.device)
        cosine, sine = rotary(frames, self.config.head_size, self.config.rotary_base, x.dtype)
        for block in self.blocks:
            x = block(x, cosine, sine)
        return self.out(self.norm(x))

    @torch.no_grad()
    def step(
        self,
        mel: Tensor,
        state: EncoderState,
        previous: Tensor,
        eyes: Tensor | None = None,
        eyes_present: Tensor | None = None,
        emotion: Tensor | None = None,
        style: Tensor | None = None,
    ) -> Tensor:
        """The next frame of every stream; `state` is updated in place.

        mel [B, hops_per_frame, mel_bands], previous [B, latent_width], eyes [B, eye_features] with
        eyes_present [B], emotion [B, emotions], style [B, style_width] -> hidden [B, hidden_width].
        """
        x = self.frame.step(functional.silu(self.stem.step(mel, state.mel_tail)), state.stem_tail)[:, 0]
        x = x + self._conditions(previous, eyes, eyes_present, emotion, style)
        cosine, sine = rotary(state.position, self.config.head_size, self.config.rotary_base, x.dtype)
        for block, cache in zip(self.blocks, state.caches, strict=True):
            assert isinstance(block, Block)
            x = block.step(x, cache, state.position, cosine, sine)
        state.position += 1
        return self.out(self.norm(x))

    def initial_state(self, streams: int) -> EncoderState:
        """The state of streams that have heard nothing yet, on the device and in the type of the weights."""
        config, like = self.config, self.out.weight
        return EncoderState(
            position=torch.zeros(streams, dtype=torch.int64, device=like.device),
            mel_tail=like.new_zeros(streams, self.stem.tail, config.mel_bands),
            stem_tail=like.new_zeros(streams, self.frame.tail, config.stem_width),
            caches=[
                RingCache.zeros(streams, config.heads, config.window, config.head_size, like)
                for _ in range(config.layers)
            ],
        )

    def _conditions(
        self,
        previous: Tensor,
        eyes: Tensor | None,
        eyes_present: Tensor | None,
        emotion: Tensor | None,
        style: Tensor | None,
    ) -> Tensor:
        if eyes is None:
            eyes = self.eyes_absent
        elif eyes_present is not None:
            eyes = torch.where(eyes_present.unsqueeze(-1), eyes, self.eyes_absent)
        x = self.previous(previous) + self.eyes(eyes)
        if emotion is not None:
            x = x + self.emotion(emotion)
        if style is not None:
            x = x + self.style(style)
        return x
