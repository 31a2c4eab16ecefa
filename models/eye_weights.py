"""The eye encoder's sizes and its weight file, safetensors with a JSON card; needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt, ValidationError, model_validator
from safetensors import SafetensorError
from safetensors.numpy import load_file

from .weights import card_path, check_finite, write

#: What the last layer gives, and how it becomes an eye's state: value = centre + scale * output. Confidence
#: and mirrored (the picture is the other eye's, or a mirror's) are logits.
HEADS: tuple[str, ...] = (
    "gazeYaw",
    "gazePitch",
    "lid",
    "squint",
    "wide",
    "pupilMm",
    "confidence",
    "mirrored",
)
#: Those that a calibration may change, because looking at points tells of them.
CALIBRATED: tuple[int, ...] = tuple(HEADS.index(name) for name in ("gazeYaw", "gazePitch", "lid"))
GAZE_SCALE_RAD, PUPIL_CENTRE_MM, PUPIL_SCALE_MM = 0.3, 4.5, 2.0
PUPIL_RANGE_MM = (1.0, 9.0)
#: Places are counted from the picture's middle, in eighths of its side: -4 to 4.
PLACE_REACH = 4.0
#: Added to a picture's standard deviation (of 0..1) before dividing by it.
CONTRAST_FLOOR = 0.02
#: The numbers above as the native step takes them.
DECODE: tuple[float, ...] = (
    PLACE_REACH,
    CONTRAST_FLOOR,
    GAZE_SCALE_RAD,
    PUPIL_CENTRE_MM,
    PUPIL_SCALE_MM,
    *PUPIL_RANGE_MM,
)


class EyeEncoderConfig(BaseModel):
    """Shape of the eye encoder.

    Every stage is a 3x3 convolution, after the first of stride 2 where the width grows and with a shortcut
    where it stays. Behind stage `places_after` maps of it are boiled down to the places in the picture where
    each is strongest.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    side_px: PositiveInt = 128
    fold: PositiveInt = 2  # pixels of a square that become channels
    widths: tuple[PositiveInt, ...] = (16, 32, 32, 48, 48, 48, 48, 64, 96)
    places: PositiveInt = 24
    places_after: NonNegativeInt = 6
    hidden: PositiveInt = 192
    features: PositiveInt = 80  # an eye
    ways: PositiveInt = 32  # in which wearers differ, see eye_calibration.py

    @model_validator(mode="after")
    def _check(self) -> EyeEncoderConfig:
        if not self.widths or any(w % 16 for w in self.widths):
            raise ValueError(f"widths: expected multiples of 16, got {self.widths}")
        if self.places % 8 or self.places_after >= len(self.widths):
            raise ValueError(
                f"places: expected a multiple of 8 behind one of {len(self.widths)} stages, "
                f"got {self.places} behind {self.places_after}"
            )
        return self

    @property
    def stages(self) -> tuple[tuple[int, int, int], ...]:
        """(inputs, outputs, stride) of each convolution."""
        inputs = (self.fold**2, *self.widths[:-1])
        return tuple(
            (a, b, 1 if k == 0 or a == b else 2)
            for k, (a, b) in enumerate(zip(inputs, self.widths, strict=True))
        )

    @property
    def sides(self) -> tuple[int, ...]:
        """Height and width of what each convolution leaves."""
        found, side = [], self.side_px // self.fold
        for _, _, stride in self.stages:
            side = -(-side // stride)
            found.append(side)
        return tuple(found)

    @property
    def flat(self) -> int:
        """Numbers that the convolutions leave, an eye."""
        return self.sides[-1] ** 2 * self.widths[-1]


class EyeCard(BaseModel):
    """What a weights file is, where it comes from and how good it is."""

    model_config = ConfigDict(extra="forbid")

    name: str
    licence: str
    config: EyeEncoderConfig
    data: list[str] = []
    images_seen: int = 0
    quality: dict[str, float] = {}  # measured, by the names of `rtgraph eval eyes`
    notes: str = ""


@dataclass(frozen=True)
class EyeWeights:
    """A loaded weights file; batch normalisation is folded into the convolutions."""

    tensors: dict[str, NDArray[np.float32]]
    card: EyeCard


def save(path: Path, tensors: dict[str, NDArray[np.float32]], card: EyeCard) -> None:
    """Writes both files."""
    write(path, {name: np.ascontiguousarray(t, np.float32) for name, t in tensors.items()}, card)


def load(path: Path) -> EyeWeights:
    """Reads a weights file and its card.

    Raises FileNotFoundError where either is missing, ValueError where one cannot be read or they disagree.
    """
    card_file = card_path(path)
    for file, what in ((path, "weights"), (card_file, "the weights' card")):
        if not file.is_file():
            raise FileNotFoundError(f"{file}: no such file; expected {what} here")
    try:
        card = EyeCard.model_validate_json(card_file.read_text(encoding="utf-8"))
        tensors: dict[str, Any] = load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{path}: not a safetensors file ({error}); fetch or train it again") from error
    except ValidationError as error:
        raise ValueError(f"{card_file}: not a card of eye weights: {error}") from error
    wanted = shapes(card.config)
    found = {name: tuple(t.shape) for name, t in tensors.items()}
    if found != wanted:
        wrong = sorted(n for n in wanted.keys() | found.keys() if wanted.get(n) != found.get(n))
        raise ValueError(
            f"{path}: its tensors do not fit the sizes in {card_file.name}: {', '.join(wrong)}; "
            "the two files belong to different trainings"
        )
    check_finite(path, tensors)
    return EyeWeights(tensors, card)


def shapes(config: EyeEncoderConfig) -> dict[str, tuple[int, ...]]:
    """Every tensor of a weights file by its name."""
    found: dict[str, tuple[int, ...]] = {}
    for k, (inputs, outputs, _) in enumerate(config.stages):
        found[f"stages.{k}.weight"], found[f"stages.{k}.bias"] = (outputs, inputs, 3, 3), (outputs,)
    layers = {
        "places": (config.places, config.widths[config.places_after]),
        "hidden": (config.hidden, config.flat + 2 * config.places),
        "features": (config.features, config.hidden),
        "heads": (len(HEADS), config.features),
    }
    for name, shape in layers.items():
        found[f"{name}.weight"], found[f"{name}.bias"] = shape, shape[:1]
    found["ways"] = (config.ways, len(CALIBRATED), config.features + 1)  # of the heads' weights and biases
    found["ways.noise"] = (len(CALIBRATED),)
    return found
