"""The chain in ezmsg: five units in one process, which takes ezmsg's in-process path without serialisation.

Carrier: the numpy array itself; subscribers are zero-copy. 32 buffers, as by default. The graph server is
ezmsg's own.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from itertools import pairwise
from time import perf_counter_ns
from typing import Any

import chain
import ezmsg.core as ez
import numpy as np


class SourceSettings(ez.Settings):
    stamps: chain.Stamps
    messages: int
    paced: bool


class Source(ez.Unit):
    SETTINGS = SourceSettings
    OUTPUT = ez.OutputStream(np.ndarray)

    @ez.publisher(OUTPUT)
    async def emit(self) -> AsyncGenerator[Any, None]:
        sent_ns = self.SETTINGS.stamps.sent_ns
        payload = chain.payload()
        due_ns = perf_counter_ns()
        for _ in range(self.SETTINGS.messages):
            if self.SETTINGS.paced:
                due_ns += chain.PERIOD_NS
                await asyncio.sleep((due_ns - perf_counter_ns()) / 1e9)
            sent_ns.append(perf_counter_ns())
            yield self.OUTPUT, payload


class Relay(ez.Unit):
    INPUT = ez.InputStream(np.ndarray)
    OUTPUT = ez.OutputStream(np.ndarray)

    @ez.subscriber(INPUT)
    @ez.publisher(OUTPUT)
    async def relay(self, message: np.ndarray) -> AsyncGenerator[Any, None]:
        yield self.OUTPUT, message


class SinkSettings(ez.Settings):
    stamps: chain.Stamps
    messages: int


class Sink(ez.Unit):
    SETTINGS = SinkSettings
    INPUT = ez.InputStream(np.ndarray)

    @ez.subscriber(INPUT)
    async def receive(self, message: np.ndarray) -> None:
        arrived_ns = self.SETTINGS.stamps.arrived_ns
        arrived_ns.append(perf_counter_ns())
        if len(arrived_ns) == self.SETTINGS.messages:
            raise ez.NormalTermination


def run(messages: int, paced: bool) -> chain.Stamps:
    stamps = chain.Stamps()
    source = Source(SourceSettings(stamps, messages, paced))
    relays = [Relay() for _ in range(chain.NODES - 2)]
    sink = Sink(SinkSettings(stamps, messages))
    units: list[Any] = [source, *relays, sink]
    ez.run(
        components={f"NODE{index}": unit for index, unit in enumerate(units)},
        connections=[(before.OUTPUT, after.INPUT) for before, after in pairwise(units)],
    )
    return stamps


if __name__ == "__main__":
    logging.getLogger("ezmsg").setLevel(logging.ERROR)
    chain.main(run, messages=20_000)
