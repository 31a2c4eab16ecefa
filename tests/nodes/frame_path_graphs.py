"""What the tests of the frame path share: random weights on disk, the graph, its noise and its truth in torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from rtgraph.models.config import SIZES, FaceConfig
from rtgraph.models.one_step_denoiser import OneStepDenoiser
from rtgraph.models.online_encoder import OnlineEncoder
from rtgraph.models.weights import Card, save
from rtgraph.testing import Recording

Array = np.ndarray[Any, np.dtype[Any]]
OUTPUTS = ("mel", "hidden", "latent", "frame", "confidence")


def make_weights(folder: Path, size: str = "tiny") -> Path:
    """A weights file of random networks in which every condition counts."""
    torch.manual_seed(0)
    config: FaceConfig = SIZES[size]
    encoder, denoiser = OnlineEncoder(config.encoder), OneStepDenoiser(config.denoiser)
    for module in (encoder, denoiser):
        torch.nn.init.normal_(module.emotion.weight, std=0.1)
    path = folder / f"{size}.safetensors"
    card = Card(name="random", licence="Apache-2.0", config=config)
    save(path, {"encoder": encoder, "denoiser": denoiser}, card)
    return path


def graph(
    weights: Path,
    *,
    hop_ms: float = 10,
    precision: str = "float32",
    encoder: str = "",
    denoiser: str = "",
    noise: str = "seed: 7",
    more: str = "",
) -> str:
    """The frame path behind the bundled clip; `encoder` and `denoiser` add inputs, `more` nodes."""
    network = f'weights: "{weights}", precision: {precision}'
    return f"""
version: 1
clock: manual
frame: denoiser.frame
nodes:
  mic: {{type: audio.file, config: {{hop_ms: {hop_ms}}}}}
  mel: {{type: audio.mel, thread: face, inputs: {{audio: mic.audio}}}}
  encoder:
    type: face.online_encoder
    config: {{{network}}}
    inputs: {{mel: mel.mel, previous: previous.previous{encoder}}}
  denoiser:
    type: face.one_step_denoiser
    config: {{{network}, {noise}}}
    inputs: {{hidden: encoder.hidden{denoiser}}}
  previous: {{type: face.previous_latent, inputs: {{latent: denoiser.latent}}}}
{more}"""


TAPS = {
    "mel": "mel.mel",
    "hidden": "encoder.hidden",
    "latent": "denoiser.latent",
    "frame": "denoiser.frame",
    "confidence": "denoiser.confidence",
}


def philox(counter: list[int], key: list[int]) -> list[int]:
    """Philox4x32-10 in whole numbers (Salmon et al. 2011)."""
    c, k = list(counter), list(key)
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [b >> 32 ^ c[1] ^ k[0], b & 0xFFFFFFFF, a >> 32 ^ c[3] ^ k[1], a & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def frame_noise(seed: int, frame: int, n: int) -> Array:
    """The noise of one frame, [n] float64: Box & Muller of Philox words keyed by the seed."""
    words = [
        philox([frame & 0xFFFFFFFF, frame >> 32, i, 0], [seed & 0xFFFFFFFF, seed >> 32])
        for i in range(n // 4)
    ]
    u = (np.array(words, np.float64).reshape(-1, 2) + 0.5) / 2**32
    radius, angle = np.sqrt(-2 * np.log(u[:, 0])), 2 * np.pi * u[:, 1]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).ravel()


def offline(weights: Path, run: Recording, seed: int, **conditions: torch.Tensor) -> dict[str, Array]:
    """Torch's forward over the whole clip in float64, given what the run heard and emitted one frame before.

    conditions: of `OnlineEncoder.forward`, [1, T, n].
    """
    encoder, denoiser = OnlineEncoder.load(weights).double(), OneStepDenoiser.load(weights).double()
    latent = torch.from_numpy(run.stacked("latent")).double()
    frames = len(latent)
    mel = torch.from_numpy(run.stacked("mel")[: 2 * frames]).double()
    previous = torch.cat([torch.zeros_like(latent[:1]), latent[:-1]])
    noise = torch.from_numpy(np.stack([frame_noise(seed, t, latent.shape[1]) for t in range(frames)]))
    with torch.no_grad():
        hidden = encoder(mel[None], previous[None], **conditions)[0]
        emotion = conditions.get("emotion")
        expected = denoiser(noise, hidden, previous, None if emotion is None else emotion[0])
        frame, confidence = denoiser.head(expected)
    found = {"hidden": hidden, "latent": expected, "frame": frame, "confidence": confidence}
    return {name: x.numpy() for name, x in found.items()}
