"""Windowed causal attention with rotary embedding in plain numpy, over whole sequences, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def rotate(x: Array, positions: Array, base: float) -> Array:
    """Rotary position embedding (Su et al. 2021): x [..., T, H, D] at positions [..., T], channel d with d +
    D / 2.
    """
    half = x.shape[-1] // 2
    angle = positions[..., None, None].astype(np.float64) * base ** (-np.arange(half) / half)
    a, b = x[..., :half], x[..., half:]
    return np.concatenate(
        [a * np.cos(angle) - b * np.sin(angle), b * np.cos(angle) + a * np.sin(angle)], axis=-1
    )


def attention(qkv: Array, window: int, rotary_base: float = 10_000.0, first_position: int = 0) -> Array:
    """qkv [B, T, 3, H, D] of a stream from its start -> [B, T, H, D]: frame t sees frames t - window + 1 ..
    t.
    """
    qkv = qkv.astype(np.float64)
    frames = qkv.shape[1]
    positions = first_position + np.arange(frames)
    q, k = (rotate(qkv[:, :, i], positions, rotary_base) for i in (0, 1))
    scores = np.einsum("bthd,bshd->bhts", q, k) / np.sqrt(qkv.shape[-1])
    age = positions[:, None] - positions
    scores = np.where((age >= 0) & (age < window), scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    return np.einsum("bhts,bshd->bthd", weights, qkv[:, :, 2])
