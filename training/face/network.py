"""The networks of a run together: encoder, one-step denoiser, latent code; and their answers to a batch."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from rtgraph.models.config import FaceConfig
from rtgraph.models.expression import EYE_STATE
from rtgraph.models.one_step_denoiser import OneStepDenoiser
from rtgraph.models.online_encoder import OnlineEncoder
from rtgraph.models.weights import Weights

from ..corpus.phones import VISEME_NAMES
from .batches import Batch
from .latent_code import LatentCode

#: A sound of which little is known while it begins is known this much later.
LATER_FRAMES = 3
#: The gaze angles of an eye state, which stand in front in the eye input as they are.
_GAZE = [i for i, name in enumerate(EYE_STATE) if name.startswith("gaze")]


class FaceNetwork(nn.Module):
    """What ships (encoder, denoiser) and the code that its latents are written in.

    The encoder's input for the previous latent is held at zero: what it hears is the sound and the
    conditions, so that nothing it says can build up through its 2.5 s of memory. The denoiser alone continues
    its last answer.
    """

    def __init__(self, config: FaceConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = OnlineEncoder(config.encoder)
        self.denoiser = OneStepDenoiser(config.denoiser)
        self.code = LatentCode(config.denoiser.latent_width)
        # only to train by: what is being said, and what was said LATER_FRAMES before
        self.visemes = nn.Linear(config.encoder.hidden_width, 2 * len(VISEME_NAMES))
        nn.init.zeros_(self.encoder.previous.weight)
        self.encoder.previous.weight.requires_grad_(False)
        # 14 of the 160 numbers are in use: from torch's small beginning the eyes would drown in the sound.
        # A gaze of a few degrees is a tenth of its unit, so it begins the loudest
        nn.init.normal_(self.encoder.eyes.weight, std=0.25)
        with torch.no_grad():
            self.encoder.eyes.weight[:, _GAZE] *= 8
        with torch.no_grad():  # begin near the mean face
            self.denoiser.out.weight *= 0.1
            self.denoiser.out.bias.zero_()
        # until the student learns to use them; so it begins as the regression
        nn.init.zeros_(self.denoiser.previous.weight)
        nn.init.zeros_(self.denoiser.noise.weight)

    def load(self, of: Weights) -> None:
        """Take over the parts of a weights file; KeyError where it holds no latent code to go on with."""
        for name, module in (("encoder", self.encoder), ("denoiser", self.denoiser), ("code", self.code)):
            module.load_state_dict({key: torch.tensor(array) for key, array in of.part(name).items()})

    def hear(self, batch: Batch, bfloat16: bool = False) -> Tensor:
        """-> hidden [B, T, hidden_width] float32."""
        width = self.config.encoder.latent_width
        silent = batch.mel.new_zeros(*batch.eyes_present.shape, width)
        with torch.autocast(batch.mel.device.type, torch.bfloat16, enabled=bfloat16):
            hidden = self.encoder(
                batch.mel, silent, batch.eyes, batch.eyes_present, batch.emotion, batch.style
            )
        return torch.as_tensor(hidden.float())

    def mean(self, hidden: Tensor, emotion: Tensor) -> Tensor:
        """Latents [B, T, 64] without noise and without last answers: a regression's."""
        none = hidden.new_zeros(*hidden.shape[:2], self.config.denoiser.latent_width)
        return torch.as_tensor(self.denoiser(none, hidden, none, emotion.unsqueeze(1)))

    @torch.no_grad()
    def stream(self, hidden: Tensor, emotion: Tensor, noise: Tensor) -> Tensor:
        """The same frame by frame, as it runs live: [B, T, 64]."""
        previous = torch.zeros_like(noise[:, 0])
        latents = []
        for t in range(hidden.shape[1]):
            previous = self.denoiser(noise[:, t], hidden[:, t], previous, emotion)
            latents.append(previous)
        return torch.stack(latents, dim=1)


def one_later(latent: Tensor) -> Tensor:
    """[B, T, D] -> the latent emitted one frame before each; before the first there is none: zeros."""
    return functional.pad(latent[:, :-1], (0, 0, 1, 0))
