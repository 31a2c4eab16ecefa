"""What every candidate of the runtime benchmark measures: a chain of five no-op nodes with a 4 KiB payload.

The rules, alike for all:
- The payload is made before the clock starts and handed on by reference where a framework allows it: the
  runtime is measured, and not the making of arrays.
- Node 1, the source, notes the time before it emits; nodes 2 to 4 hand the message on; node 5, the sink,
  notes when it arrives. Both stamps are taken on throughput runs too.
- Throughput: as fast as the chain goes, counted at the sink after a warm-up.
- Hop time: at 1 kHz, from source to sink, divided by four.

A candidate is a script that calls `main` with its `run` and so prints one JSON line: {"messages_per_s",
"hop_us_p50", "hop_us_p99"}. It is started with this folder on PYTHONPATH, whence `import chain`, for the venv
of a peer holds no rtgraph.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

NODES = 5
HOPS = NODES - 1
PAYLOAD_BYTES = 4096
PERIOD_NS = 1_000_000  # 1 kHz
PACED_MESSAGES = 2000
WARM_UP = 0.1  # the share of the messages that is left out at the start of each run
QUICK_DIVISOR = 10


class Stamps:
    """When each message left the source and reached the sink: time.perf_counter_ns(), in order."""

    def __init__(self) -> None:
        self.sent_ns: list[int] = []
        self.arrived_ns: list[int] = []

    def messages_per_s(self) -> float:
        """The rate at the sink, after the warm-up."""
        arrived = self.arrived_ns[int(len(self.arrived_ns) * WARM_UP) :]
        return (len(arrived) - 1) / (arrived[-1] - arrived[0]) * 1e9

    def hop_us(self) -> npt.NDArray[np.float64]:
        """Time of one hop of each message after the warm-up: [N] float64, microseconds."""
        travel_ns = np.subtract(self.arrived_ns, self.sent_ns, dtype=np.int64)
        hop_us: npt.NDArray[np.float64] = travel_ns[int(len(travel_ns) * WARM_UP) :] / (HOPS * 1e3)
        return hop_us


def payload() -> npt.NDArray[np.uint8]:
    """The message of a candidate that carries numpy arrays: [4096] uint8."""
    return np.random.default_rng().integers(0, 256, PAYLOAD_BYTES, dtype=np.uint8)


def main(run: Callable[[int, bool], Stamps], messages: int) -> None:
    """Measure one candidate and print its JSON line.

    `run(messages, paced)` sends so many messages through the chain, at 1 kHz where `paced`, and returns their
    stamps.
    `messages` is the length of a throughput run: half a second and more on a common machine.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help=f"a {QUICK_DIVISOR}th of the messages")
    divisor = QUICK_DIVISOR if parser.parse_args().quick else 1
    rate = _complete(run, messages // divisor, False).messages_per_s()
    hop_us = _complete(run, PACED_MESSAGES // divisor, True).hop_us()
    p50, p99 = np.percentile(hop_us, [50, 99])
    print(json.dumps({"messages_per_s": rate, "hop_us_p50": p50, "hop_us_p99": p99}))


def _complete(run: Callable[[int, bool], Stamps], messages: int, paced: bool) -> Stamps:
    """A run's stamps, once it is sure that no message was lost."""
    stamps = run(messages, paced)
    sent, arrived = len(stamps.sent_ns), len(stamps.arrived_ns)
    if not sent == arrived == messages:
        sys.exit(f"chain: expected {messages} messages, {sent} were sent and {arrived} arrived")
    return stamps
