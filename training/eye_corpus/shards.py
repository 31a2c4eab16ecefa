"""The corpus on disk: numbered npz shards of whole sittings, each written whole or not at all.

A sitting is one wearer in one rig; its pictures differ in look, slip and noise. eyes-N.npz: `images`
[N, 128, 128] uint8 as a left eye, `labels` [N, 6] float32 in the order of look.LABELS, `points` [N, 24]
float32 in the order of points.POINTS, `sitting` [N] int32.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .look import FloatArray


class EyeCorpusError(Exception):
    """The corpus cannot be made or read; the message says what to do."""


@dataclass(frozen=True)
class Shard:
    """Pictures with their labels."""

    images: NDArray[np.uint8]  # [N, 128, 128]
    labels: FloatArray  # [N, 6]
    points: FloatArray  # [N, 24]
    sitting: NDArray[np.int32]  # [N]


def path(folder: Path, number: int) -> Path:
    return folder / f"eyes-{number:05d}.npz"


def write(file: Path, shard: Shard) -> None:
    """Under another name, then renamed: a killed run leaves no half file."""
    unfinished = file.with_suffix(".part")
    with unfinished.open("wb") as out:
        np.savez(out, images=shard.images, labels=shard.labels, points=shard.points, sitting=shard.sitting)
    unfinished.replace(file)


def read(file: Path) -> Shard:
    """Raises EyeCorpusError where the file is not a shard."""
    try:
        with np.load(file, allow_pickle=False) as found:
            return Shard(found["images"], found["labels"], found["points"], found["sitting"])
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise EyeCorpusError(
            f"{file} is no shard of eyes ({error}); delete it and run the corpus command again"
        ) from error


def paths(folder: Path) -> list[Path]:
    """Every finished shard, in order; raises EyeCorpusError where there is none."""
    found = sorted(folder.glob("eyes-*.npz"))
    if not found:
        raise EyeCorpusError(
            f"{folder} holds no eyes-*.npz; make them: python -m rtgraph.training.eye_corpus --out {folder}"
        )
    return found
