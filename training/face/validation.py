"""How well a model does on streams that it was not trained on: its lips against the true ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from rtgraph.models import lips as lip_geometry

from .batches import Batch, Windows
from .features import Stream
from .network import FaceNetwork


def animate(network: FaceNetwork, batch: Batch, noise_seed: int = 0) -> np.ndarray:
    """Frames [B, T, 61] as the model gives them live, from the noise of a seed; the batch may be on any
    device.
    """
    batch = batch.to(next(network.parameters()).device)
    generator = torch.Generator().manual_seed(noise_seed)
    with torch.no_grad():
        hidden = network.hear(batch)
        width = network.config.denoiser.latent_width
        noise = torch.randn(*hidden.shape[:2], width, generator=generator).to(hidden)
        latent = network.stream(hidden, batch.emotion, noise)
        frames = network.denoiser.head(latent)[0]
    return np.asarray(frames.cpu().numpy())


def lip_correlations(frames: np.ndarray, lips: np.ndarray, spoken: np.ndarray) -> tuple[float, float]:
    """Pearson r of aperture and width inside speech; frames [T, 61], lips [T, 2], spoken [T] -> 0 for a
    frozen face.
    """
    said, true = lip_geometry.measure(frames)[spoken], lips[spoken].astype(np.float64)
    found = []
    for k in range(2):
        still = said[:, k].std() < 1e-9 or true[:, k].std() < 1e-9
        found.append(0.0 if still else float(np.corrcoef(said[:, k], true[:, k])[0, 1]))
    return found[0], found[1]


def validate(network: FaceNetwork, windows: Windows, streams: Sequence[Stream]) -> dict[str, float]:
    """Mean over streams: aperture_r, width_r, aperture's standard deviation over the true one. Streams with a
    second of speech or less, or with lips that are not known, do not count; nothing where none does.
    """
    kept = [s for s in streams if s.spoken.sum() > 50 and np.std(s.lips[:, 0].astype(float)) > 0.005]
    if not kept:
        return {}
    found = []
    for stream in kept:
        batch = windows.whole(stream)
        frames = animate(network, batch)[0]
        spread = lip_geometry.measure(frames)[:, 0].std() / stream.lips[:, 0].astype(float).std()
        found.append((*lip_correlations(frames, stream.lips, stream.spoken), spread))
    means = np.mean(found, axis=0)
    return dict(zip(("aperture_r", "width_r", "spread"), map(float, means), strict=True))
