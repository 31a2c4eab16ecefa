"""What the eye encoder is asked for while it learns: its heads, and where things are in the picture."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from rtgraph.models.eye_weights import GAZE_SCALE_RAD, PLACE_REACH, PUPIL_CENTRE_MM, PUPIL_SCALE_MM
from rtgraph.training.eye_corpus.points import PLACES, POINTS, VISIBLE

from .batches import GROUP

#: Mean and spread of the points over a corpus: places a tenth to a fifth of the picture's half, and so on.
_PLACE_SPREAD = 0.16
_SPREAD = {
    "axisRight": 0.43, "axisUp": 0.35, "axisTowards": 0.2, "logPupilPx": 0.4, "logLimbusPx": 0.13,
    "logMmPx": 0.11, "cameraX": 0.31, "cameraY": 0.21, "cameraRoll": 0.06, "visible": 0.4,
}  # fmt: skip
_MIDDLE = {
    "axisUp": 0.29, "axisTowards": 0.75, "logPupilPx": 1.94, "logLimbusPx": 2.93, "logMmPx": 1.09,
    "visible": 0.6,
}  # fmt: skip
#: What shows only where the pupil does, what the gaze after a calibration hangs on, and what only guesses.
_WITH_PUPIL = ("pupil", "cornea", "axis", "logPupil", "logLimbus")
_WEIGHT = {"pupil": 2.0, "eyeball": 2.0, "axis": 3.0, "camera": 0.5}
#: Errors above it count by their size, those below by their square.
_KNEE = 0.05


def _by_name(table: dict[str, float], otherwise: float) -> list[float]:
    return [next((v for key, v in table.items() if name.startswith(key)), otherwise) for name in POINTS]


def _size(off: Tensor, wanted: Tensor) -> Tensor:
    return F.huber_loss(off, wanted, reduction="none", delta=_KNEE) / _KNEE


def _residual(labels: Tensor, counts: Tensor) -> Tensor:
    """[G, 10, 10] that takes from errors [G, 10, ...] of a sitting what is the same for all its pictures or
    grows with the gaze, as a calibration would: the errors' gradients then tell of each picture, not of the
    person."""
    seen = counts.view(-1, GROUP)
    gaze = labels[:, :2].view(-1, GROUP, 2) / GAZE_SCALE_RAD
    terms = torch.cat([torch.ones_like(gaze[:, :, :1]), gaze], 2)
    weighted = terms * seen[:, :, None]
    # About what people differ by, in the heads' unit, against a picture's own error: the terms' hold.
    hold = torch.diag(torch.tensor([0.03, 0.3, 0.3]))
    known = torch.linalg.solve(weighted.transpose(1, 2) @ terms + hold, weighted.transpose(1, 2))
    return torch.as_tensor(torch.eye(GROUP) - terms @ known)


def _within(off: Tensor, residual: Tensor) -> Tensor:
    """Errors [B, N] -> those that stay when the sitting's own are taken away."""
    return (residual @ off.view(-1, GROUP, off.shape[1])).view_as(off)


def heads_loss(heads: Tensor, labels: Tensor, points: Tensor, good: Tensor, mirrored: Tensor) -> Tensor:
    """Raw heads [B, 8] against labels [B, 6]; gaze and pupil weigh as much as is seen of the pupil.

    points [B, 24]; good [B] float: 1 for an eye, 0 for a spoilt or mirrored picture, which counts for the
    confidence alone; mirrored [B] likewise.
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
    seen, one = _seen(points), torch.ones_like(lid)
    weight = torch.stack([2 * seen, 2 * seen, 4 * one, 0.7 * one, 0.7 * seen, seen], 1)
    off = _size(heads[:, :6], wanted) * weight * good[:, None]
    own = _within(heads[:, :2] - wanted[:, :2], _residual(labels, good * seen)) * (good * seen)[:, None]
    trust = F.binary_cross_entropy_with_logits(heads[:, 6], good)
    eyes = (good + mirrored).clamp(max=1)  # of noise nobody can say which way round it is
    turned = F.binary_cross_entropy_with_logits(heads[:, 7], mirrored, eyes)
    gaze = 4 * _size(own, torch.zeros_like(own)).sum()
    return (off.sum() + gaze) / (len(labels) * 10) + 0.1 * (trust + turned)


def points_loss(guess: Tensor, places: Tensor, labels: Tensor, points: Tensor, good: Tensor) -> Tensor:
    """guess [B, 24] of the points, in their spreads, and the encoder's places [B, P, 2], whose first are
    those of PLACES, against points [B, 24]."""
    count = 2 * len(PLACES)
    spread = torch.tensor(_by_name(_SPREAD, _PLACE_SPREAD))
    wanted = (points - torch.tensor(_by_name(_MIDDLE, 0.0))) / spread
    weight = torch.tensor(_by_name(_WEIGHT, 1.0)) * good[:, None]
    with_pupil = torch.tensor([name.startswith(_WITH_PUPIL) for name in POINTS])
    seen = _seen(points)
    weight = torch.where(with_pupil, weight * seen[:, None], weight)
    direct = places[:, : len(PLACES)].flatten(1) / (PLACE_REACH * _PLACE_SPREAD)
    off = (_size(guess, wanted) * weight).sum() + (_size(direct, wanted[:, :count]) * weight[:, :count]).sum()
    own = _within(guess - wanted, _residual(labels, good * seen))
    off = off + (_size(own, torch.zeros_like(own)) * weight).sum()
    return off / (len(labels) * (len(POINTS) + count))


def _seen(points: Tensor) -> Tensor:
    """[B] how much of each pupil shows; a hidden one still weighs a little, so that the guess stays sane."""
    return points[:, VISIBLE].clamp(0.02, 1)
