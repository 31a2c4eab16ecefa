"""Node: the unit of work that users write; its life is open -> process* -> close, plus reset."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
from pydantic import BaseModel, ConfigDict

from rtgraph.packet import Packet
from rtgraph.port import Input, Output, Port

if TYPE_CHECKING:
    from rtgraph.context import Context

#: What `process` may answer: nothing this time, one set of outputs, several sets in order, or, of a node with
#: one output, the array alone.
Outputs = Mapping[str, Any] | Sequence[Mapping[str, Any]] | np.ndarray[Any, Any] | Packet | None


class NodeConfig(BaseModel):
    """Base of every node's Config: unknown fields, NaN and infinite numbers are mistakes, values are checked,
    `Field(description=...)` is its doc."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, arbitrary_types_allowed=False, allow_inf_nan=False
    )


class EndOfStream(Exception):  # noqa: N818 - it is no error
    """Raised by a source's `process` when there is nothing more to come."""


class Node:
    """Base of nodes that fire on their inputs.

    Declare ports as class fields, options as a nested `Config`, and implement `process`:

        @register("demo.scale")
        class Scale(Node):
            class Config(NodeConfig):
                factor: float = 2.0
            x = Input(AudioChunk)
            out = Output(like="x")

            def process(self, x, ctx):
                return x * self.config.factor

    `process` takes one argument for each input, named as the port, then `ctx`. It returns `None`, a dict from
    output name to value, a list of such dicts, or, where there is one output, its array. It is never called
    concurrently with itself.
    """

    class Config(NodeConfig):
        pass

    #: A node that waits for the outside world (disk, network, display) gets a thread of its own.
    blocking: ClassVar[bool] = False
    #: "all": fires when every queue has a packet; "any": as soon as one has, the others being None. Where
    #: several have, those of the oldest timestamp come first, and together.
    fires: ClassVar[str] = "all"
    #: Whether the node's outputs belong to a later round than its inputs, so that a cycle may pass through
    #: it.
    breaks_cycle: ClassVar[bool] = False
    #: For how long, in ms, it waits for input beyond the moment that it tells of: no computer is fast enough
    #: to give that back. `open` may set it. The profile adds it up along each path.
    look_ahead_ms: float = 0.0

    inputs: ClassVar[dict[str, Input]] = {}
    outputs: ClassVar[dict[str, Output]] = {}
    type_name: ClassVar[str] = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        ports = {
            name: p for base in reversed(cls.__mro__) for name, p in vars(base).items() if isinstance(p, Port)
        }
        cls.inputs = {name: p for name, p in ports.items() if isinstance(p, Input)}
        cls.outputs = {name: p for name, p in ports.items() if isinstance(p, Output)}
        if not ports and cls.__module__ == __name__:
            return  # Source and NativeNode
        _check_ports(cls, ports)
        if "process" in cls.__dict__:
            _check_signature(cls)
        _check_life(cls)
        if "__init__" in cls.__dict__ and ports:
            _check_init(cls)

    def __init__(self, config: NodeConfig, name: str = "") -> None:
        self.config: Any = config
        self.name = name or self.type_name

    def open(self, ctx: Context) -> Outputs:
        """Acquire what processing needs. What it returns is emitted ahead of the first packet."""
        return None

    def process(self, *args: Any) -> Outputs:
        raise NotImplementedError(f"{type(self).__name__} has no process()")

    def reset(self) -> None:
        """Forget the past: after it the node behaves as new."""

    def close(self) -> None:
        """Release what `open` acquired. Called once, also after an error. What it raises fails the run, once
        all nodes are closed."""


class Source(Node):
    """Base of nodes driven by time or by a device of their own.

    With a `rate_hz` the runtime calls `process` at absolute deadlines, and packets are stamped with them.
    Without one `process` waits for its device (`with ctx.waiting():`), for at most 0.1 s a call so that a
    run can stop, and stamps its packets itself. A run ends when every source that is not `endless` has ended.
    """

    endless: ClassVar[bool] = False
    #: Whether `ctx.observe_clock` of this source may drive a graph with `clock: audio`.
    provides_clock: ClassVar[bool] = False

    def rate_hz(self) -> float | None:
        """Calls of `process` a second; asked once, after `open`."""
        return None

    def first_tick_ns(self) -> int:
        """When the first call is due, counted from the start; a block of audio is there when it has been
        heard."""
        return 0


class NativeNode(Node):
    """Base of nodes whose work is C++: Python declares ports and Config, `native` makes the worker.

    `native` returns a capsule made by `rtgraph::make_capsule` (rtgraph/include/rtgraph/node.h). A native
    source derives from `NativeNode` and `Source`.
    """

    def native(self) -> object:
        raise NotImplementedError(f"{type(self).__name__} has no native()")


class Opened(Protocol):
    """What the runtime needs of a node, whoever wrote it."""

    config: Any
    name: str


def _check_ports(cls: type[Node], ports: Mapping[str, Port]) -> None:
    """What a port names in its class must be there."""
    for name, value in vars(cls).items():
        if value is Input or value is Output:
            raise TypeError(
                f"{cls.__name__}.{name} is the class {value.__name__}; a port is {value.__name__}(...)"
            )
    if not issubclass(cls.Config, NodeConfig):
        raise TypeError(f"{cls.__name__}.Config does not derive from NodeConfig: class Config(NodeConfig)")
    for name, port in ports.items():
        if hasattr(Node, name) or name in ("config", "name"):
            raise TypeError(f"{cls.__name__}.{name}: every node has a '{name}'; call the port something else")
        fields = cls.Config.model_fields
        for rule, field in (("sample_rate_hz", port.sample_rate_field), ("shares", port.shares)):
            if field is not None and field not in fields:
                raise TypeError(
                    f"{cls.__name__}.{name}: {rule} names '{field}', which is no field of the Config; "
                    f"its fields: {', '.join(fields) or 'none'}"
                )
        if isinstance(port, Output) and port.like is not None and port.like not in cls.inputs:
            raise TypeError(
                f"{cls.__name__}.{name}: like names '{port.like}', which is no input; "
                f"the inputs: {', '.join(cls.inputs) or 'none'}"
            )


def _check_init(cls: type[Node]) -> None:
    """The runtime makes nodes itself, with the two arguments that it has."""
    try:
        inspect.signature(cls).bind(None, "")
    except TypeError:
        names = ", ".join(inspect.signature(cls.__init__).parameters)
        raise TypeError(
            f"{cls.__name__}.__init__ takes ({names}); the runtime calls it with (config, name). "
            "Options belong into the Config, and what is prepared once into open(self, ctx)"
        ) from None


#: What the runtime calls besides `process`, and with what.
_CALLED = {"open": ("ctx",), "reset": (), "close": (), "rate_hz": (), "first_tick_ns": ()}


def _check_life(cls: type[Node]) -> None:
    """The runtime calls these with the arguments that it has."""
    for name, given in _CALLED.items():
        method = cls.__dict__.get(name)
        if method is not None and not callable(method):
            called = f"def {name}({', '.join(('self', *given))})"
            raise TypeError(f"{cls.__name__}.{name} is {method!r}; the runtime calls it: {called}: ...")
        if not inspect.isfunction(method):
            continue
        try:
            inspect.signature(method).bind(None, *given)
        except TypeError:
            names = ", ".join(inspect.signature(method).parameters)
            raise TypeError(
                f"{cls.__name__}.{name} takes ({names}); "
                f"the runtime calls {name}({', '.join(('self', *given))})"
            ) from None


def _check_signature(cls: type[Node]) -> None:
    """`process` must name the inputs and then ctx: a typo is found when the class is made, not when a packet
    comes."""
    if issubclass(cls, NativeNode):
        return
    names = [p for p in inspect.signature(cls.process).parameters][1:]
    wanted = [*cls.inputs, "ctx"]
    if sorted(names) != sorted(wanted):
        undeclared = [name for name in names if name not in wanted]
        missing = [name for name in wanted if name not in names]
        remedy = (
            f"; an input is declared so: {undeclared[0]} = Input(...)" if undeclared and not missing else ""
        )
        raise TypeError(
            f"{cls.__name__}.process takes ({', '.join(names)}); "
            f"its ports ask for ({', '.join(wanted)}){remedy}"
        )
