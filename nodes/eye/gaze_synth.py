"""eye.gaze_synth: natural gaze and blinks, alone or in the place of eye cameras that see nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from rtgraph import ANY_TENSOR, Input, NodeConfig, Output, Source, TensorType, register
from rtgraph.context import Context
from rtgraph.models.expression import EYE, EYE_STATE
from rtgraph.node import Outputs
from rtgraph.nodes.eye.gaze_model import GazeModel, Temperament
from rtgraph.nodes.eye.hand_over import HandOver
from rtgraph.nodes.face.types import EyeState

CameraShare = TensorType("CameraShare", "float32", (1,), doc="[1] 0 synthesised, 1 as the cameras see it")

_YAW, _PITCH = (np.array([EYE.index(name), EYE.index(name) + len(EYE)]) for name in ("gazeYaw", "gazePitch"))


@register("eye.gaze_synth")
class GazeSynth(Source):
    """Eyes that look at somebody and away, and blink, as people do while they speak or listen.

    With `camera` connected it hands over: what an eye encoder sees passes through while its confidence is
    high; where it falls, or the state stands still, gaze goes on from where it was, and back when the
    camera sees again. One eye lost follows the other. The output keeps its rate whatever the camera does.
    NaN from the camera is taken for no confidence and counted as `bad_states`.
    """

    class Config(NodeConfig):
        rate_hz: float = Field(100.0, ge=10, le=1000, description="eye states a second")
        seed: int = Field(0, ge=0, description="of all chance; the same seed gives the same eyes")
        blinks_per_min_speaking: float = Field(19.0, ge=0, le=60, description="while speech is heard")
        blinks_per_min_silent: float = Field(15.0, ge=0, le=60, description="while it is not")
        aversion: float = Field(1.0, gt=0, le=10, description="how long gaze stays away; 1: published mean")
        distance_m: float = Field(1.0, ge=0.2, description="of the face that is looked at")
        speech_threshold: float = Field(0.5, gt=0, le=1, description="`speech` from which somebody speaks")
        low: float = Field(0.3, ge=0, le=1, description="camera confidence under which it is doubted")
        high: float = Field(0.5, ge=0, le=1, description="from which it is believed again")
        patience_ms: float = Field(300.0, ge=0, description="how long doubt lasts before handing over")
        fade_ms: float = Field(250.0, ge=0, description="length of a hand-over")

        @model_validator(mode="after")
        def _check(self) -> GazeSynth.Config:
            if self.low > self.high:
                raise ValueError(f"low ({self.low:g}) is above high ({self.high:g})")
            return self

    speech = Input(ANY_TENSOR, shape=(1,), edge="latest", optional=True, doc="presence of speech, 0..1")
    camera = Input(EyeState, edge="latest", optional=True, doc="what an eye encoder sees")
    state = Output(EyeState, rate_hz=lambda c: c.rate_hz)
    camera_share = Output(CameraShare, rate_hz=lambda c: c.rate_hz, doc="how much of it the cameras say")

    endless = True

    _shown: NDArray[np.float32]  # the last state that was sent

    def rate_hz(self) -> float:
        return float(self.config.rate_hz)

    def open(self, ctx: Context) -> None:
        self.reset()

    def process(self, speech: Any, camera: Any, ctx: Context) -> Outputs:
        c = self.config
        dt_s = 1 / c.rate_hz
        if camera is not None and not np.isfinite(camera).all():
            ctx.count("bad_states")
            ctx.warn("the camera's eye state has NaN or infinite numbers in it; it is not used")
            camera = np.zeros(len(EYE_STATE), np.float32)
        share = self._hand_over.share
        if share > 0.5:
            # What comes after the camera goes on from where the eyes are now.
            yaw, pitch = self._shown[_YAW].mean(), self._shown[_PITCH].mean()
            self._gaze.look_from(float(yaw), float(pitch))
        heard = speech is not None and speech[0] >= c.speech_threshold
        synthetic = self._gaze.step(dt_s, bool(heard))
        self._shown = self._hand_over.mix(synthetic, camera, dt_s)
        return {"state": self._shown, "camera_share": np.array([self._hand_over.share], np.float32)}

    def reset(self) -> None:
        c = self.config
        temperament = Temperament(
            c.blinks_per_min_speaking, c.blinks_per_min_silent, c.aversion, c.distance_m
        )
        self._gaze = GazeModel(temperament, c.seed)
        self._hand_over = HandOver(c.low, c.high, c.fade_ms / 1000, c.patience_ms / 1000)
        self._shown = np.zeros(len(EYE_STATE), np.float32)
