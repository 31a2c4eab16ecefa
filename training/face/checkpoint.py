"""The state of a run on disk: written whole or not at all, so that a killed run resumes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch


class CheckpointError(Exception):
    """A checkpoint cannot be gone on with; the message says why and the remedy."""


def save(path: Path, state: dict[str, Any]) -> None:
    """Under another name, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    torch.save(state, unfinished)
    unfinished.replace(path)


def load(path: Path, device: torch.device) -> dict[str, Any]:
    """Tensors and plain values only; CheckpointError where the file is broken."""
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # torch raises many kinds here
        raise CheckpointError(f"{path} is no checkpoint ({error}); delete it to begin anew") from error
    return state
