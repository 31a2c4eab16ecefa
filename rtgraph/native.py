"""Tells a build of native nodes outside of this repository where the header and the CMake package lie.

cmake -S . -B build -Drtgraph_DIR=$(python -m rtgraph.native --cmake-dir)
"""

from __future__ import annotations

import argparse
from pathlib import Path


def include_dir() -> Path:
    """The folder that holds rtgraph/node.h and rtgraph/capsule.h."""
    return Path(__file__).resolve().parent / "include"


def cmake_dir() -> Path:
    """The folder that holds rtgraphConfig.cmake."""
    return Path(__file__).resolve().parent / "cmake"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m rtgraph.native", description=__doc__)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--include-dir", action="store_const", dest="place", const=include_dir())
    which.add_argument("--cmake-dir", action="store_const", dest="place", const=cmake_dir())
    print(parser.parse_args().place)


if __name__ == "__main__":
    main()
