"""Recordings of which only the lips were measured: NAME.ref.csv (time_s, aperture, width) with its sound.

Such clips judge a model, or are targets for what `rtgraph.models.lips` reads off its frames.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rtgraph.models.expression import FRAME

from .clip import RealDataError
from .resample import at_face_frames
from .store import StoredClip, sound_beside
from .tables import lips_of, read_table


def read_folder(folder: Path, split: str = "judge") -> list[StoredClip]:
    """Every clip of the folder, without motion. The lips of a rig (rig_ columns) are one person's, others are
    each another's. RealDataError where there is none.
    """
    tables = sorted(folder.glob("*.ref.csv"))
    if not tables:
        raise RealDataError(
            f"{folder} holds no NAME.ref.csv; expected tables with time_s, aperture and width"
        )
    clips = []
    for path in tables:
        name = path.name.removesuffix(".ref.csv")
        table = read_table(path)
        lips = at_face_frames(table["time_s"], lips_of(table, path))
        of_rig = any(column.startswith("rig_") for column in table)
        clips.append(
            StoredClip(
                name=name,
                speaker=name.partition("_")[0] if of_rig else name,
                split=split,
                audio=sound_beside(path.with_name(f"{name}.csv")),
                motion=np.zeros((len(lips), len(FRAME)), np.float32),
                known=np.zeros(len(FRAME), bool),
                lips=lips,
            )
        )
    return clips
