"""What one person's eyes in one headset need on top of the encoder: a few numbers an eye, fitted from nine
points.

Wearers, and how a headset sits on them, differ in a few ways that training found by rendering many of them;
each way changes the last layer a little. A calibration says how much of each way there is in a person: the
most probable amounts, given what the encoder saw while they looked at known points (a Bayesian linear model
whose prior was learned; C. Bishop, Pattern Recognition and Machine Learning, 2006, section 3.3)."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from rtgraph.files import whole_file

from .eye_weights import CALIBRATED, GAZE_SCALE_RAD, HEADS, EyeWeights

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

_LID, _CONFIDENCE = HEADS.index("lid"), HEADS.index("confidence")
#: Looks that are further off from what the calibration makes of them, and than so many times the median,
#: were a blink or a wrong target; radians.
_OUTLIER_RAD, _OUTLIER_TIMES = np.deg2rad(5.0), 2.5
#: No eye in a headset needs more than this; radians.
_FAR_OFF_RAD = np.deg2rad(25.0)

#: Where to look, yaw and pitch in degrees; the first is the middle.
NINE_POINTS: tuple[tuple[float, float], ...] = (
    (0, 0), (-20, -15), (0, -15), (20, -15), (20, 0), (20, 15), (0, 15), (-20, 15), (-20, 0),
)  # fmt: skip


class EyeCalibration(BaseModel):
    """How much of each way there is, left eye then right; `weights` is the mark of the encoder they belong
    to.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    weights: str
    amounts: tuple[tuple[float, ...], tuple[float, ...]]

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as part:
            part.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")

    @staticmethod
    def load(path: Path, weights: EyeWeights) -> EyeCalibration:
        """Raises FileNotFoundError where there is no file, ValueError where it holds something else or
        belongs to other weights."""
        try:
            read = EyeCalibration.model_validate_json(path.read_text(encoding="utf-8"))
        except ValidationError as error:
            raise ValueError(
                f"{path}: not a calibration of eyes ({error.error_count()} mistakes); "
                "make one with `rtgraph calibrate eyes`"
            ) from error
        if read.weights != mark(weights):
            raise ValueError(
                f"{path}: made with weights {read.weights}, but these are {mark(weights)}; "
                "calibrate again with `rtgraph calibrate eyes`"
            )
        ways = weights.card.config.ways
        if any(len(eye) != ways or not np.isfinite(eye).all() for eye in read.amounts):
            raise ValueError(f"{path}: expected {ways} finite amounts for each eye")
        return read


def mark(weights: EyeWeights) -> str:
    """Eight letters that other weights do not share."""
    return f"{zlib.crc32(weights.tensors['ways'].tobytes() + weights.tensors['heads.weight'].tobytes()):08x}"


def average_person(weights: EyeWeights) -> EyeCalibration:
    """The calibration that changes nothing."""
    return EyeCalibration(weights=mark(weights), amounts=((0.0,) * weights.card.config.ways,) * 2)


def both_heads(weights: EyeWeights, calibration: EyeCalibration | None = None) -> dict[str, Floats]:
    """The tensors as the native step takes them: `heads` once for each eye, [2, 8, 80] and [2, 8],
    calibrated.
    """
    layer = np.stack([_layer(weights)] * 2)
    if calibration is not None:
        layer[:, CALIBRATED] += np.einsum(
            "ek,koi->eoi", np.array(calibration.amounts), weights.tensors["ways"]
        )
    heads = {
        "heads.weight": np.ascontiguousarray(layer[..., :-1], np.float32),
        "heads.bias": np.ascontiguousarray(layer[..., -1], np.float32),
    }
    return {**weights.tensors, **heads}


def fit(weights: EyeWeights, features: Floats, targets: Floats) -> EyeCalibration:
    """features [N, 160] of the encoder while open eyes rest on targets [N, 2] (yaw, pitch, radians).

    Looks without confidence or with lids half closed are left out, and so are outliers. An eye that leaves
    fewer than nine looks stays the average person's."""
    eyes = np.asarray(features, np.float64).reshape(len(features), 2, weights.card.config.features)
    sides = np.array([[1.0, 1.0], [-1.0, 1.0]])  # a right eye is seen mirrored
    left, right = (_fit_eye(weights, eyes[:, k], targets * sides[k]) for k in (0, 1))
    return EyeCalibration(weights=mark(weights), amounts=(left, right))


def _fit_eye(weights: EyeWeights, features: Doubles, targets: Doubles) -> tuple[float, ...]:
    """features [N, 80], targets [N, 2] of a left eye -> amounts."""
    if len(features) < len(NINE_POINTS):
        return (0.0,) * weights.card.config.ways
    x = np.hstack([features, np.ones((len(features), 1))])
    raw = x @ _layer(weights).T
    ways = weights.tensors["ways"].astype(np.float64)
    # What is known of a look: where it goes, and that the lids are open.
    noise = weights.tensors["ways.noise"].astype(np.float64)
    missing = np.column_stack([targets / GAZE_SCALE_RAD, np.ones(len(x))]) - raw[:, CALIBRATED]
    design = np.einsum("koi,ni->nok", ways, x)  # [N, 3, ways]
    usable = (raw[:, _CONFIDENCE] > 0) & (raw[:, _LID] > 0.6 * np.clip(np.median(raw[:, _LID]), 0.5, 1.0))
    usable &= np.hypot(*missing[:, :2].T) * GAZE_SCALE_RAD < _FAR_OFF_RAD
    amounts, good = np.zeros(len(ways)), usable
    for _ in range(6):
        if good.sum() < len(NINE_POINTS):
            break
        a = (design[good] / noise[:, None]).reshape(-1, len(ways))
        b = (missing[good] / noise).ravel()
        amounts = np.linalg.solve(a.T @ a + np.eye(len(ways)), a.T @ b)
        off = np.hypot(*(missing - design @ amounts)[:, :2].T) * GAZE_SCALE_RAD
        good = usable & (off < max(_OUTLIER_RAD, _OUTLIER_TIMES * np.median(off[usable])))
    return tuple(map(float, amounts))


def _layer(weights: EyeWeights) -> Doubles:
    """[8, 81] the last layer, its bias behind."""
    tensors = weights.tensors
    return np.column_stack([tensors["heads.weight"], tensors["heads.bias"]]).astype(np.float64)
