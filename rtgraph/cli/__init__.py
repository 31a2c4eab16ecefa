"""The command `rtgraph`: where it begins, and how it ends when it is told to.

Exit codes: 0 fine, 1 an error while running, 2 a wrong graph or wrong use, 130 interrupted.
"""

from __future__ import annotations

import signal
import sys


def main() -> None:
    """Entry point of the installed command."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: what was begun is tidied up
    try:
        from rtgraph.cli.app import app  # takes a quarter of a second, in which somebody may think again

        app(prog_name="rtgraph")
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
