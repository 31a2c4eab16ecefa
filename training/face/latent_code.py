"""The expression latent: whitened principal components of expression frames, and the way back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from rtgraph.models.expression import FRAME

#: A component that moves a frame less than this (rms over weights and radians) is not blown up to unit
#: variance.
_LEAST_SD = 0.004


@dataclass(frozen=True)
class Moments:
    """Mean and covariance of frames, and how much each number moves."""

    mean: np.ndarray  # [61] float64
    covariance: np.ndarray  # [61, 61]

    @property
    def sd(self) -> np.ndarray:
        return np.sqrt(np.diag(self.covariance))


def moments(whole: Iterable[np.ndarray], partial: Iterable[tuple[np.ndarray, np.ndarray]] = ()) -> Moments:
    """Of all frames [F, 61] together; of `partial` ones, frames with known [61], what is not known counts as
    the mean of the whole ones. Raises ValueError where there is no whole one.
    """
    alone = _moments(whole)
    filled = [motion + (~known * alone.mean).astype(motion.dtype) for motion, known in partial]
    if not filled:
        return alone
    other = _moments(filled)
    between = (alone.mean - other.mean) / 2
    return Moments(
        (alone.mean + other.mean) / 2, (alone.covariance + other.covariance) / 2 + np.outer(between, between)
    )


def _moments(motions: Iterable[np.ndarray]) -> Moments:
    count, total, squares = 0, np.zeros(len(FRAME)), np.zeros((len(FRAME), len(FRAME)))
    for motion in motions:
        x = motion.astype(np.float64)
        count, total, squares = count + len(x), total + x.sum(0), squares + x.T @ x
    if not count:
        raise ValueError("latent code: no frames to fit it to; give at least one stream with a known face")
    mean = total / count
    return Moments(mean, squares / count - np.outer(mean, mean))


class LatentCode(nn.Module):
    """frame [..., 61] <-> latent [..., latent_width], linear; buffers only, nothing is trained.

    The latent has zero mean and unit variance over the frames it was fitted to, but for components that
    hardly move a face, which stay small, and for numbers beyond the 61st, which are zero.
    """

    mean: Tensor  # [61]
    basis: Tensor  # [61, latent_width], columns scaled to 1 / sd
    inverse: Tensor  # [latent_width, 61]

    def __init__(self, latent_width: int) -> None:
        super().__init__()
        numbers = len(FRAME)
        self.register_buffer("mean", torch.zeros(numbers))
        self.register_buffer("basis", torch.eye(numbers, latent_width))
        self.register_buffer("inverse", torch.eye(latent_width, numbers))

    def fit(self, of: Moments) -> None:
        """Set the code from the moments of the training set's frames."""
        values, vectors = np.linalg.eigh(of.covariance)
        order = np.argsort(values)[::-1][: self.basis.shape[1]]
        sd = np.sqrt(np.maximum(values[order], 0))
        scale = np.maximum(sd, _LEAST_SD)
        used = len(order)
        self.mean.copy_(torch.from_numpy(of.mean))
        self.basis.zero_()
        self.inverse.zero_()
        self.basis[:, :used] = torch.from_numpy(vectors[:, order] / scale)
        self.inverse[:used] = torch.from_numpy((vectors[:, order] * scale).T.copy())

    def moments(self) -> Moments:
        """Of the frames that the code was fitted to, but for components that hardly move a face."""
        inverse = self.inverse.double().numpy()
        return Moments(self.mean.double().numpy(), inverse.T @ inverse)

    def encode(self, frame: Tensor, known: Tensor | None = None) -> Tensor:
        """frame [..., 61] -> latent; numbers that are not `known` [..., 61] bool count as their mean."""
        centred = frame - self.mean
        if known is not None:
            centred = centred * known
        return centred @ self.basis

    def decode(self, latent: Tensor) -> Tensor:
        """latent -> frame [..., 61], not clamped."""
        return latent @ self.inverse + self.mean
