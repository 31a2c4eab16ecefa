"""face.eyes: the lids and the gaze of an eye state as an expression frame."""

from __future__ import annotations

from typing import Any

import numpy as np

from rtgraph import Input, Node, Output, register
from rtgraph.context import Context
from rtgraph.models.expression import EYE, EYE_STATE, REGIONS
from rtgraph.models.eye_lift import to_frame
from rtgraph.node import Outputs
from rtgraph.nodes.face.last_good import LastGood
from rtgraph.nodes.face.types import Confidence, ExpressionFrame, EyeState

_LEFT_CONFIDENCE, _RIGHT_CONFIDENCE = EYE.index("confidence"), EYE.index("confidence") + len(EYE)
_LIDS_AND_GAZE = np.array([REGIONS.index("lids"), REGIONS.index("gaze")])
_OPEN = np.array([0, 0, 1, 0, 0, 4, 0] * 2, np.float32)


@register("face.eyes")
class Eyes(Node):
    """eyeBlink is 1 - lid, eyeSquint and eyeWide are the state's, eyeLook* is the gaze over 30 degrees, and
    the eye angles are the gaze itself. The rest of the frame is 0, with confidence 0: let face.mix join it
    with another. Lids and gaze have the mean confidence of the two eyes."""

    state = Input(EyeState)
    frame = Output(ExpressionFrame)
    confidence = Output(Confidence)

    def open(self, ctx: Context) -> None:
        self.reset()

    def process(self, state: Any, ctx: Context) -> Outputs:
        state = self._good.of(state, ctx)
        confidence = np.zeros(len(REGIONS), np.float32)
        left, right = state[_LEFT_CONFIDENCE], state[_RIGHT_CONFIDENCE]
        confidence[_LIDS_AND_GAZE] = min(max((left + right) / 2, 0.0), 1.0)
        return {"frame": to_frame(state), "confidence": confidence}

    def reset(self) -> None:
        assert _OPEN.size == len(EYE_STATE)
        self._good = LastGood("state", _OPEN)
