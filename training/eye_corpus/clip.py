"""A clip of both eyes of one person, side by side, with what they really do beside it as CSV."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rtgraph.models.expression import EYE_STATE

from .dynamics import sequence
from .look import Look
from .shards import EyeCorpusError
from .sitting import Sitting, begin


def pair(sitting: Sitting, look: Look) -> NDArray[np.uint8]:
    """[128, 256] uint8: the left eye, then the right one, both upright.

    Both look the same way; the right one is rendered as a left one and mirrored, rig and all.
    """
    left = sitting.picture(look)
    right = sitting.picture(Look(-look.yaw, look.pitch, look.lid, look.squint, look.wide, look.pupil_mm))
    return np.hstack([left, right[:, ::-1]])


def write(
    path: Path, seconds: float = 8.0, rate_hz: float = 60.0, seed: int = 990_003, person: int = 6
) -> None:
    """Writes a video (left eye in the left half, as eye.video takes it) and PATH.csv: time_s and the 14
    numbers of an eye state. Needs OpenCV (the extra [eye]); raises EyeCorpusError where it cannot write.
    """
    import cv2

    sitting = begin(seed, person)
    looks = sequence(seconds, rate_hz, sitting.rng, blinks_per_minute=25)
    code = cv2.VideoWriter.fourcc(*("mp4v" if path.suffix == ".mp4" else "VP80"))
    video = cv2.VideoWriter(str(path), code, rate_hz, (256, 128))
    if not video.isOpened():
        raise EyeCorpusError(f"{path}: OpenCV cannot write this kind of video here; try .mp4 or .webm")
    rows = []
    for k, look in enumerate(looks):
        video.write(cv2.cvtColor(pair(sitting, look), cv2.COLOR_GRAY2BGR))
        rows.append([k / rate_hz, *look.labels(), 1.0, *look.labels(), 1.0])
    video.release()
    header = ",".join(("time_s", *EYE_STATE))
    np.savetxt(path.with_suffix(".csv"), np.array(rows), "%.4f", ",", header=header, comments="")
