"""The ways in which wearers differ: what a calibration may change of the encoder's last layer, learned from
many.

Each rendered person's own last layer is the average one plus amounts of a few ways, the same ways for all:
factor analysis of regressions, by expectation maximisation (Z. Ghahramani, G. Hinton, The EM algorithm for
mixtures of factor analyzers, 1996, with a person's pictures in the place of a sample)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rtgraph.models.eye_weights import CALIBRATED, GAZE_SCALE_RAD

from .people import People

Doubles = NDArray[np.float64]

#: The tensors `ways` [K, 3, 81] and `ways.noise` [3] of a weight file, both in raw heads' units.
Ways = dict[str, NDArray[np.float32]]

#: How much of the pupil must show for the gaze to count.
_LEAST_VISIBLE = 0.4
_ROUNDS = 30
#: How strongly the ways, and a person's own regression at the beginning, are held to 0.
_HOLD, _OWN_HOLD = 100.0, 20.0


def learn_ways(people: People, count: int) -> Ways:
    """So many ways in which people differ, and the noise that stays."""
    wanted = people.labels[..., :3].astype(np.float64)  # in the order of CALIBRATED
    wanted[..., :2] /= GAZE_SCALE_RAD
    shows = people.visible >= _LEAST_VISIBLE
    x = np.concatenate([people.features, np.ones((*people.features.shape[:2], 1))], 2)
    seen = np.stack([shows, shows, np.ones_like(shows)], 2).astype(np.float64)
    ways, noise = factors(x, wanted - people.raw[..., CALIBRATED], seen, count)
    return {"ways": ways, "ways.noise": noise}


def factors(
    x: Doubles, missing: Doubles, seen: Doubles, count: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """x [P, N, D]; missing [P, N, O] = x @ (sum of amounts * ways) + noise, where seen [P, N, O] is 1 -> ways
    [count, O, D] for amounts of unit variance, and noise [O]."""
    scale = np.sqrt((x**2).mean((0, 1)))  # as the inputs' own size: the hold is the same for all
    x = x / scale
    gram = np.einsum("pnd,pno,pne->pode", x, seen, x, optimize=True)
    answer = np.einsum("pnd,pno->pod", x, seen * missing)
    noise = np.sqrt((missing**2 * seen).sum((0, 1)) / seen.sum((0, 1)))
    ways = _begin(gram, answer, noise, count)
    for _ in range(_ROUNDS):
        # E: what each person's amounts are, and how sure that is.
        precision = np.einsum("kod,pode,loe,o->pkl", ways, gram, ways, noise**-2, optimize=True)
        covariance = np.linalg.inv(precision + np.eye(count))
        mean = np.einsum("pkl,lod,pod,o->pk", covariance, ways, answer, noise**-2, optimize=True)
        second = covariance + mean[:, :, None] * mean[:, None]
        # M: the ways that explain the most with them, and what stays.
        for o in range(len(noise)):
            normal = np.einsum("pkl,pde->kdle", second, gram[:, o], optimize=True)
            normal = normal.reshape(ways[:, o].size, -1) + _HOLD * np.eye(ways[:, o].size)
            right = np.einsum("pk,pd->kd", mean, answer[:, o]).ravel()
            best = np.linalg.solve(normal, right)
            ways[:, o] = best.reshape(count, -1)
            left = (missing[..., o] ** 2 * seen[..., o]).sum() - (2 * right @ best - best @ normal @ best)
            noise[o] = np.sqrt(max(left, 1e-12) / seen[..., o].sum())
    return (ways / scale).astype(np.float32), noise.astype(np.float32)


def _begin(gram: Doubles, answer: Doubles, noise: Doubles, count: int) -> Doubles:
    """[count, O, D] principal components of each person's own, held, regression."""
    people, outputs, width = answer.shape
    own = np.linalg.solve(gram + _OWN_HOLD * np.eye(width), answer[..., None])[..., 0]
    _, size, axes = np.linalg.svd((own / noise[:, None]).reshape(people, -1), full_matrices=False)
    ways = np.zeros((count, outputs * width))
    ways[: len(size)] = (axes * (size / np.sqrt(people))[:, None])[:count]
    return ways.reshape(count, outputs, width) * noise[:, None]
