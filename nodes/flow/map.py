"""flow.map: one plain operation on every packet, chosen in the graph file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from rtgraph import ANY_TENSOR, Input, Node, NodeConfig, Output, register
from rtgraph.context import Context
from rtgraph.node import Outputs
from rtgraph.port import Shape

Array = NDArray[Any]
Op = Literal["scale", "offset", "clip", "abs", "rms", "mean", "max", "select"]

#: The parameters that each operation needs.
_NEEDS: dict[str, tuple[str, ...]] = {
    "scale": ("by",),
    "offset": ("by",),
    "clip": ("low", "high"),
    "select": ("index",),
}
_REDUCES = ("rms", "mean", "max")


@register("flow.map")
class Map(Node):
    """scale: x * by. offset: x + by. clip: into low..high. abs. These keep the shape.
    rms, mean, max: over all elements, as [1]. select: the elements numbered `index`, as [len(index)].

    Worked out in float64; the result has the dtype that came, held within its range and rounded if that is
    integer.
    """

    class Config(NodeConfig):
        op: Op = Field(description="the operation")
        by: float | None = Field(None, description="scale: the factor; offset: what is added")
        low: float | None = Field(None, description="clip: the least value")
        high: float | None = Field(None, description="clip: the greatest value")
        index: tuple[int, ...] | None = Field(
            None, min_length=1, description="select: places in the flattened array, from 0"
        )

        @model_validator(mode="after")
        def _check(self) -> Map.Config:
            needed = _NEEDS.get(self.op, ())
            for name in ("by", "low", "high", "index"):
                given = getattr(self, name) is not None
                if given != (name in needed):
                    raise ValueError(f"op: {self.op} {'takes no' if given else 'needs'} `{name}`")
            if self.low is not None and self.high is not None and self.low > self.high:
                raise ValueError(f"low ({self.low:g}) is above high ({self.high:g})")
            if self.index is not None and min(self.index) < 0:
                raise ValueError("`index` counts from 0")
            return self

        @property
        def shape(self) -> Shape | None:
            """Of the result; None: that of the input."""
            if self.op in _REDUCES:
                return (1,)
            return None if self.index is None else (len(self.index),)

    x = Input(ANY_TENSOR)
    out = Output(like="x", shape=lambda c: c.shape)

    def open(self, ctx: Context) -> None:
        self._apply = _operation(self.config)

    def process(self, x: Array, ctx: Context) -> Outputs:
        return {"out": _as_dtype(self._apply(x), x.dtype)}


def _operation(c: Map.Config) -> Callable[[Array], Array]:
    by, low, high = (0.0 if v is None else v for v in (c.by, c.low, c.high))
    index = np.array(c.index or [0])

    def select(x: Array) -> Array:
        if index.max() >= x.size:
            raise ValueError(f"`index` names element {index.max()}; what came has {x.size} (the first is 0)")
        chosen: Array = x.reshape(-1)[index]
        return chosen

    operations: dict[str, Callable[[Array], Array]] = {
        "scale": lambda x: x * np.float64(by),
        "offset": lambda x: x + np.float64(by),
        "clip": lambda x: np.clip(x.astype(np.float64), low, high),
        "abs": lambda x: np.abs(x.astype(np.float64)),
        "rms": lambda x: np.sqrt(np.mean(np.square(x, dtype=np.float64), keepdims=True)).reshape(1),
        "mean": lambda x: np.mean(x, dtype=np.float64).reshape(1),
        "max": lambda x: np.max(x).reshape(1),
        "select": select,
    }
    return operations[c.op]


def _as_dtype(y: Array, dtype: np.dtype[Any]) -> Array:
    if y.dtype == dtype:
        return y
    if np.issubdtype(dtype, np.integer):
        whole = np.iinfo(dtype)
        return np.clip(np.rint(y), whole.min, whole.max).astype(dtype)
    real = np.finfo(dtype)
    return np.clip(y, real.min, real.max).astype(dtype)
