"""Ports: the typed inputs and outputs that a node class declares as fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

if TYPE_CHECKING:
    from rtgraph.node import Node, NodeConfig

EdgeKind = Literal["queue", "latest", "match"]
Overflow = Literal["block", "drop_oldest", "drop_newest", "error"]
Shape = tuple[int | None, ...]
ShapeRule = Shape | Callable[[Any], Shape]
RateRule = float | Callable[[Any], float | None] | None
#: Samples a second: a number, or the name of the Config's field that holds it, so that a mistake can name it.
SampleRateRule = float | str | None


@dataclass(frozen=True)
class TensorType:
    """A named element type: what one packet's array is, apart from its size.

    Two ports agree when their names agree, their dtypes agree and no dimension contradicts another.
    `shape` may hold `None` for a dimension that each node fixes (or leaves open) for itself.
    """

    name: str
    dtype: str = "float32"
    shape: Shape = ()
    unit: str = ""
    doc: str = ""

    def __post_init__(self) -> None:
        if self.dtype not in ("any", "object"):
            try:
                np.dtype(self.dtype)
            except TypeError:
                raise TypeError(
                    f"TensorType '{self.name}': numpy knows no dtype '{self.dtype}'; "
                    "float32, int64 and uint8 are some"
                ) from None

    @property
    def numpy_dtype(self) -> np.dtype[Any]:
        return np.dtype(self.dtype)

    def __str__(self) -> str:
        return self.name


#: Any tensor at all: ports of nodes that only pass packets on (flow.*, debug.*, sink.file).
ANY_TENSOR = TensorType("AnyTensor", dtype="any")
#: Any Python object; such packets never enter a native node.
OBJECT = TensorType("Object", dtype="object")


class Port:
    """What an input and an output have in common. `name` and `owner` are set by the class that declares
    it."""

    direction: Literal["input", "output"]

    def __init__(
        self,
        type: TensorType = ANY_TENSOR,
        *,
        shape: ShapeRule | None = None,
        rate_hz: RateRule = None,
        sample_rate_hz: SampleRateRule = None,
        shares: str | None = None,
        doc: str = "",
    ) -> None:
        if not isinstance(type, TensorType):
            raise TypeError(
                f"{self.__class__.__name__} takes a TensorType, not {type!r}; "
                "rtgraph.nodes.audio.AudioChunk is one, and TensorType('Level', 'float32', (1,)) makes one"
            )
        self.type = type
        self.doc = doc
        self._sample_rate_hz = sample_rate_hz
        #: The field of the Config that must say the same at both ends, such as the weights of two networks.
        self.shares = shares
        self._shape = shape
        self._rate_hz = rate_hz
        self.name = ""

    def __set_name__(self, owner: type[Node], name: str) -> None:
        self.name = name

    def shape(self, config: NodeConfig) -> Shape | None:
        """The shape for this configuration; `None` where nothing is said about it."""
        rule = self._shape
        if rule is None:
            return self.type.shape if self.type.dtype not in ("any", "object") else None
        return rule(config) if callable(rule) else rule

    def rate_hz(self, config: NodeConfig) -> float | None:
        """Packets a second for this configuration; `None`: unknown (input) or that of the node's driver
        (output)."""
        rule = self._rate_hz
        return rule(config) if callable(rule) else rule

    def sample_rate_hz(self, config: NodeConfig) -> float | None:
        """Samples a second within and across packets, as in sound; `None`: nothing is said about it."""
        rule = self._sample_rate_hz
        return getattr(config, rule) if isinstance(rule, str) else rule

    def shared(self, config: NodeConfig) -> object:
        """What the field that `shares` names says; `None`: the ends need nothing in common."""
        return None if self.shares is None else getattr(config, self.shares)

    @property
    def sample_rate_field(self) -> str | None:
        """The field of the Config that says how many samples a second there are."""
        return self._sample_rate_hz if isinstance(self._sample_rate_hz, str) else None


class Input(Port):
    """A port that receives packets.

    `edge` says how packets wait here unless the graph file says otherwise: `queue` (every packet, in order;
    the node fires when each queue has one), `latest` (the newest value is held; it fires nothing unless the
    node has no other kind of input) or `match` (the packet whose timestamp lies within `tolerance_ms` of
    the first queue's). An `optional` port may stay unconnected or empty: `process` then gets `None`.
    A `many` port takes several producers.
    """

    direction = "input"

    def __init__(
        self,
        type: TensorType = ANY_TENSOR,
        *,
        shape: ShapeRule | None = None,
        rate_hz: RateRule = None,
        sample_rate_hz: SampleRateRule = None,
        shares: str | None = None,
        edge: EdgeKind = "queue",
        capacity: int = 64,
        overflow: Overflow = "block",
        tolerance_ms: float = 10.0,
        optional: bool = False,
        many: bool = False,
        doc: str = "",
    ) -> None:
        super().__init__(
            type, shape=shape, rate_hz=rate_hz, sample_rate_hz=sample_rate_hz, shares=shares, doc=doc
        )
        for value, choices in ((edge, get_args(EdgeKind)), (overflow, get_args(Overflow))):
            if value not in choices:
                raise TypeError(f"Input takes one of {', '.join(choices)}, not {value!r}")
        self.edge = edge
        self.capacity = capacity
        self.overflow = overflow
        self.tolerance_ms = tolerance_ms
        self.optional = optional
        self.many = many


class Output(Port):
    """A port that sends packets. `like` names the input whose type, shape and rates it takes over."""

    direction = "output"

    def __init__(
        self,
        type: TensorType = ANY_TENSOR,
        *,
        shape: ShapeRule | None = None,
        rate_hz: RateRule = None,
        sample_rate_hz: SampleRateRule = None,
        shares: str | None = None,
        like: str | None = None,
        doc: str = "",
    ) -> None:
        super().__init__(
            type, shape=shape, rate_hz=rate_hz, sample_rate_hz=sample_rate_hz, shares=shares, doc=doc
        )
        self.like = like
