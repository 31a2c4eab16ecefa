"""face.eye_features: what the face encoder is told of the eyes, from signals, from cameras or from both."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field

from rtgraph import ANY_TENSOR, AssetError, Input, InputFile, Node, NodeConfig, Output, register
from rtgraph.context import Context
from rtgraph.models import eye_adapter
from rtgraph.models.expression import EYE_STATE
from rtgraph.models.eye_lift import EYE_INPUT, lift
from rtgraph.node import Outputs
from rtgraph.nodes.face.last_good import LastGood
from rtgraph.nodes.face.types import EyeFeatures, EyeState


@register("face.eye_features")
class FaceEyeFeatures(Node):
    """Lifts an eye state into the encoder's eye input: 14 normalised numbers, then zeros.

    With `camera` connected the features of an eye encoder take the state's place, through the adapter that
    was fitted to them, as far as `camera_share` of eye.gaze_synth says that cameras see the eyes; in a
    hand-over the two are mixed. The state leads: there is one output for each."""

    class Config(NodeConfig):
        adapter: InputFile = Field(
            "asset:weights/eye-adapter.safetensors",
            min_length=1,
            description="of the eye encoder behind `camera`: a .safetensors file with its card beside it",
        )

    state = Input(EyeState)
    camera = Input(EyeFeatures, edge="latest", optional=True, doc="from eye.encoder")
    camera_share = Input(ANY_TENSOR, shape=(1,), edge="latest", optional=True, doc="0..1; 1 where missing")
    features = Output(EyeFeatures)

    def open(self, ctx: Context) -> None:
        try:
            self._adapter = eye_adapter.load(ctx.find_file(self.config.adapter))
        except (FileNotFoundError, ValueError) as error:
            raise AssetError(str(error)) from error
        self.reset()

    def process(self, state: Any, camera: Any, camera_share: Any, ctx: Context) -> Outputs:
        lifted = lift(self._state.of(state, ctx))
        if camera is None:
            return {"features": lifted}
        share = 1.0 if camera_share is None else float(camera_share[0])
        share = min(max(share, 0.0), 1.0) if np.isfinite(share) else 0.0
        seen = self._adapter(self._camera.of(camera, ctx))
        return {"features": lifted + np.float32(share) * (seen - lifted)}

    def reset(self) -> None:
        self._state = LastGood("state", np.zeros(len(EYE_STATE), np.float32))
        self._camera = LastGood("camera", np.zeros(EYE_INPUT, np.float32))
