"""Where log messages go on the command line: plain lines on stderr."""

from __future__ import annotations

import logging
import sys

_LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)


class _StderrHandler(logging.Handler):
    """Writes to whatever `sys.stderr` is at that moment; wipes a status line that may stand in the row."""

    def emit(self, record: logging.LogRecord) -> None:
        wipe = "\r\x1b[2K" if sys.stderr.isatty() else ""
        print(f"{wipe}{record.levelname.lower()}: {self.format(record)}", file=sys.stderr, flush=True)


def log_to_stderr(verbose: int) -> None:
    """Show messages of rtgraph and its nodes: warnings, with 1 what happens, with 2 everything."""
    logger = logging.getLogger("rtgraph")
    logger.setLevel(_LEVELS[min(verbose, len(_LEVELS) - 1)])
    if not any(isinstance(handler, _StderrHandler) for handler in logger.handlers):
        logger.addHandler(_StderrHandler())
