"""`python -m rtgraph.training.corpus`: make a corpus, or go on with one; killed at any time, it resumes by
the same command.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from . import engines
from .engines.kokoro import cache_folder
from .generate import Progress, generate
from .utterance import CorpusError

_MINI_HOURS = 2 / 60


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m rtgraph.training.corpus", description=__doc__)
    parser.add_argument(
        "--out", type=Path, help="folder of the corpus (default: rtgraph/corpus in the user's cache folder)"
    )
    parser.add_argument("--hours", type=float, default=6.0, help="sound wanted, in hours (default: 6)")
    parser.add_argument("--seed", type=int, default=0, help="another seed is another corpus (default: 0)")
    parser.add_argument(
        "--engines", default=",".join(engines.NAMES), help="comma-separated (default: %(default)s)"
    )
    parser.add_argument("--mini", action="store_true", help="two minutes with the quick engines, for tests")
    parser.add_argument("--processes", type=int, default=1, help="that speak at once (default: 1)")
    given = parser.parse_args()
    if given.processes < 1:
        parser.error(f"--processes {given.processes}: expected 1 or more")
    names = engines.QUICK if given.mini else tuple(given.engines.split(","))
    hours = _MINI_HOURS if given.mini else given.hours
    out = given.out or cache_folder() / ("corpus-mini" if given.mini else "corpus")
    console = Console()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.0f} %"),
        TimeRemainingColumn(),
    )
    try:
        with Bar(*columns, console=console) as bar:
            task = bar.add_task(str(out), total=hours * 3600)

            def report(done: Progress) -> None:
                bar.update(task, completed=min(done.seconds, done.wanted_seconds))
                text = f"{done.shard} shards, {done.seconds / 60:.1f} of {done.wanted_seconds / 60:.1f} min"
                console.print(text + (f", {done.left_out} clips left out" if done.left_out else ""))

            generate(out, hours, given.seed, names, report, given.processes)
    except CorpusError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
