"""Causal building blocks that run over a sequence for training and one frame at a time for streaming."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass
class RingCache:
    """The last `window` keys and values of one attention layer; slot = position % window."""

    keys: Tensor  # [B, H, W, D], already rotated to their absolute positions
    values: Tensor  # [B, H, W, D]

    @classmethod
    def zeros(cls, streams: int, heads: int, window: int, head_size: int, like: Tensor) -> RingCache:
        shape = (streams, heads, window, head_size)
        return cls(like.new_zeros(shape), like.new_zeros(shape))


class CausalConv(nn.Conv1d):
    """A strided convolution whose output frame ends on the newest input it has seen.

    Frame t covers inputs up to (t + 1) * stride - 1; what lies before the stream's start is zero.
    """

    def __init__(self, channels_in: int, channels_out: int, kernel: int, stride: int) -> None:
        super().__init__(channels_in, channels_out, kernel, stride)
        self.tail = kernel - stride  # inputs that the next step needs again

    def forward(self, x: Tensor) -> Tensor:
        """x [B, T * stride, channels_in] -> [B, T, channels_out]."""
        padded = functional.pad(x.transpose(1, 2), (self.tail, 0))
        return super().forward(padded).transpose(1, 2)

    def step(self, x: Tensor, tail: Tensor) -> Tensor:
        """New inputs x [B, n * stride, channels_in] and the tail [B, tail, channels_in], updated in place."""
        joined = torch.cat([tail, x], dim=1)
        tail.copy_(joined[:, joined.shape[1] - self.tail :])
        return super().forward(joined.transpose(1, 2)).transpose(1, 2)


def rotary(position: Tensor, head_size: int, base: float, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Cosine and sine [..., head_size / 2] of rotary position embedding (Su et al. 2021).

    The angles are computed in float64: after an hour at 50 Hz a float32 angle is off by 0.01 radians.
    """
    exponent = torch.arange(0, head_size, 2, dtype=torch.float64, device=position.device) / head_size
    angle = position.to(torch.float64).unsqueeze(-1) * base**-exponent
    return angle.cos().to(dtype), angle.sin().to(dtype)


def rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotates x [..., D]: channel d is paired with channel d + D / 2."""
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cosine - b * sine, b * cosine + a * sine], dim=-1)


class WindowedAttention(nn.Module):
    """Causal self-attention in which frame t sees frames t - window + 1 .. t."""

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads, self.window, self.head_size = heads, window, width // heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        """x [B, T, width], cosine and sine [T, head_size / 2] -> [B, T, width]."""
        frames = x.shape[1]
        q, k, v = (
            self.qkv(x).unflatten(-1, (3, self.heads, self.head_size)).permute(2, 0, 3, 1, 4)
        )  # [B, H, T, D]
        q, k = rotate(q, cosine, sine), rotate(k, cosine, sine)
        age = torch.arange(frames, device=x.device).unsqueeze(1) - torch.arange(frames, device=x.device)
        seen = (age >= 0) & (age < self.window)
        y = functional.scaled_dot_product_attention(q, k, v, attn_mask=seen)
        return self.out(y.transpose(1, 2).flatten(2))

    def step(self, x: Tensor, cache: RingCache, position: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        """One frame x [B, width] at position [B] int64, cosine and sine [B, head_size / 2] -> [B, width]."""
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, self.head_size)).unbind(1)  # [B, H, D]
        cosine, sine = cosine.unsqueeze(1), sine.unsqueeze(1)
        stream = torch.arange(x.shape[0], device=x.device)
        cache.keys[stream, :, position % self.window] = rotate(k, cosine, sine)
        cache.values[stream, :, position % self.window] = v
        slot = torch.arange(self.window, device=x.device)
        written = (slot <= position.unsqueeze(-1))[
            :, None, None
        ]  # [B, 1, 1, W]: true for all once the ring is full
        q = rotate(q, cosine, sine).unsqueeze(2)
        y = functional.scaled_dot_product_attention(q, cache.keys, cache.values, attn_mask=written)
        return self.out(y.flatten(1))


class GatedMlp(nn.Module):
    """SwiGLU (Shazeer 2020): down(silu(gate x) * up x)."""

    def __init__(self, width: int, mlp_width: int) -> None:
        super().__init__()
        self.gate = nn.Linear(width, mlp_width, bias=False)
        self.up = nn.Linear(width, mlp_width, bias=False)
        self.down = nn.Linear(mlp_width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(functional.silu(self.gate(x)) * self.up(x))
