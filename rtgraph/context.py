"""Context: what the runtime offers a node while it opens and processes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rtgraph import _core
from rtgraph.files import find_file

if TYPE_CHECKING:
    from rtgraph.graph import Signal
    from rtgraph.profiler import Profile


class Context(_core.Context):
    """Handed to `open` and to every `process`. Valid for that node alone.

    From the core: `timestamp_ns` (of the newest packet that fired the node), `seq`, `start_ns` (of the run),
    `now_ns()` (on the graph's clock), `stopping`, `observe_clock(device_ns, monotonic_ns)` (sources with
    `provides_clock`), `count(what, n=1)` (a counter in the profile), `elapse(duration_ns)` (the work takes
    this long: virtual time on a manual clock, a sleep on others) and `with waiting():` (what is done there is
    waiting for a device, and not in the node's compute time).
    """

    def __init__(
        self,
        node: str,
        folder: Path,
        clock: str,
        profile: Callable[[], Profile | None] = lambda: None,
        signals: Mapping[str, Signal] | None = None,
    ) -> None:
        super().__init__()
        self.node = node
        self.clock = clock
        self.log = logging.getLogger(f"rtgraph.nodes.{node}")
        #: What comes on each connected input: type, shape, packets and samples a second, as far as is known.
        self.signals: Mapping[str, Signal] = signals or {}
        self._folder = folder
        self._profile = profile
        self._warned: dict[str, tuple[float, int]] = {}

    @property
    def live(self) -> bool:
        """Whether time passes by itself: false on a manual clock."""
        return self.clock != "manual"

    def find_file(self, path: str | Path) -> Path:
        """An input file: beside the graph file, in the working directory, or with `asset:` among the bundled
        ones."""
        return find_file(path, self._folder)

    def profile(self) -> Profile | None:
        """The figures of the run so far, of all its nodes; None outside a run. Any thread may ask."""
        return self._profile()

    def warn(self, message: str) -> None:
        """Log a warning, the same one at most once a second, and count it as `warnings` in the profile."""
        self.count("warnings")
        said_at, unsaid = self._warned.get(message, (0.0, 0))
        now = time.monotonic()
        if said_at and now - said_at < 1.0:
            self._warned[message] = (said_at, unsaid + 1)
            return
        self.log.warning("%s: %s%s", self.node, message, f" ({unsaid} more like this)" if unsaid else "")
        self._warned[message] = (now, 0)
