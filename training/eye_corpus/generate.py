"""Making a corpus of eyes: shard after shard, from wherever the last run stopped."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from . import shards
from .shards import EyeCorpusError, Shard
from .sitting import begin

#: Pictures of one sitting, and sittings of one shard (about 10 MB and a few seconds).
PICTURES, SITTINGS = 10, 64


def generate(
    folder: Path,
    images: int,
    seed: int,
    report: Callable[[int], None] = lambda _: None,
    pictures: int = PICTURES,
) -> None:
    """Make or continue the corpus in `folder` until it has at least so many images.

    The same seed gives the same pictures, interrupted or not. Raises EyeCorpusError where the folder holds
    another corpus.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _claim(folder, {"version": 4, "seed": seed, "pictures": pictures})
    for number in range(-(-images // (pictures * SITTINGS))):
        file = shards.path(folder, number)
        if not file.exists():
            shards.write(file, _shard(seed, number, pictures))
        report((number + 1) * pictures * SITTINGS)


def _shard(seed: int, number: int, pictures: int) -> Shard:
    sittings = np.arange(number * SITTINGS, (number + 1) * SITTINGS, dtype=np.int32)
    made = [begin(seed, int(k)).random_labelled(pictures) for k in sittings]
    images, labels, points = (np.concatenate(column) for column in zip(*made, strict=True))
    return Shard(images, labels, points, np.repeat(sittings, pictures))


def _claim(folder: Path, wanted: dict[str, int]) -> None:
    """Write down what the corpus is made of, or check that it is the same as before."""
    path = folder / "corpus.json"
    if not path.exists():
        path.write_text(json.dumps(wanted, indent=1) + "\n", "utf-8")
        return
    found = json.loads(path.read_text("utf-8"))
    for key, value in wanted.items():
        if found.get(key) != value:
            raise EyeCorpusError(
                f"{path}: {key} is {found.get(key)!r}, expected {value!r}; "
                "give the arguments that it was begun with, or another --out"
            )
