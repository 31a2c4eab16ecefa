"""Batches of rendered eyes out of a corpus that may still grow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rtgraph.training.eye_corpus import shards

from .spoil import spoil

#: Pictures of one sitting together: what a calibration would take away can be told from what it cannot.
GROUP = 10
BATCH = 6 * GROUP
#: Of the pictures: spoilt, and mirrored, as swapped cameras give them.
_SPOILT, _MIRRORED = 0.1, 0.05


@dataclass(frozen=True)
class Batch:
    """Some pictures and what is known of them."""

    images: Tensor  # [B, 128, 128] uint8
    labels: Tensor  # [B, 6]
    points: Tensor  # [B, 24]
    good: Tensor  # [B] 1, or 0 where the picture was spoilt or mirrored
    mirrored: Tensor  # [B] 1 where it was mirrored


def batches(corpus: Path, rng: np.random.Generator) -> Iterator[Batch]:
    """Shuffled, without end. Shards are kept in memory; those finished later join the next round."""
    kept: dict[Path, shards.Shard] = {}
    while True:
        for file in shards.paths(corpus):
            if file not in kept:
                kept[file] = shards.read(file)
        pools = list(kept.values())
        groups = np.concatenate([_groups(s, pool, rng) for s, pool in enumerate(pools)])
        rng.shuffle(groups)
        count = BATCH // GROUP
        for start in range(0, len(groups) - count + 1, count):
            yield _batch(pools, groups[start : start + count].reshape(-1, 2), rng)


def _groups(number: int, shard: shards.Shard, rng: np.random.Generator) -> NDArray[np.int_]:
    """[G, 10, 2] (the shard's number, a picture of it), each row of one sitting, at random."""
    found = []
    for sitting in np.unique(shard.sitting):
        pictures = rng.permutation(np.flatnonzero(shard.sitting == sitting))
        found.append(pictures[: len(pictures) // GROUP * GROUP].reshape(-1, GROUP))
    chosen = np.concatenate(found)
    return np.stack([np.full_like(chosen, number), chosen], 2)


def _batch(pools: list[shards.Shard], chosen: NDArray[np.int_], rng: np.random.Generator) -> Batch:
    images = np.stack([pools[s].images[k] for s, k in chosen])
    labels = np.stack([pools[s].labels[k] for s, k in chosen])
    points = np.stack([pools[s].points[k] for s, k in chosen])
    fate = rng.random(len(chosen))
    for k in np.flatnonzero(fate < _SPOILT):
        images[k] = spoil(images[k], rng)
    good = (fate >= _SPOILT + _MIRRORED).astype(np.float32)
    mirrored = ((fate >= _SPOILT) & (good == 0)).astype(np.float32)
    images[mirrored > 0] = images[mirrored > 0, :, ::-1]
    return Batch(*(torch.from_numpy(a) for a in (images, labels, points, good, mirrored)))
