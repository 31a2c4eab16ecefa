"""What each stage lowers: the regression's error, the teacher's, the student's from both."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .batches import Batch
from .config import TrainConfig
from .losses import Answer, FaceLoss
from .network import LATER_FRAMES, FaceNetwork, one_later
from .teacher import Teacher

Told = tuple[Tensor, dict[str, float]]


class Regression:
    """The baseline: no noise, no last answer, the mean face of what was heard. It trains the encoder.

    Trained on last answers from the beginning, a network learns to copy them and drifts away when it runs
    alone; so it learns to hear first.
    """

    def __init__(self, network: FaceNetwork, loss: FaceLoss, config: TrainConfig) -> None:
        self.network, self.loss, self.config, self.stage = network, loss, config, config.regression

    def __call__(self, batch: Batch) -> Told:
        network, config = self.network, self.config
        hidden = functional.dropout(network.hear(batch, config.bfloat16), self.stage.hidden_dropout)
        truth = network.code.encode(batch.motion, batch.known.unsqueeze(1))
        latent = network.mean(hidden, batch.emotion)
        losses = self.loss(answer_of(network, latent), batch, truth)
        losses["visemes"] = viseme_loss(network.visemes(hidden), batch.viseme)
        return _total(self.loss, losses)


class Teaching:
    """The teacher finds the true latent under any noise, after any last answer; the encoder stands."""

    def __init__(self, network: FaceNetwork, teacher: Teacher, loss: FaceLoss, config: TrainConfig) -> None:
        self.network, self.teacher, self.loss, self.config = network, teacher, loss, config
        self.stage = config.teacher

    def __call__(self, batch: Batch) -> Told:
        network, config = self.network, self.config
        with torch.no_grad():
            hidden = network.hear(batch, config.bfloat16)
            truth = network.code.encode(batch.motion, batch.known.unsqueeze(1))
            mean = network.mean(hidden, batch.emotion)
            # where only part of a face is known, the regression's answer stands in for the rest
            frame = torch.where(batch.known.unsqueeze(1), batch.motion, network.denoiser.head(mean)[0])
            clean = network.code.encode(frame)
            # never the true last frame, which would make the next one too easy to tell: on its own answers, a
            # teacher that leans on them comes late
            emitted = mean + 0.2 * torch.rand_like(mean[..., :1]) * torch.randn_like(mean)
        hidden = functional.dropout(hidden, self.stage.hidden_dropout)
        condition = self.teacher.condition(hidden, _some(one_later(emitted), 0.7), batch.emotion.unsqueeze(1))
        guess = x0_guess(self.teacher, clean, condition)
        return _total(self.loss, self.loss(answer_of(network, guess), batch, truth))


class Distillation:
    """The student answers at once what the teacher finds in several evaluations from the same noise.

    With it a distribution loss (DMD, Yin et al. 2024): where the critic, which learns the student's faces,
    and the teacher, which knows true ones, differ about a noisy latent, the student is drawn to the teacher's
    side. And the losses against the truth, as the regression has them.
    """

    def __init__(
        self, network: FaceNetwork, teacher: Teacher, critic: Teacher, loss: FaceLoss, config: TrainConfig
    ) -> None:
        self.network, self.teacher, self.critic, self.loss = network, teacher, critic, loss
        self.config, self.stage = config, config.student

    def __call__(self, batch: Batch) -> Told:
        network, config = self.network, self.config
        with torch.no_grad():
            hidden = network.hear(batch, config.bfloat16)
        truth = network.code.encode(batch.motion, batch.known.unsqueeze(1))
        noise = config.temperature * torch.randn_like(truth)
        emotion = batch.emotion.unsqueeze(1)
        with torch.no_grad():
            previous = one_later(network.stream(hidden, batch.emotion, noise / config.temperature))
            condition = self.teacher.condition(hidden, previous, emotion)
            taught = self.teacher.sample(noise, condition, config.teacher_evaluations)
        latent = network.denoiser(noise / config.temperature, hidden, previous, emotion)
        answer = answer_of(network, latent)
        taught_frame, _ = network.denoiser.head(taught)
        weight = 1 / self.loss.variance
        losses = self.loss(answer, batch, truth)
        losses["to_teacher"] = ((answer.frame - taught_frame.detach()).square() * weight).mean() + 0.1 * (
            latent - taught
        ).square().mean()
        losses["distribution"] = self._distribution(latent, condition)
        fake = self.critic.condition(hidden, previous, emotion)
        losses["critic"] = (x0_guess(self.critic, latent.detach(), fake) - latent.detach()).square().mean()
        return _total(self.loss, losses)

    def _distribution(self, latent: Tensor, condition: Tensor) -> Tensor:
        with torch.no_grad():
            time = 0.02 + 0.96 * torch.rand(latent.shape[:-1], device=latent.device)
            part = time.unsqueeze(-1)
            noisy = (1 - part) * latent + part * torch.randn_like(latent)
            true = self.teacher(noisy, time, condition)
            fake = self.critic(noisy, time, condition)
            scale = (latent - true).abs().mean(-1, keepdim=True) + 0.05
            target = latent - (fake - true) / scale
        return functional.mse_loss(latent, target)


def answer_of(network: FaceNetwork, latent: Tensor) -> Answer:
    frame, confidence = network.denoiser.head(latent)
    return Answer(latent, frame, confidence)


def x0_guess(teacher: Teacher, clean: Tensor, condition: Tensor) -> Tensor:
    """What it says of clean latents under noise drawn at random, more often much than little."""
    time = torch.rand(clean.shape[:-1], device=clean.device).sqrt()
    part = time.unsqueeze(-1)
    return torch.as_tensor(teacher((1 - part) * clean + part * torch.randn_like(clean), time, condition))


def frozen(module: nn.Module) -> None:
    for parameter in module.parameters():
        parameter.requires_grad_(False)


def _some(latent: Tensor, chance: float) -> Tensor:
    """The latents of some windows; zeros, as at a stream's start, for the others."""
    return latent * (torch.rand(len(latent), 1, 1, device=latent.device) < chance)


def viseme_loss(said: Tensor, viseme: Tensor) -> Tensor:
    """Cross entropy of what is being said, and of what was said a little earlier: said [B, T, 2 * visemes],
    viseme [B, T], -1 where not known.

    Faces alone tell little about sounds that look alike most of the time, such as a p and a t.
    """
    earlier = functional.pad(viseme[:, :-LATER_FRAMES], (LATER_FRAMES, 0), value=-1)
    wanted = torch.stack([viseme, earlier], dim=-1).flatten()
    known = wanted >= 0
    entropy = functional.cross_entropy(
        said.unflatten(-1, (2, -1)).flatten(0, 2), wanted.clamp(min=0), reduction="none"
    )
    return (entropy * known).sum() / known.sum().clamp(min=1)


def _total(loss: FaceLoss, losses: dict[str, Tensor]) -> Told:
    return loss.weighted(losses), {name: float(value.detach()) for name, value in losses.items()}
