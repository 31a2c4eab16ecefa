"""The state of a run on disk: written whole or not at all, so that a killed run resumes; and what the run is
made of.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from rtgraph.files import whole_file


class CheckpointError(Exception):
    """A checkpoint cannot be gone on with; the message says why and the remedy."""


def claim(folder: Path, made_of: dict[str, Any]) -> None:
    """Write down in run.json what a run is made of, or check, where a stage has begun, that it is the same as
    before: what is done is not done again. CheckpointError names what differs.
    """
    path = folder / "run.json"
    if not path.exists() or not any(folder.glob("*/checkpoint.pt")):
        folder.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as part:
            part.write_text(json.dumps(made_of, indent=1) + "\n", "utf-8")
        return
    found = dict(_named(json.loads(path.read_text("utf-8"))))
    now = dict(_named(made_of))
    differing = [name for name in found | now if found.get(name) != now.get(name)]
    if differing:
        raise CheckpointError(
            f"{folder} holds a run with other {', '.join(differing)}; delete that folder to begin anew, or "
            f"give this run one of its own with --run"
        )


def _named(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every value in dicts in dicts, as settings.data.batch and so on."""
    if not isinstance(value, dict):
        yield name, value
        return
    for key, inner in value.items():
        yield from _named(inner, f"{name}.{key}" if name else key)


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
