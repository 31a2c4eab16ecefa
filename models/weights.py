"""Weight files: safetensors under torch's names, each with a JSON card beside it; needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file
from safetensors.numpy import save as to_bytes

from rtgraph.files import whole_file

from .config import FaceConfig


class Card(BaseModel):
    """What a weights file is, where it comes from and how good it is."""

    model_config = ConfigDict(extra="forbid")

    name: str
    licence: str
    config: FaceConfig
    data: list[str] = []  # the corpora it saw, with their licences
    steps: int = 0
    losses: dict[str, float] = {}
    quality: dict[str, float] = {}  # measured, by the names of `rtgraph eval`
    look_ahead_ms: int = 0  # the face of a frame is that of the sound this long before its newest sample
    notes: str = ""


@dataclass(frozen=True)
class Weights:
    """A loaded weights file."""

    tensors: dict[str, np.ndarray[Any, np.dtype[np.float32]]]
    card: Card

    def part(self, name: str) -> dict[str, np.ndarray[Any, np.dtype[np.float32]]]:
        """The tensors of one module ("encoder" or "denoiser") under the module's own names."""
        prefix = name + "."
        found = {
            key.removeprefix(prefix): array for key, array in self.tensors.items() if key.startswith(prefix)
        }
        if not found:
            parts = sorted({key.split(".", 1)[0] for key in self.tensors})
            raise KeyError(f"weights {self.card.name!r} hold no part {name!r}; they hold {', '.join(parts)}")
        return found


class _Module(Protocol):
    def state_dict(self) -> Mapping[str, Any]: ...


def card_path(path: Path) -> Path:
    """Where the card of a weights file lies: base.safetensors -> base.json."""
    return path.with_suffix(".json")


def save(
    path: Path,
    modules: Mapping[str, _Module],
    card: Card,
    precision: Literal["float32", "float16"] = "float32",
) -> None:
    """Writes the modules' parameters as `<part>.<name>` tensors, and the card beside them.

    float16 halves the file and rounds by less than 0.0005 of a weight; kernels round more when they pack.
    """
    tensors = {
        f"{part}.{name}": np.ascontiguousarray(tensor.detach().cpu().float().numpy().astype(precision))
        for part, module in modules.items()
        for name, tensor in module.state_dict().items()
    }
    write(path, tensors, card)


def write(path: Path, tensors: Mapping[str, np.ndarray[Any, Any]], card: BaseModel) -> None:
    """Writes a weights file and its card, each whole or not at all."""
    with whole_file(path) as part:
        part.write_bytes(to_bytes(dict(tensors)))
    with whole_file(card_path(path)) as part:
        part.write_text(card.model_dump_json(indent=2) + "\n", encoding="utf-8")


def check_finite(path: Path, tensors: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """ValueError where a tensor of a weights file holds a NaN or an infinity."""
    for name, tensor in tensors.items():
        if not np.isfinite(tensor).all():
            raise ValueError(f"{path}: '{name}' holds NaN or infinity; fetch or train the weights again")


def load(path: Path) -> Weights:
    """Reads a weights file and its card as float32 numpy arrays.

    Raises FileNotFoundError where either file is missing, ValueError where one cannot be read.
    """
    card_file = card_path(path)
    for file, what in ((path, "weights"), (card_file, "the weights' card")):
        if not file.is_file():
            raise FileNotFoundError(f"{file}: no such file; expected {what} here")
    try:
        tensors = {name: np.asarray(array, np.float32) for name, array in load_file(path).items()}
        check_finite(path, tensors)
        return Weights(tensors, Card.model_validate_json(card_file.read_text(encoding="utf-8")))
    except SafetensorError as error:
        raise ValueError(f"{path}: not a safetensors file ({error}); fetch or train it again") from error
    except ValidationError as error:
        raise ValueError(f"{card_file}: not a card of face weights: {error}") from error
