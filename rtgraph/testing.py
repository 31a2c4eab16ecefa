"""For tests of nodes and graphs: run them on a manual clock and look at what came out.

from rtgraph.testing import run_node

def test_doubles():
    recording = run_node(Double, {"x": [np.ones(4, np.float32)]})
    assert recording.outputs["out"][0].tolist() == [2, 2, 2, 2]
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from rtgraph.context import Context
from rtgraph.errors import RtGraphError
from rtgraph.graph import Plan
from rtgraph.node import EndOfStream, Node, Outputs, Source
from rtgraph.packet import Packet
from rtgraph.planner import load_plan, make_plan, plan_text
from rtgraph.port import ANY_TENSOR, Input, Output, TensorType
from rtgraph.profiler import Profile
from rtgraph.registry import register
from rtgraph.scheduler import Runner
from rtgraph.spec import EdgeSpec, NodeSpec


@dataclass
class Recording:
    """What a run sent, by output, in order: the values, and when they were captured and recorded (ns from the
    start)."""

    outputs: dict[str, list[Any]] = field(default_factory=dict)
    timestamps_ns: dict[str, list[int]] = field(default_factory=dict)
    recorded_ns: dict[str, list[int]] = field(default_factory=dict)
    profile: Profile | None = None

    def stacked(self, output: str) -> np.ndarray[Any, Any]:
        """All packets of an output as one array, the first axis counting them."""
        return np.stack(self.outputs[output])

    def rate_hz(self, output: str) -> float:
        """Packets a second, from first to last timestamp."""
        stamps = self.timestamps_ns[output]
        if len(stamps) < 2:
            raise AssertionError(f"output '{output}' sent {len(stamps)} packets; a rate needs two")
        return (len(stamps) - 1) / (stamps[-1] - stamps[0]) * 1e9

    def assert_like(
        self,
        output: str,
        *,
        count: int | None = None,
        shape: tuple[int, ...] | None = None,
        dtype: str | None = None,
        rate_hz: float | None = None,
    ) -> None:
        """Fail unless the output sent so many arrays of this shape and dtype, all finite, at this rate
        (within 1e-6)."""
        sent = self.outputs[output]
        assert sent, f"output '{output}' sent nothing"
        assert count is None or len(sent) == count, (
            f"output '{output}' sent {len(sent)} packets, expected {count}"
        )
        for i, array in enumerate(sent):
            assert shape is None or array.shape == shape, (
                f"{output}[{i}] has shape {array.shape}, expected {shape}"
            )
            assert dtype is None or array.dtype == dtype, f"{output}[{i}] is {array.dtype}, expected {dtype}"
            assert array.dtype.kind not in "fc" or np.isfinite(array).all(), (
                f"{output}[{i}] has NaN or Inf in it"
            )
        if rate_hz is not None:
            measured = self.rate_hz(output)
            assert abs(measured - rate_hz) <= 1e-6 * rate_hz, (
                f"output '{output}' runs at {measured} Hz, expected {rate_hz}"
            )


def run_node(
    cls: type[Node],
    inputs: Mapping[str, Sequence[Any]] | None = None,
    *,
    config: Mapping[str, Any] | None = None,
    rate_hz: float = 100.0,
    duration_s: float | None = None,
) -> Recording:
    """Run one node alone on a manual clock and record its outputs.

    Each input gets its packets at `rate_hz`, the first at time 0; a value may be a `Packet` with a timestamp
    of its own. Arrays come in as read-only, since a node must not write into its inputs. A source without an
    end needs `duration_s`. Raises what the node raises, as NodeError.
    """
    name = cls.type_name or register(f"testing.{cls.__name__.lower()}")(cls).type_name
    nodes: dict[str, Any] = {"node": {"type": name, "config": dict(config or {}), "inputs": {}}}
    for port, values in (inputs or {}).items():
        if port not in cls.inputs:
            raise RtGraphError(
                f"{cls.__name__} has no input '{port}'; its inputs: {', '.join(cls.inputs) or 'none'}"
            )
        feed = _feed_type(cls.inputs[port], port, list(values), rate_hz)
        nodes[f"feed_{port}"] = {"type": feed.type_name}
        nodes["node"]["inputs"][port] = f"feed_{port}.out"
    plan = plan_text(json.dumps({"version": 1, "clock": "manual", "nodes": nodes}), f"<{cls.__name__}>")
    return record(plan, {output: f"node.{output}" for output in cls.outputs}, duration_s=duration_s)


def run_graph(
    path: str | Path, outputs: Sequence[str], *, duration_s: float | None = None, **options: Any
) -> Recording:
    """Run a graph file on a manual clock and record the outputs named `node.port`; options as for
    `load_plan`."""
    return record(load_plan(path, **options), {name: name for name in outputs}, duration_s=duration_s)


def record(
    plan: Plan, taps: Mapping[str, str], *, clock: str = "manual", duration_s: float | None = None
) -> Recording:
    """Run a plan with a recorder on each tap, {name in the recording: "node.port"}."""
    if not taps:
        tapped = plan
    else:
        register("testing.record")(_Record)
        extra = {
            f"tap_{i}": NodeSpec(type="testing.record", inputs={"x": (EdgeSpec.model_validate(port),)})
            for i, port in enumerate(taps.values())
        }
        tapped = make_plan(plan.spec.model_copy(update={"nodes": {**plan.spec.nodes, **extra}}), plan.source)
    recording = Recording()
    for i, name in enumerate(taps):
        tap = tapped[f"tap_{i}"].node
        assert isinstance(tap, _Record)
        recording.outputs[name] = tap.values
        recording.timestamps_ns[name] = tap.timestamps_ns
        recording.recorded_ns[name] = tap.recorded_ns
    with Runner(tapped, clock=clock) as runner:
        runner.run(duration_s=duration_s)
        recording.profile = runner.profile()
    return recording


class _Record(Node):
    """Keeps every packet."""

    x = Input(ANY_TENSOR)

    def open(self, ctx: Context) -> Outputs:
        for kept in (self.values, self.timestamps_ns, self.recorded_ns):
            kept.clear()
        return None

    def __init__(self, config: Any, name: str = "") -> None:
        super().__init__(config, name)
        self.values: list[Any] = []
        self.timestamps_ns: list[int] = []
        self.recorded_ns: list[int] = []

    def process(self, x: Any, ctx: Context) -> Outputs:
        self.values.append(x)
        self.timestamps_ns.append(ctx.timestamp_ns)
        self.recorded_ns.append(ctx.now_ns())
        return None


class _Feed(Source):
    """Sends given values at a rate."""

    values: Sequence[Any] = ()
    feed_hz = 100.0

    def rate_hz(self) -> float | None:
        return self.feed_hz

    def open(self, ctx: Context) -> Outputs:
        self.sent = 0
        return None

    def process(self, ctx: Context) -> Outputs:
        if self.sent == len(self.values):
            raise EndOfStream
        self.sent += 1
        return {"out": self.values[self.sent - 1]}


def _locked(value: Any) -> Any:
    """The same, but arrays cannot be written to: whoever tries gets an error where it happens."""
    if isinstance(value, Packet):
        return replace(value, data=_locked(value.data))
    if not isinstance(value, np.ndarray):
        return value
    view = value.view()
    view.flags.writeable = False
    return view


def _feed_type(port: Input, name: str, values: list[Any], rate_hz: float) -> type[Node]:
    """A source class for one input: its port has to say what the values are before they are sent."""
    values = [_locked(value) for value in values]
    first = values[0].data if values and isinstance(values[0], Packet) else values[0] if values else None
    kind, shape = port.type, None
    if isinstance(first, np.ndarray):
        shape = first.shape
        if kind is ANY_TENSOR:
            kind = TensorType("Fed", str(first.dtype))
    out = Output(kind, shape=shape, rate_hz=rate_hz)
    made = type("_Feed", (_Feed,), {"out": out, "values": values, "feed_hz": rate_hz, "__module__": __name__})
    return register(f"testing.feed_{name}")(made)
