"""Training the eye encoder on rendered eyes: one thread of a CPU, from wherever the last run stopped."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from rtgraph.models.eye_encoder import EyeEncoder
from rtgraph.models.eye_weights import EyeEncoderConfig
from rtgraph.training.eye_corpus.points import POINTS

from .batches import BATCH, Batch, batches
from .losses import heads_loss, points_loss

_PEAK_RATE, _DECAY = 3e-3, 1e-2
#: Shares of all images: until the rate has reached its peak, and from when on it falls to nothing.
_WARM, _FALL = 0.02, 0.6
_REPORT_EVERY = 200  # batches


class EyeTrainingError(Exception):
    """A training cannot be gone on with; the message says why and what to do."""


class Learner(nn.Module):
    """The encoder, and a head for the points that only training needs."""

    def __init__(self, config: EyeEncoderConfig) -> None:
        super().__init__()
        self.encoder = EyeEncoder(config, norm=True)
        self.points = nn.Linear(config.features, len(POINTS))

    def forward(self, batch: Batch) -> Tensor:
        """The loss of a batch."""
        with torch.autocast("cpu", torch.bfloat16):
            features, heads, places = self.encoder.look(batch.images)
            guess = self.points(features)
        error = heads_loss(heads.float(), batch.labels, batch.points, batch.good, batch.mirrored)
        return error + points_loss(guess.float(), places, batch.labels, batch.points, batch.good)


@dataclass(frozen=True)
class Progress:
    """Told now and then."""

    images: int
    wanted: int
    loss: float
    images_a_second: float


def train(
    corpus: Path,
    images: int,
    seed: int = 0,
    report: Callable[[Progress], None] = lambda _: None,
    checkpoint: Path | None = None,
    config: EyeEncoderConfig | None = None,
) -> EyeEncoder:
    """Shows so many images (the corpus again and again) to a new encoder; returns its running mean, folded.

    With `checkpoint` everything is written there now and then, and a run that finds the file goes on from it;
    EyeTrainingError where it was begun with another seed or corpus.
    """
    made_of = _made_of(corpus, seed)
    torch.manual_seed(seed)
    learner = Learner(config or EyeEncoderConfig()).train()
    learner.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
    decayed = [p for p in learner.parameters() if p.ndim > 1]
    plain = [p for p in learner.parameters() if p.ndim == 1]
    groups = [{"params": decayed, "weight_decay": _DECAY}, {"params": plain, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=_PEAK_RATE, betas=(0.9, 0.98))
    averaged = AveragedModel(learner, avg_fn=_average, use_buffers=True)
    parts = {"learner": learner, "optimiser": optimiser, "averaged": averaged}
    shown = _resume(checkpoint, parts, made_of)
    rng = np.random.default_rng((seed, shown))
    before, started, mean = shown, time.monotonic(), math.nan
    for step, batch in enumerate(batches(corpus, rng), 1):
        for group in optimiser.param_groups:
            group["lr"] = rate(shown / images)
        error = learner(batch)
        optimiser.zero_grad(set_to_none=True)
        error.backward()
        torch.nn.utils.clip_grad_norm_(learner.parameters(), 1.0)
        optimiser.step()
        averaged.update_parameters(learner)
        shown += BATCH
        mean = error.item() if math.isnan(mean) else 0.98 * mean + 0.02 * error.item()
        if step % _REPORT_EVERY == 0 or shown >= images:
            speed = (shown - before) / (time.monotonic() - started)
            report(Progress(shown, images, mean, speed))
            _keep(checkpoint, parts, shown, made_of)
        if shown >= images:
            break
    return cast(Learner, averaged.module).encoder.folded()


def rate(share: float) -> float:
    """The learning rate when that share of all images has been shown."""
    fall = math.cos(math.pi / 2 * min(max((share - _FALL) / (1 - _FALL), 0), 1))
    return _PEAK_RATE * max(min(1.0, share / _WARM) * fall, 1e-4)


def _average(average: Tensor, now: Tensor, steps: Tensor | int) -> Tensor:
    """A running mean that forgets: over all steps at first, in the end over about a thousand."""
    return average + (now - average) * max(0.001, 9 / (10 + float(steps)))


def _made_of(corpus: Path, seed: int) -> dict[str, Any]:
    """What a training depends on; a corpus that grows stays the same."""
    about = corpus / "corpus.json"
    return {"seed": seed, "corpus": json.loads(about.read_text("utf-8")) if about.exists() else None}


def _keep(checkpoint: Path | None, parts: dict[str, Any], shown: int, made_of: dict[str, Any]) -> None:
    if checkpoint is None:
        return
    unfinished = checkpoint.with_suffix(".part")
    states = {name: part.state_dict() for name, part in parts.items()}
    torch.save({"shown": shown, "made_of": made_of} | states, unfinished)
    unfinished.replace(checkpoint)


def _resume(checkpoint: Path | None, parts: dict[str, Any], made_of: dict[str, Any]) -> int:
    """The images that a checkpoint has seen; 0 where there is none."""
    if checkpoint is None or not checkpoint.exists():
        return 0
    found = torch.load(checkpoint, weights_only=True)
    if found.get("made_of") != made_of:
        raise EyeTrainingError(
            f"{checkpoint} was begun with {found.get('made_of')}, expected {made_of}; "
            "give the same --seed and --corpus, or delete it to begin anew"
        )
    for name, part in parts.items():
        part.load_state_dict(found[name])
    return int(found["shown"])
