"""Rendered people that the trained encoder looks at: what calibrations and the face's adapter are fitted
to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from rtgraph.models.eye_encoder import EyeEncoder
from rtgraph.training.eye_corpus.points import VISIBLE
from rtgraph.training.eye_corpus.sitting import begin

from .spoil import spoil

Doubles = NDArray[np.float64]

#: The people's seed, and how many pictures each.
PEOPLE_SEED, PICTURES = 990_010, 40
#: Pictures of each that are spoilt besides.
_SPOILT = 8


@dataclass(frozen=True)
class People:
    """P people of N pictures each, as a left eye."""

    features: Doubles  # [P, N, 80]
    raw: Doubles  # [P, N, 8] heads
    labels: NDArray[np.float32]  # [P, N, 6]
    visible: NDArray[np.float32]  # [P, N] how much of the pupil shows, 0..1
    spoilt: Doubles  # [P, M, 80] features of pictures that are no eye


def look_at(encoder: EyeEncoder, people: int, report: Callable[[int], None] = lambda _: None) -> People:
    """So many rendered people, who are neither in the training corpus nor among those that measure it."""
    features, raw, labels, visible, spoilt = [], [], [], [], []
    for person in range(people):
        sitting = begin(PEOPLE_SEED, person)
        images, looks, points = sitting.random_labelled(PICTURES)
        bad = np.stack([spoil(image, sitting.rng) for image in images[:_SPOILT]])
        with torch.no_grad():
            seen, heads = (
                t.double().numpy() for t in encoder(torch.from_numpy(np.concatenate([images, bad])))
            )
        features.append(seen[:PICTURES])
        spoilt.append(seen[PICTURES:])
        raw.append(heads[:PICTURES])
        labels.append(looks)
        visible.append(points[:, VISIBLE])
        report(person + 1)
    return People(*(np.stack(column) for column in (features, raw, labels, visible, spoilt)))
