"""The chain in Timeflux: five nodes under its own scheduler, in one process.

Carrier: a pandas DataFrame of 16 rows by 32 float64 columns (4 KiB), Timeflux's only one. Relays hand the
port on (`self.o = self.i`). Throughput at rate 0, Timeflux's "as fast as it goes": its scheduler still calls
time.sleep(0) once a cycle, and on Linux that call is most of the cycle. Hop time at rate 1000.
"""

from contextlib import suppress
from itertools import pairwise
from time import perf_counter_ns

import chain
import numpy as np
import pandas as pd
from timeflux.core.exceptions import WorkerInterrupt
from timeflux.core.node import Node
from timeflux.core.scheduler import Scheduler
from timeflux.core.worker import Worker


class Source(Node):
    def __init__(self, stamps: chain.Stamps) -> None:
        self._sent_ns = stamps.sent_ns
        values = chain.payload().view(np.uint64).astype(np.float64).reshape(16, 32)
        self._frame = pd.DataFrame(values, pd.date_range("2000-01-01", periods=16, freq="ms"))

    def update(self) -> None:
        self._sent_ns.append(perf_counter_ns())
        self.o.data = self._frame


class Relay(Node):
    def update(self) -> None:
        self.o = self.i


class Sink(Node):
    def __init__(self, stamps: chain.Stamps, messages: int) -> None:
        self._arrived_ns = stamps.arrived_ns
        self._messages = messages

    def update(self) -> None:
        self._arrived_ns.append(perf_counter_ns())
        if len(self._arrived_ns) == self._messages:
            raise WorkerInterrupt


def run(messages: int, paced: bool) -> chain.Stamps:
    stamps = chain.Stamps()
    relays = [f"relay{index}" for index in range(chain.NODES - 2)]
    ids = ["source", *relays, "sink"]
    graph = {
        "id": "chain",
        "rate": 1e9 / chain.PERIOD_NS if paced else 0,
        "nodes": [
            {"id": "source", "module": __name__, "class": "Source", "params": {"stamps": stamps}},
            *({"id": relay, "module": __name__, "class": "Relay", "params": {}} for relay in relays),
            {
                "id": "sink",
                "module": __name__,
                "class": "Sink",
                "params": {"stamps": stamps, "messages": messages},
            },
        ],
        "edges": [{"source": before, "target": after} for before, after in pairwise(ids)],
    }
    # A Timeflux worker without its process: load the graph, then run its scheduler until interrupted.
    path, nodes = Worker(graph).load()
    with suppress(WorkerInterrupt):
        Scheduler(path, nodes, graph["rate"]).run()
    return stamps


if __name__ == "__main__":
    chain.main(run, messages=50_000)
