"""How good an eye encoder is, on rendered people that it has never seen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rtgraph.kernels.eye_encoder_step import EyeEncoderStep
from rtgraph.models.eye_calibration import EyeCalibration, both_heads, fit
from rtgraph.models.eye_weights import DECODE, EyeWeights
from rtgraph.training.eye_corpus.dynamics import sequence
from rtgraph.training.eye_corpus.points import VISIBLE
from rtgraph.training.eye_corpus.sitting import Sitting, begin

from .blinks import BlinkCount, count_blinks
from .spoil import WAYS, spoil
from .targets import look_at_points

Floats = NDArray[np.float32]
Encode = Callable[[NDArray[np.uint8]], tuple[Floats, Floats]]

#: Seeds of the people used here; the training corpus has others.
HELD_OUT_SEED = 990_001
#: The tests' gaze, degrees to every side, and how much of the pupil must show for gaze and pupil to be
#: asked for.
GAZE_TESTED_DEG, LEAST_VISIBLE = 30.0, 0.5
_LOOKS, _SEQUENCE_S, _SEQUENCE_HZ = 40, 6.0, 60.0
_LEFT = slice(0, 7)


@dataclass(frozen=True)
class Target:
    """A figure that must be met."""

    name: str
    unit: str
    limit: float
    at_least: bool = False

    def met(self, value: float) -> bool:
        return value > self.limit if self.at_least else value < self.limit


TARGETS = (
    Target("gaze error, median", "deg", 1.0),
    Target("gaze error, 95 %", "deg", 3.0),
    Target("lid error, mean", "", 0.04),
    Target("pupil error, mean", "mm", 0.25),
    Target("blink F1", "", 0.97, at_least=True),
    Target("bad pictures trusted", "", 0.02),
    Target("good pictures doubted", "", 0.02),
)


def encode_pairs(
    weights: EyeWeights,
    left: NDArray[np.uint8],
    right: NDArray[np.uint8],
    calibration: EyeCalibration | None = None,
) -> tuple[Floats, Floats]:
    """Pictures [N, H, W] of both eyes -> features [N, 160] and states [N, 14]."""
    return _encode_all(weights, left, right, calibration)[:2]


def _encode_all(
    weights: EyeWeights,
    left: NDArray[np.uint8],
    right: NDArray[np.uint8],
    calibration: EyeCalibration | None = None,
) -> tuple[Floats, Floats, Floats]:
    """The same, and how probably each picture [N, 2] is mirrored."""
    tensors = both_heads(weights, calibration)
    step = EyeEncoderStep(weights.card.config, DECODE, tensors, *left.shape[1:])
    all_of = zip(*(step(a, b) for a, b in zip(left, right, strict=True)), strict=True)
    features, states, mirrored = (np.stack(column).reshape(len(left), -1) for column in all_of)
    return features, states, mirrored


def encoder(weights: EyeWeights, calibration: EyeCalibration | None = None) -> Encode:
    """Pictures of left eyes [N, 128, 128] -> features [N, 160], states [N, 14]; the right eye sees the mirror
    image."""

    def encode(images: NDArray[np.uint8]) -> tuple[Floats, Floats]:
        return encode_pairs(weights, images, np.ascontiguousarray(images[:, :, ::-1]), calibration)

    return encode


def calibrate(weights: EyeWeights, sitting: Sitting) -> EyeCalibration:
    """From nine points, a few looks each, as `rtgraph calibrate eyes` makes it."""
    images, points = look_at_points(sitting)
    # The right eye is the left one's mirror image and looks the other way: only the left one is asked for.
    return fit(weights, encoder(weights)(images)[0], points)


def measure(
    weights: EyeWeights, people: int = 40, report: Callable[[int], None] = lambda _: None
) -> dict[str, float]:
    """The figures of TARGETS, and some that explain them, over so many held-out people."""
    encode = encoder(weights)
    found: dict[str, list[float]] = defaultdict(list)
    blinks = BlinkCount()
    limit = np.deg2rad(GAZE_TESTED_DEG)
    for person in range(people):
        sitting = begin(HELD_OUT_SEED, person)
        calibrated = encoder(weights, calibrate(weights, sitting))
        images, labels, points = sitting.random_labelled(_LOOKS)
        raw, state = encode(images)[1], calibrated(images)[1][:, _LEFT]
        seen = (points[:, VISIBLE] >= LEAST_VISIBLE) & (np.abs(labels[:, :2]) <= limit).all(1)
        found["before"].extend(_angle(raw[seen, :2], labels[seen, :2]))
        found["after"].extend(_angle(state[seen, :2], labels[seen, :2]))
        found["lid"].extend(np.abs(state[:, 2] - labels[:, 2]))
        found["pupil"].extend(np.abs(state[seen, 5] - labels[seen, 5]))
        found["squint"].extend(np.abs(state[:, 3] - labels[:, 3]))
        found["wide"].extend(np.abs(state[seen, 4] - labels[seen, 4]))
        found["doubted"].extend(raw[:, 6] < 0.5)
        bad = np.stack([spoil(image, sitting.rng, way) for image, way in zip(images, WAYS, strict=False)])
        found["trusted"].extend(encode(bad)[1][:, 6] >= 0.5)
        upside_down = np.stack([spoil(image, sitting.rng, "upside_down") for image in images])
        found["upside down"].extend(encode(upside_down)[1][:, 6] >= 0.5)
        # Each eye's picture where the other's should be: as the left one comes a mirrored left eye.
        swapped = np.ascontiguousarray(images[:, :, ::-1])
        found["swapped"].extend(_encode_all(weights, swapped, images)[2].min(1) < 0.5)
        found["not swapped"].extend(_encode_all(weights, images, swapped)[2].min(1) >= 0.5)
        if person % 3 == 0:
            looks = sequence(_SEQUENCE_S, _SEQUENCE_HZ, sitting.rng, blinks_per_minute=25)
            lids = calibrated(np.stack([sitting.picture(look) for look in looks]))[1][:, 2]
            blinks += count_blinks(lids, np.array([look.lid for look in looks]))
        report(person + 1)
    return {
        "gaze error, median": float(np.median(found["after"])),
        "gaze error, 95 %": float(np.percentile(found["after"], 95)),
        "lid error, mean": float(np.mean(found["lid"])),
        "pupil error, mean": float(np.mean(found["pupil"])),
        "blink F1": blinks.f1,
        "bad pictures trusted": float(np.mean(found["trusted"])),
        "good pictures doubted": float(np.mean(found["doubted"])),
        "gaze error uncalibrated, median": float(np.median(found["before"])),
        "gaze error uncalibrated, 95 %": float(np.percentile(found["before"], 95)),
        "upside-down pictures trusted": float(np.mean(found["upside down"])),
        "swapped pictures unnoticed": float(np.mean(found["swapped"])),
        "right pictures called swapped": float(np.mean(found["not swapped"])),
        "squint error, mean": float(np.mean(found["squint"])),
        "wide error, mean": float(np.mean(found["wide"])),
        "blinks": float(blinks.real),
        "pictures": float(len(found["lid"])),
    }


def missed(figures: dict[str, float]) -> list[Target]:
    """The targets that the figures do not meet."""
    return [t for t in TARGETS if not t.met(figures[t.name])]


def _angle(a: Floats, b: Floats) -> NDArray[np.float64]:
    """Degrees between gazes [N, 2] (yaw, pitch, radians)."""

    def axis(gaze: Floats) -> NDArray[np.float64]:
        yaw, pitch = gaze.astype(np.float64).T
        return np.stack([np.sin(yaw) * np.cos(pitch), -np.sin(pitch), np.cos(yaw) * np.cos(pitch)], 1)

    apart: NDArray[np.float64] = np.rad2deg(np.arccos(np.clip((axis(a) * axis(b)).sum(1), -1, 1)))
    return apart
