"""What one person's eyes in one headset need on top of the encoder: a small map, fitted from nine points."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from .expression import EYE

Floats = NDArray[np.float32]

_YAW, _PITCH, _LID, _CONFIDENCE = (EYE.index(n) for n in ("gazeYaw", "gazePitch", "lid", "confidence"))
#: Terms of the gaze map: 1, yaw, pitch, yaw pitch, yaw^2, pitch^2.
TERMS = 6
#: How strongly factors are held to 0: a look's noise, 1.5 degrees, over their spread, 0.25, squared.
_HOLD = (np.deg2rad(1.5) / 0.25) ** 2
#: Looks that are further off from what the map makes of them, and than twice the median, were a blink or a
#: wrong target; radians.
_OUTLIER_RAD = np.deg2rad(5.0)
#: No eye in a headset needs more than this; radians.
_FAR_OFF_RAD = np.deg2rad(25.0)

#: Where to look, yaw and pitch in degrees; the first is the middle.
NINE_POINTS: tuple[tuple[float, float], ...] = (
    (0, 0), (-20, -15), (0, -15), (20, -15), (20, 0), (20, 15), (0, 15), (-20, 15), (-20, 0),
)  # fmt: skip


class EyeCalibration(BaseModel):
    """Per eye, left then right.

    gaze[eye][0 yaw, 1 pitch] are the factors of TERMS that are added to the encoder's gaze, radians;
    lid[eye] is what the encoder says of the closed and of the open lid.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    gaze: tuple[tuple[tuple[float, ...], tuple[float, ...]], ...] = (((0.0,) * TERMS,) * 2,) * 2
    lid: tuple[tuple[float, float], ...] = ((0.0, 1.0),) * 2

    def apply(self, state: Floats) -> Floats:
        """Eye states [..., 14], new ones of the same shape."""
        eyes = np.array(state, np.float32).reshape(*state.shape[:-1], 2, len(EYE))
        for eye in (0, 1):
            row = eyes[..., eye, :]
            change = terms(row[..., _YAW], row[..., _PITCH]) @ np.array(self.gaze[eye]).T
            row[..., _YAW] += change[..., 0].astype(np.float32)
            row[..., _PITCH] += change[..., 1].astype(np.float32)
            closed, opened = self.lid[eye]
            row[..., _LID] = np.clip((row[..., _LID] - closed) / (opened - closed), 0, 1)
        return eyes.reshape(state.shape)

    def numbers(self) -> list[float]:
        """For the native node: [2 eyes][6 yaw, 6 pitch, closed, open], 28 numbers."""
        return [n for eye in (0, 1) for n in (*self.gaze[eye][0], *self.gaze[eye][1], *self.lid[eye])]

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")

    @staticmethod
    def load(path: Path) -> EyeCalibration:
        """Raises FileNotFoundError where there is no file, ValueError where it holds something else."""
        try:
            read = EyeCalibration.model_validate_json(path.read_text(encoding="utf-8"))
        except ValidationError as error:
            raise ValueError(
                f"{path}: not a calibration of eyes ({error.error_count()} mistakes); "
                "make one with `rtgraph calibrate eyes`"
            ) from error
        if len(read.gaze) != 2 or any(len(axis) != TERMS for eye in read.gaze for axis in eye):
            raise ValueError(f"{path}: expected 2 eyes with 2 x {TERMS} factors of gaze")
        if len(read.lid) != 2 or any(opened - closed < 0.2 for closed, opened in read.lid):
            raise ValueError(f"{path}: lid: expected closed and open of 2 eyes, at least 0.2 apart")
        return read


def terms(yaw: NDArray[np.floating[Any]], pitch: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """[..., 6] of the gaze map; the encoder's gaze in radians."""
    y, p = yaw.astype(np.float64), pitch.astype(np.float64)
    return np.stack([np.ones_like(y), y, p, y * p, y * y, p * p], -1)


def fit(states: Floats, targets: Floats) -> EyeCalibration:
    """states [N, 14] of an encoder while the eyes rest on targets [N, 2] (yaw, pitch, radians) -> the map.

    Looks without confidence or with lids half closed are left out, and so are outliers. An eye that leaves
    fewer than nine looks keeps the encoder's own gaze.
    """
    eyes = np.asarray(states, np.float64).reshape(-1, 2, len(EYE))
    gaze, lids = [], []
    for eye in (0, 1):
        seen = eyes[:, eye]
        open_lid = float(np.clip(np.median(seen[:, _LID]), 0.5, 1.0)) if len(seen) else 1.0
        usable = (seen[:, _CONFIDENCE] > 0.5) & (seen[:, _LID] > 0.6 * open_lid)
        x = terms(seen[:, _YAW], seen[:, _PITCH])
        missing = targets - seen[:, [_YAW, _PITCH]]
        usable &= np.hypot(*missing.T) < _FAR_OFF_RAD
        factors, good = np.zeros((TERMS, 2)), usable
        for _ in range(6):
            if good.sum() < len(NINE_POINTS):
                break
            factors = np.linalg.solve(x[good].T @ x[good] + _HOLD * np.eye(TERMS), x[good].T @ missing[good])
            off = np.hypot(*(missing - x @ factors).T)
            good = usable & (off < max(_OUTLIER_RAD, 2 * np.median(off[usable])))
        gaze.append((tuple(map(float, factors[:, 0])), tuple(map(float, factors[:, 1]))))
        lids.append((0.0, open_lid))
    return EyeCalibration(gaze=tuple(gaze), lid=tuple(lids))
