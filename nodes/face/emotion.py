"""face.emotion: the mood of a face, constant, by a script, or from outside."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from rtgraph import ANY_TENSOR, Input, NodeConfig, Output, Source, register
from rtgraph.context import Context
from rtgraph.models.expression import EMOTIONS
from rtgraph.node import Outputs
from rtgraph.nodes.face.types import Emotion

Name = Literal["neutral", "happy", "sad", "angry", "fear", "disgust", "surprise", "contempt"]
Weights = dict[Name, float]
Floats = NDArray[np.float32]


class Cue(NodeConfig):
    """A moment of the script."""

    at_s: float = Field(ge=0, description="when it begins, from the start of the run")
    weights: Weights = Field(description="such as {happy: 0.8}")
    fade_s: float = Field(0.5, ge=0, description="how long the change takes")


@register("face.emotion")
class FaceEmotion(Source):
    """Weights of the eight emotions; what they leave of 1 is neutral, and they never add up to more.

    `weights` holds until the first cue of `script`. What comes in on `control` overrules both, followed in
    `control_fade_s`. NaN there is ignored and counted as `bad_packets`.
    """

    class Config(NodeConfig):
        weights: Weights = Field({}, description="such as {happy: 0.8}; none: neutral")
        script: list[Cue] = Field([], description="cues in the order of their times")
        loop_s: float | None = Field(None, gt=0, description="the script begins again after so long")
        rate_hz: float = Field(50.0, gt=0, le=1000, description="packets a second")
        control_fade_s: float = Field(0.3, ge=0, description="time for a change that comes on `control`")

        @model_validator(mode="after")
        def _check(self) -> FaceEmotion.Config:
            for weights in (self.weights, *(cue.weights for cue in self.script)):
                for name, weight in weights.items():
                    if not 0 <= weight <= 1:
                        raise ValueError(f"the weight of {name} is {weight:g}; expected 0 to 1")
            times = [cue.at_s for cue in self.script]
            if times != sorted(times):
                raise ValueError("the cues of `script` must be in the order of their `at_s`")
            return self

    control = Input(ANY_TENSOR, shape=(len(EMOTIONS),), edge="latest", optional=True, doc="[8] weights")
    emotion = Output(Emotion, rate_hz=lambda c: c.rate_hz)

    endless = True

    _control: Floats | None  # the newest that came
    _shown: Floats

    def rate_hz(self) -> float:
        return float(self.config.rate_hz)

    def open(self, ctx: Context) -> None:
        self._cues = [(cue.at_s, cue.fade_s, _vector(cue.weights)) for cue in self.config.script]
        self._first = _vector(self.config.weights)
        self.reset()

    def process(self, control: Any, ctx: Context) -> Outputs:
        if control is not None and not np.isfinite(control).all():
            ctx.count("bad_packets")
            ctx.warn("NaN or infinite numbers came on 'control'; they are ignored")
        elif control is not None:
            self._control = _whole(np.asarray(control, np.float32))
        time_s = self._sent / self.config.rate_hz
        self._sent += 1
        goal = self._scripted(time_s)
        if self._control is not None:
            c = self.config
            share = 1 - np.exp(-3 / (c.rate_hz * c.control_fade_s)) if c.control_fade_s > 0 else 1.0
            goal = self._shown + np.float32(share) * (self._control - self._shown)
        self._shown = goal.astype(np.float32)
        return {"emotion": self._shown}

    def reset(self) -> None:
        self._sent = 0
        self._control = None
        self._shown = self._first

    def _scripted(self, time_s: float) -> Floats:
        """What the script says: each cue fades in from what was there when it began."""
        weights = self._first
        if self.config.loop_s is not None and time_s >= self.config.loop_s and self._cues:
            time_s %= self.config.loop_s
            weights = self._cues[-1][2]  # a new round begins where the last one ended
        for k, (at_s, fade_s, goal) in enumerate(self._cues):
            if time_s < at_s:
                break
            # A cue may come before the one ahead of it has faded in.
            ends_s = min([time_s, *(c[0] for c in self._cues[k + 1 : k + 2])])
            part = (ends_s - at_s) / fade_s if fade_s > 0 else 1.0
            weights = weights + np.float32(min(part, 1.0)) * (goal - weights)
        return weights


def _vector(weights: Weights) -> Floats:
    vector = np.zeros(len(EMOTIONS), np.float32)
    for name, weight in weights.items():
        vector[EMOTIONS.index(name)] = weight
    return _whole(vector)


def _whole(weights: Floats) -> Floats:
    """Weights [8] that add up to 1: what is missing is neutral, what is too much is scaled down."""
    weights = np.clip(weights, 0, 1)
    total = float(weights.sum())
    if total > 1:
        return (weights / total).astype(np.float32)
    weights[0] += 1 - total
    return weights
