"""What Ctrl-C and SIGTERM do to a run."""

from __future__ import annotations

import os
import signal
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Counts SIGINT and SIGTERM from `begin_counting` on; before that they raise KeyboardInterrupt.

    The run looks at `count`: one asks for a clean end, two for the end. A third ends the process on the spot,
    should even that hang.
    """

    def __init__(self) -> None:
        self.count = 0
        self._counting = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupts:
        self._before = {number: signal.signal(number, self._on_signal) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def begin_counting(self) -> None:
        self._counting = True

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if not self._counting:
            raise KeyboardInterrupt
        self.count += 1
        if self.count > 2:
            os._exit(130)
