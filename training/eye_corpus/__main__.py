"""`python -m rtgraph.training.eye_corpus`: render a corpus of eyes, or go on with one; killed at any time, it
resumes by the same command.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.progress import Progress

from .clip import write
from .generate import generate
from .shards import EyeCorpusError
from .sheet import draw


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m rtgraph.training.eye_corpus", description=__doc__)
    parser.add_argument(
        "--out",
        type=Path,
        default=Path.home() / ".cache/rtgraph/eyes",
        help="folder of the corpus (default: %(default)s)",
    )
    parser.add_argument(
        "--images", type=int, default=400_000, help="how many at least (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="another seed is other people (default: 0)")
    parser.add_argument(
        "--sheet", type=Path, metavar="PNG", help="only draw a contact sheet of eyes and labels"
    )
    parser.add_argument("--clip", type=Path, metavar="VIDEO", help="only render the demo clip, .mp4 or .webm")
    given = parser.parse_args()
    try:
        if given.sheet:
            draw(given.sheet)
            return 0
        if given.clip:
            write(given.clip)
            return 0
        with Progress() as bar:
            task = bar.add_task(str(given.out), total=given.images)
            generate(given.out, given.images, given.seed, lambda done: bar.update(task, completed=done))
    except EyeCorpusError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
