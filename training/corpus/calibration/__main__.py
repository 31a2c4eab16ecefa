"""`python -m rtgraph.training.corpus.calibration`: the articulatory model before and after a fit to lips."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from rtgraph.errors import RtGraphError
from rtgraph.training.real import read_all

from ..parameters import default
from .fit import Spoken, agreement, fit


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m rtgraph.training.corpus.calibration", description=__doc__
    )
    parser.add_argument("--source", default="grid_s1", help="solved recordings with words (default: grid_s1)")
    parser.add_argument("--clips", type=int, default=200, help="to fit to; as many judge, at most 100")
    parser.add_argument("--tries", type=int, default=150, help="of each group's kinetics (default: 150)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="parameters to write, as parameters.json")
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    try:
        clips = [c for c in read_all(None, "train", [given.source]) if c.words and c.lips is not None]
    except RtGraphError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if len(clips) < 20:
        print(f"error: {given.source} has {len(clips)} clips with words; expected 20", file=sys.stderr)
        return 1
    count = min(given.clips, len(clips) * 2 // 3)
    spoken = [Spoken.of(clips[i]) for i in rng.permutation(len(clips))[: count + 100]]
    to_fit, to_judge = spoken[:count], spoken[count:]
    before = default()
    after = fit(to_fit, before, given.tries, rng)
    print(f"{'':28s} aperture r   width r")
    for name, clips in ((f"{len(to_fit)} clips fitted to", to_fit), (f"{len(to_judge)} others", to_judge)):
        for when, p in (("before", before), ("after", after)):
            aperture, width = agreement(clips, p)
            print(f"{name + ', ' + when:28s} {aperture:10.3f} {width:9.3f}")
    if given.out is not None:
        given.out.write_text(after.model_dump_json(indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
