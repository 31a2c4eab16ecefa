"""From the eye encoder's features to the face's eye input: one small linear layer, fitted with the face
left as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file

from .expression import EYE
from .eye_lift import EYE_INPUT
from .weights import card_path, write

Floats = NDArray[np.float32]

#: Features of an eye, and the numbers of an eye that the face's eye input holds.
FEATURES, NUMBERS = 80, len(EYE)
#: No lifted eye state leaves these bounds by more than a little.
_BOUND = 1.5


class EyeAdapterCard(BaseModel):
    """Which encoder it belongs to, and how near it comes to the lift of the true state, a standard
    deviation each.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    licence: str
    encoder: str  # its mark, see eye_calibration.mark
    data: list[str] = []
    quality: dict[str, float] = {}
    notes: str = ""


@dataclass(frozen=True)
class EyeAdapter:
    """weight [7, 80] and bias [7] of a left eye; a right eye's features come mirrored, so its yaw is turned
    back.
    """

    weight: Floats
    bias: Floats
    card: EyeAdapterCard

    def __call__(self, features: Floats) -> Floats:
        """Features [160] of eye.encoder -> the face's eye input [160], as eye_lift.lift makes it of a
        state.
        """
        eyes = np.clip(features.reshape(2, FEATURES) @ self.weight.T + self.bias, -_BOUND, _BOUND)
        eyes[1, 0] *= -1
        out = np.zeros(EYE_INPUT, np.float32)
        out[: 2 * NUMBERS] = eyes.ravel()
        return out


def save(path: Path, adapter: EyeAdapter) -> None:
    """Writes both files."""
    write(path, {"weight": adapter.weight, "bias": adapter.bias}, adapter.card)


def load(path: Path) -> EyeAdapter:
    """Raises FileNotFoundError where a file is missing, ValueError where one cannot be read or does not
    fit.
    """
    card_file = card_path(path)
    for file, what in ((path, "an eye adapter"), (card_file, "the adapter's card")):
        if not file.is_file():
            raise FileNotFoundError(f"{file}: no such file; expected {what} here")
    try:
        card = EyeAdapterCard.model_validate_json(card_file.read_text(encoding="utf-8"))
        tensors = load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{path}: not a safetensors file ({error}); fetch or fit it again") from error
    except ValidationError as error:
        raise ValueError(f"{card_file}: not a card of an eye adapter: {error}") from error
    found = {name: tuple(t.shape) for name, t in tensors.items()}
    wanted = {"weight": (NUMBERS, FEATURES), "bias": (NUMBERS,)}
    if found != wanted or not all(np.isfinite(t).all() for t in tensors.values()):
        raise ValueError(f"{path}: expected finite {wanted}, got {found}; fetch or fit it again")
    return EyeAdapter(tensors["weight"], tensors["bias"], card)
