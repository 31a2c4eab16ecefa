"""Fitting the adapter from eye features to the face's eye input; the face's weights take no part."""

from __future__ import annotations

import numpy as np

from rtgraph.models.expression import EYE
from rtgraph.models.eye_adapter import FEATURES, NUMBERS, EyeAdapter, EyeAdapterCard
from rtgraph.models.eye_lift import lift

from .people import People

#: Least weight of gaze and pupil where the pupil is hidden, and how strongly the weights are held to 0.
_HIDDEN, _HOLD = 0.02, 1e-3


def fit_adapter(people: People, encoder_mark: str) -> EyeAdapter:
    """Weighted least squares from features to the lifted truth; spoilt pictures count for the confidence
    alone.

    Every fifth person is left out of the fit and measures it.
    """
    count = people.labels.shape[1]
    truth = _lifted(people.labels.reshape(-1, people.labels.shape[2]))
    person = np.repeat(np.arange(len(people.labels)), count)
    x = people.features.reshape(-1, FEATURES)
    bad = people.spoilt.reshape(-1, FEATURES)
    visible = np.clip(people.visible.reshape(-1).astype(np.float64), _HIDDEN, 1)
    fitted, measured = person % 5 > 0, person % 5 == 0
    weight = np.zeros((NUMBERS, FEATURES + 1))
    for k, name in enumerate(EYE):
        rows = np.hstack([x, np.ones((len(x), 1))])[fitted]
        wanted, counts = truth[fitted, k], np.ones(fitted.sum())
        if name in ("gazeYaw", "gazePitch", "pupilMm"):
            counts = visible[fitted]
        if name == "confidence":
            none = np.hstack([bad, np.ones((len(bad), 1))])
            rows, wanted = np.vstack([rows, none]), np.append(wanted, np.zeros(len(bad)))
            counts = np.append(counts, np.full(len(bad), count / people.spoilt.shape[1]))
        held = _HOLD * len(rows) * np.diag(np.append(np.ones(FEATURES), 0))
        weight[k] = np.linalg.solve((rows * counts[:, None]).T @ rows + held, rows.T @ (counts * wanted))
    off = (x @ weight[:, :-1].T + weight[:, -1] - truth)[measured & (visible >= 0.5)]
    card = EyeAdapterCard(
        name="eye-adapter",
        licence="Apache-2.0",
        encoder=encoder_mark,
        data=["rendered infrared eyes, python -m rtgraph.training.eye_corpus (Apache-2.0)"],
        quality={name: round(float(np.sqrt((off[:, k] ** 2).mean())), 4) for k, name in enumerate(EYE)},
        notes="Root mean square errors in units of the lift (gaze: 30 degrees, lid: a half, pupil: 2 mm), of "
        "eyes whose pupils show, of people that were not in the fit and were not calibrated.",
    )
    return EyeAdapter(weight[:, :-1].astype(np.float32), weight[:, -1].astype(np.float32), card)


def _lifted(labels: np.ndarray) -> np.ndarray:
    """Labels [N, 6] of a left eye -> [N, 7] of the face's eye input."""
    one = np.hstack([labels, np.ones((len(labels), 1), np.float32)])
    lifted: np.ndarray = lift(np.hstack([one, one]).astype(np.float32))[:, :NUMBERS].astype(np.float64)
    return lifted
