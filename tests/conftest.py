"""What several test files share: small node types and a way to plan graphs of them."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

from rtgraph import EndOfStream, Input, Node, NodeConfig, Output, Source, TensorType, register

# Triton and the software renderer each bring an LLVM: the process dies unless Triton's is loaded first.
with contextlib.suppress(ImportError):
    import triton  # noqa: F401

Samples = TensorType("Samples", "float32", (None,))
Other = TensorType("Other", "int32", (None,))


@register("test.ramp")
class Ramp(Source):
    """Sends [i, i, ...] for i = 0, 1, ..."""

    class Config(NodeConfig):
        count: int = 5
        size: int = 3
        rate_hz: float = 100.0

    out = Output(Samples, shape=lambda c: (c.size,), rate_hz=lambda c: c.rate_hz)

    def rate_hz(self):
        return self.config.rate_hz

    def open(self, ctx):
        self.sent = 0

    def process(self, ctx):
        if self.sent == self.config.count:
            raise EndOfStream
        self.sent += 1
        return {"out": np.full(self.config.size, self.sent - 1, np.float32)}


@register("test.gain")
class Gain(Node):
    class Config(NodeConfig):
        factor: float = 2.0

    x = Input(Samples)
    out = Output(like="x")

    def process(self, x, ctx):
        return x * np.float32(self.config.factor)


@register("test.add")
class Add(Node):
    a = Input(Samples)
    b = Input(Samples, optional=True)
    out = Output(like="a")

    def process(self, a, b, ctx):
        return a if b is None else a + b


@register("test.fail")
class Fail(Node):
    """Raises at the packet whose value is `at`."""

    class Config(NodeConfig):
        at: int = 2

    x = Input(Samples)
    out = Output(like="x")

    def process(self, x, ctx):
        if x[0] == self.config.at:
            raise ZeroDivisionError("asked to")
        return x


@register("test.other")
class OtherSource(Source):
    out = Output(Other, shape=(3,), rate_hz=50.0)

    def rate_hz(self):
        return 50.0

    def process(self, ctx):
        return np.zeros(3, np.int32)


@pytest.fixture
def no_leftover_threads():
    """Fail a test that leaves threads of the scheduler behind."""
    import threading

    before = threading.active_count()
    yield
    assert threading.active_count() == before
