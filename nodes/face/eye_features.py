"""face.eye_features: what the face encoder is told of the eyes, from signals, from cameras or from both."""

from __future__ import annotations

from typing import Any

import numpy as np

from rtgraph import ANY_TENSOR, Input, Node, Output, register
from rtgraph.context import Context
from rtgraph.models.expression import EYE_STATE
from rtgraph.models.eye_lift import EYE_INPUT, lift
from rtgraph.node import Outputs
from rtgraph.nodes.face.last_good import LastGood
from rtgraph.nodes.face.types import EyeFeatures, EyeState


@register("face.eye_features")
class FaceEyeFeatures(Node):
    """Lifts an eye state into the encoder's eye input: 14 normalised numbers, then zeros.

    With `camera` connected (the features of an eye encoder, as its adapter makes them for the face) these
    are sent instead, as far as `camera_share` of eye.gaze_synth says that cameras see the eyes; in a
    hand-over the two are mixed. The state leads: there is one output for each.
    """

    state = Input(EyeState)
    camera = Input(EyeFeatures, edge="latest", optional=True, doc="from eye.encoder")
    camera_share = Input(ANY_TENSOR, shape=(1,), edge="latest", optional=True, doc="0..1; 1 where missing")
    features = Output(EyeFeatures)

    def open(self, ctx: Context) -> None:
        self.reset()

    def process(self, state: Any, camera: Any, camera_share: Any, ctx: Context) -> Outputs:
        lifted = lift(self._state.of(state, ctx))
        if camera is None:
            return {"features": lifted}
        share = np.float32(1 if camera_share is None else min(max(float(camera_share[0]), 0.0), 1.0))
        seen = self._camera.of(camera, ctx)
        return {"features": lifted + share * (seen - lifted)}

    def reset(self) -> None:
        self._state = LastGood("state", np.zeros(len(EYE_STATE), np.float32))
        self._camera = LastGood("camera", np.zeros(EYE_INPUT, np.float32))
