"""How far a predicted face is from the true one: numbers, lips, movement; only where the truth is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from rtgraph.models import lips as lip_geometry
from rtgraph.models.expression import ARKIT, FRAME, REGIONS, region

from .batches import Batch
from .config import LossConfig

#: What a number counts by its region, after division by its variance; gaze and lids count fully where the
#: eyes are seen, and little where they can only be guessed. A head has three numbers only.
_IMPORTANCE = {"brows": 1.0, "lids": 0.5, "gaze": 0.5, "mouth": 1.0, "jaw": 1.5, "head": 16.0}
_SEEN = {"lids": 4.0, "gaze": 2.5}
#: Apertures and widths are compared in these units, IOD: about their standard deviations in speech.
LIP_SD = (0.035, 0.03)
_TOUCHING = 0.5 / lip_geometry.IOD_MM
_APART = 6 * _TOUCHING
_LATE_FRAMES = 3  # 60 ms


@dataclass
class Answer:
    """What the network says of a batch."""

    latent: Tensor  # [B, T, 64]
    frame: Tensor  # [B, T, 61]
    confidence: Tensor  # [B, T, 6]


class LipReadout(nn.Module):
    """Aperture (negative where lips would pass through each other) and width of frames, in IOD."""

    rest: Tensor
    shapes: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("rest", torch.from_numpy(lip_geometry.REST))
        self.register_buffer("shapes", torch.from_numpy(lip_geometry.SHAPES))

    def forward(self, frame: Tensor) -> Tensor:
        """[..., 61] -> [..., 2]."""
        points = self.rest + frame[..., : len(ARKIT)] @ self.shapes
        gap = points[..., lip_geometry.UPPER].amin(-1) - points[..., lip_geometry.LOWER].amax(-1)
        return torch.stack([gap, points[..., lip_geometry.CORNERS].norm(dim=-1)], dim=-1)


class FaceLoss(nn.Module):
    """The errors of an answer, one name each; `weighted` adds them up."""

    variance: Tensor  # [61]
    guessed: Tensor  # [61] importance without eyes
    seen: Tensor  # [61] importance with eyes
    member: Tensor  # [6, 61] mean over a region's numbers

    def __init__(self, config: LossConfig, sd: np.ndarray) -> None:
        """`sd` [61]: how much each number of a frame moves in the training set."""
        super().__init__()
        self.config = config
        self.lips = LipReadout()
        regions = [region(name) for name in FRAME]
        self.register_buffer("variance", torch.from_numpy(np.maximum(sd, 0.02) ** 2).float())
        self.register_buffer("guessed", torch.tensor([_IMPORTANCE[r] for r in regions]))
        self.register_buffer("seen", torch.tensor([_SEEN.get(r, _IMPORTANCE[r]) for r in regions]))
        member = torch.tensor([[float(r == name) for r in regions] for name in REGIONS])
        self.register_buffer("member", member / member.sum(1, keepdim=True))  # [6, 61]

    def forward(self, answer: Answer, batch: Batch, code_target: Tensor) -> dict[str, Tensor]:
        """code_target [B, T, 64]: the latents of the true frames, compared where all of a frame is known."""
        weight = torch.where(batch.eyes_present.unsqueeze(-1), self.seen, self.guessed) / self.variance
        # what a listener's or a reader's head does cannot be heard: only heads that were made to go with the
        # voice are learned from, or they would be averaged away
        alone = batch.real[:, None] & (self.member[REGIONS.index("head")] > 0)
        weight = weight * (batch.known & ~alone).unsqueeze(1)
        # a recording tells what sound does to a face only while it is heard
        heard = (batch.there & (batch.spoken | ~batch.real.unsqueeze(1))).unsqueeze(-1)
        error = (answer.frame - batch.motion).square()
        moved = (answer.frame.diff(dim=1) - batch.motion.diff(dim=1)).square()
        whole = batch.known.all(dim=1).unsqueeze(1) & batch.there
        numbers = len(FRAME)
        losses = {
            "frame": (error * weight * heard).sum(-1).mean() / numbers,
            "velocity": 8 * (moved * (weight * heard)[:, 1:]).sum(-1).mean() / numbers,
            "latent": _mean_of((answer.latent - code_target).square().mean(2), whole),
            "confidence": self._confidence(answer, error, batch),
        }
        return losses | self._lips(answer, batch, heard[..., 0])

    def weighted(self, losses: dict[str, Tensor]) -> Tensor:
        return torch.stack([getattr(self.config, name) * loss for name, loss in losses.items()]).sum()

    def _confidence(self, answer: Answer, error: Tensor, batch: Batch) -> Tensor:
        """How sure of a region: exp of minus its error in standard deviations, to be told in advance."""
        relative = error.detach() / self.variance * batch.known.unsqueeze(1)
        truth = (-(relative @ self.member.T)).exp()
        told = batch.known.float() @ self.member.T > 0.5
        return ((answer.confidence - truth).square() * told.unsqueeze(1) * batch.there.unsqueeze(-1)).mean()

    def _lips(self, answer: Answer, batch: Batch, heard: Tensor) -> dict[str, Tensor]:
        sd = answer.frame.new_tensor(LIP_SD)
        said, true = self.lips(answer.frame) / sd, batch.lips / sd
        count = heard.sum(1).clamp(min=1)[:, None]  # [B, 1]
        weight = heard.unsqueeze(-1)

        def centred(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            mean = (x * weight).sum(1) / count
            away = (x - mean.unsqueeze(1)) * weight
            return mean, away, (away.square().sum(1) / count + 1e-4).sqrt()

        said_mean, said_away, said_sd = centred(said)
        true_mean, true_away, true_sd = centred(true)
        # how wide a mouth is at rest is a matter of the person: of recordings only the movement counts
        offset = said_mean - true_mean
        offset = torch.stack([offset[:, 0], offset[:, 1] * ~batch.real], dim=-1)
        square = ((said_away - true_away).square().sum(1) / count) + offset.square()
        r = (said_away * true_away).sum(1) / count / (said_sd * true_sd)
        telling = (true_sd > 0.3) & (count > 40)
        wobble = said.diff(n=2, dim=1)[..., 0].abs().mul(heard[:, 2:]).sum(1) / count[:, 0]
        true_wobble = true.diff(n=2, dim=1)[..., 0].abs().mul(heard[:, 2:]).sum(1) / count[:, 0]
        jitter = _ratio(wobble, true_wobble, 0.05)
        # where a mouth rests, any movement is wrong, however small: so the magnitude, not the square
        rests = (
            nn.functional.avg_pool1d(true.diff(dim=1).abs().sum(-1), 15, 1, 7, count_include_pad=False) < 1e-3
        )
        rests = rests & ~batch.real.unsqueeze(1) & batch.there[:, 1:]
        return {
            "closure": self._closure(said[..., 0] * sd[0], batch),
            "stillness": _mean_of(said.diff(dim=1).abs().sum(-1), rests),
            "lips": square.mean(),
            "correlation": _mean_of(1 - r, telling),
            "spread": _mean_of(_ratio(said_sd, self.config.spread_gain * true_sd, 0.3), telling),
            "jitter": _mean_of(jitter, telling[:, 0]),
        }

    def _closure(self, gap: Tensor, batch: Batch) -> Tensor:
        """Lips that meet within 60 ms of where a synthesised mouth is shut, and nowhere else while it speaks:
        the mean of a mouth that may or may not be shut is open. gap [B, T] IOD.

        A p is heard when the lips have met already, and one that is seen a little late is still a p.
        """
        true = batch.lips[..., 0]
        shut, apart = true < _TOUCHING, true > _APART
        speaking = nn.functional.max_pool1d(apart.float(), 25, 1, 12) > 0
        counted = speaking & ~batch.real.unsqueeze(1) & batch.there
        around = 2 * _LATE_FRAMES + 1
        nearest = -nn.functional.max_pool1d(-gap.masked_fill(~batch.there, 1.0), around, 1, _LATE_FRAMES)
        wanted = nn.functional.max_pool1d(shut.float(), around, 1, _LATE_FRAMES) > 0
        met = nn.functional.softplus((nearest - 2 * _TOUCHING) / _TOUCHING)
        kept_apart = nn.functional.softplus((4 * _TOUCHING - gap) / _TOUCHING)
        error = self.config.met * met * shut + kept_apart * (apart & ~wanted)
        return _mean_of(error, counted & (shut | (apart & ~wanted)))


def _ratio(said: Tensor, true: Tensor, least: float) -> Tensor:
    """Square of the logarithm of a ratio; without `least`, a mouth that hardly moves yet would have gradients
    beside which all others are nothing, and unlearn what else the face does.
    """
    return ((said + least) / (true + least)).log().square()


def _mean_of(x: Tensor, mask: Tensor) -> Tensor:
    """Mean of x where mask; 0 where there is none."""
    return (x * mask).sum() / mask.sum().clamp(min=1)
