"""Looks at known points, for a calibration: recorded by somebody, or rendered."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rtgraph import AssetError
from rtgraph.models.eye_calibration import NINE_POINTS
from rtgraph.training.eye_corpus.look import Look
from rtgraph.training.eye_corpus.sitting import Sitting, begin

Images = NDArray[np.uint8]
Floats = NDArray[np.float32]

#: Looks at each of the nine points, and the seed of the people who take part.
LOOKS_A_POINT, SYNTHETIC_SEED = 12, 990_002


def read_looks(path: Path) -> tuple[Images, Images, Floats]:
    """left, right [N, H, W] uint8 and targets [N, 2] radians of an .npz; its targets are degrees.

    Raises AssetError where the file cannot be used.
    """
    try:
        with np.load(path, allow_pickle=False) as found:
            left, right, targets = found["left"], found["right"], found["targets"]
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "no such arrays are in it"
        raise AssetError(
            f"{path}: {why}; expected an .npz: left, right [N, H, W] uint8, targets [N, 2] in degrees"
        ) from error
    for name, images in (("left", left), ("right", right)):
        if images.dtype != np.uint8 or images.ndim != 3 or images.shape != left.shape:
            raise AssetError(
                f"{path}: {name} is {images.dtype} {list(images.shape)}; expected uint8 [N, H, W] like left"
            )
    if (
        targets.shape != (len(left), 2)
        or not np.isfinite(targets).all()
        or np.abs(targets).max(initial=0) > 60
    ):
        raise AssetError(
            f"{path}: targets is {list(targets.shape)}; "
            f"expected [{len(left)}, 2], yaw and pitch in degrees, to 60"
        )
    if len(left) < len(NINE_POINTS):
        raise AssetError(f"{path}: it holds {len(left)} looks; expected {len(NINE_POINTS)} or more")
    return left, right, np.deg2rad(targets).astype(np.float32)


def look_at_points(sitting: Sitting) -> tuple[Images, Floats]:
    """Pictures [N, 128, 128] of a left eye that looks at the nine points, and targets [N, 2] radians."""
    points = np.deg2rad(np.repeat(NINE_POINTS, LOOKS_A_POINT, 0)).astype(np.float32)
    looks = [Look(float(y), float(p), pupil_mm=float(sitting.rng.uniform(3, 6))) for y, p in points]
    return np.stack([sitting.picture(look) for look in looks]), points


def synthetic_looks(person: int) -> tuple[Images, Images, Floats]:
    """A rendered person who looks at the nine points; the right eye is the mirror image of another sitting
    of theirs."""
    one, other = begin(SYNTHETIC_SEED, person), begin(SYNTHETIC_SEED + 1, person)
    left, points = look_at_points(one)
    # The same person, another camera. What the right eye does to its own left-hand side is mirrored.
    right_sitting = replace(other, wearer=one.wearer)
    pictures = [
        right_sitting.picture(Look(-float(y), float(p), pupil_mm=float(other.rng.uniform(3, 6))))
        for y, p in points
    ]
    return left, np.stack([np.ascontiguousarray(p[:, ::-1]) for p in pictures]), points
