"""Packet: one datum with the time at which it was captured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Packet:
    """A value together with its capture time on the graph's clock.

    Nodes exchange plain values and the runtime carries the times. A node returns `Packet(data, timestamp_ns)`
    in place of a value where it knows a better time than the one it would inherit: a source its device's
    capture time, a delay line the time of the old packet.
    """

    data: Any
    timestamp_ns: int
    seq: int = -1
