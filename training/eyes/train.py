"""Training the eye encoder on rendered eyes: one thread of a CPU is enough, half an hour of it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from rtgraph.models.eye_encoder import EyeEncoder
from rtgraph.models.eye_weights import (
    GAZE_SCALE_RAD,
    PUPIL_CENTRE_MM,
    PUPIL_SCALE_MM,
    EyeEncoderConfig,
)
from rtgraph.training.eye_corpus import shards

from .spoil import spoil

BATCH = 64
_SPOILT = 0.08  # of the pictures
#: Of a new encoder with batch normalisation, and of one that goes on without.
_PEAK_RATE, _PEAK_RATE_ON, _DECAY = 2e-3, 1e-3, 1e-2


@dataclass(frozen=True)
class Progress:
    """Told now and then."""

    images: int
    wanted: int
    loss: float
    seconds: float
    encoder: EyeEncoder  # the mean of the last thousand steps; `folded` gives what can be saved


def train(
    corpus: Path,
    images: int,
    seed: int = 0,
    report: Callable[[Progress], None] = lambda _: None,
    start: EyeEncoder | None = None,
) -> EyeEncoder:
    """Shows so many images (the corpus again and again) to a new encoder, or to `start`, which is folded
    already; returns its running mean, folded."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    encoder = (start or EyeEncoder(EyeEncoderConfig(), norm=True)).train()
    encoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
    peak = _PEAK_RATE_ON if start else _PEAK_RATE
    decayed = [p for p in encoder.parameters() if p.ndim > 1]
    plain = [p for p in encoder.parameters() if p.ndim == 1]
    groups = [{"params": decayed, "weight_decay": _DECAY}, {"params": plain, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=peak, betas=(0.9, 0.98))
    averaged = AveragedModel(encoder, avg_fn=_average, use_buffers=True)
    mean_encoder = cast(EyeEncoder, averaged.module)
    started, shown, mean = time.monotonic(), 0, math.nan
    for pictures, labels, good in _batches(corpus, rng):
        rate = peak * min(1.0, shown / (0.03 * images)) * 0.5 * (1 + math.cos(math.pi * shown / images))
        for group in optimiser.param_groups:
            group["lr"] = max(rate, 1e-6)
        with torch.autocast("cpu", torch.bfloat16):
            _, heads = encoder(torch.from_numpy(pictures))
        error = loss(heads.float(), torch.from_numpy(labels), torch.from_numpy(good))
        optimiser.zero_grad(set_to_none=True)
        error.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
        optimiser.step()
        averaged.update_parameters(encoder)
        shown += len(pictures)
        mean = error.item() if math.isnan(mean) else 0.98 * mean + 0.02 * error.item()
        if shown % (BATCH * 200) == 0 or shown >= images:
            report(Progress(shown, images, mean, time.monotonic() - started, mean_encoder))
        if shown >= images:
            break
    return mean_encoder.folded()


def _average(average: Tensor, now: Tensor, steps: Tensor | int) -> Tensor:
    """A running mean that forgets: over all steps at first, in the end over about a thousand."""
    return average + (now - average) * max(0.001, 9 / (10 + float(steps)))


def loss(heads: Tensor, labels: Tensor, good: Tensor) -> Tensor:
    """Raw heads [B, 7] against labels [B, 6]; what cannot be seen behind a lid weighs little.

    good [B] float: 1 for an eye, 0 for a spoilt picture, which counts for the confidence alone.
    """
    lid = labels[:, 2]
    wanted = torch.stack(
        [
            labels[:, 0] / GAZE_SCALE_RAD,
            labels[:, 1] / GAZE_SCALE_RAD,
            lid,
            labels[:, 3],
            labels[:, 4],
            (labels[:, 5] - PUPIL_CENTRE_MM) / PUPIL_SCALE_MM,
        ],
        1,
    )
    open_enough = ((lid - 0.1) / 0.3).clamp(0.02, 1)
    one = torch.ones_like(lid)
    weight = torch.stack([2 * open_enough, 2 * open_enough, 3 * one, one, open_enough, 0.7 * open_enough], 1)
    off = F.huber_loss(heads[:, :6], wanted, reduction="none", delta=0.1) * 10
    trust = F.binary_cross_entropy_with_logits(heads[:, 6], good)
    return (off * weight * good[:, None]).sum() / (len(labels) * 10) + 0.1 * trust


def _batches(
    corpus: Path, rng: np.random.Generator
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]]:
    """Shuffled batches without end. Shards are kept in memory; those finished later join the next round."""
    kept: dict[Path, shards.Shard] = {}
    while True:
        for file in shards.paths(corpus):
            if file not in kept:
                kept[file] = shards.read(file)
        pools = list(kept.values())
        where = np.concatenate([[(s, k) for k in range(len(pool.images))] for s, pool in enumerate(pools)])
        rng.shuffle(where)
        for start in range(0, len(where) - BATCH + 1, BATCH):
            chosen = where[start : start + BATCH]
            pictures = np.stack([_vary(pools[s].images[k], rng) for s, k in chosen])
            labels = np.stack([pools[s].labels[k] for s, k in chosen])
            good = np.ones(BATCH, np.float32)
            for k in np.flatnonzero(rng.random(BATCH) < _SPOILT):
                pictures[k], good[k] = spoil(pictures[k], rng), 0
            yield pictures, labels, good


def _vary(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Small changes that no label notices: a crop moved a little, and now and then something in the way."""
    dy, dx = rng.integers(-2, 3, 2)
    image = np.roll(image, (dy, dx), (0, 1))
    if rng.random() < 0.15:
        y, x = rng.integers(0, 112, 2)
        h, w = rng.integers(4, 16, 2)
        image[y : y + h, x : x + w] = rng.integers(0, 256)
    return image
