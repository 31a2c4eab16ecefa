"""face.age: how old the frames of a face are when they pass here."""

from __future__ import annotations

from typing import Any

import numpy as np

from rtgraph import ANY_TENSOR, Input, Node, Output, TensorType, register
from rtgraph.context import Context
from rtgraph.node import Outputs

Age = TensorType("Age", "float32", (1,), unit="ms", doc="[1] milliseconds since the capture")


@register("face.age")
class FaceAge(Node):
    """Now minus the timestamp of each packet, whatever it holds: what the face lags behind the sound and the
    images that it was made from. Connect it to the last node before the viewer, and `age_ms` to audio.delay.
    """

    x = Input(ANY_TENSOR)
    age_ms = Output(Age)

    def process(self, x: Any, ctx: Context) -> Outputs:
        return {"age_ms": np.array([(ctx.now_ns() - ctx.timestamp_ns) * 1e-6], np.float32)}
