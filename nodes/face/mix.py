"""face.mix: which region of the face comes from which source."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from rtgraph import Input, NativeNode, NodeConfig, Output, register
from rtgraph.models.expression import REGIONS
from rtgraph.nodes import _native
from rtgraph.nodes.face.columns import HIGH, LOW, REGION_OF
from rtgraph.nodes.face.one_euro import Smoothing, by_number
from rtgraph.nodes.face.types import Confidence, ExpressionFrame

From = Literal["voice", "eyes", "other"]
Region = Literal["brows", "lids", "gaze", "mouth", "jaw", "head"]


@register("face.mix")
class Mix(NativeNode):
    """Joins up to three faces into one: that of the voice, that of the eyes, and any other.

    `voice` leads: there is one output for each of its frames. A region that comes from another source fades
    to the voice's where that source is missing, silent or unsure (its confidence at or below `unsure`; at
    or above `sure` it alone counts), and back, in `fade_ms`. The other regions of that source are not used.
    The voice's head is smoothed, since the network makes it anew for each frame and it trembles; a source
    that wants smoothing, too, has a face.one_euro of its own. Counts `bad_packets`: a packet with NaN is
    replaced by the last good one.
    """

    class Config(NodeConfig):
        brows: From = Field("voice", description="source of brow*")
        lids: From = Field("eyes", description="source of eyeBlink, eyeSquint and eyeWide")
        gaze: From = Field("eyes", description="source of eyeLook* and the eye angles")
        mouth: From = Field("voice", description="source of mouth*, cheek*, nose* and tongueOut")
        jaw: From = Field("voice", description="source of jaw*")
        head: From = Field("voice", description="source of the head angles")
        gains: dict[Region, float] = Field(
            {}, description="factor on a region of the result, such as {mouth: 1.2}"
        )
        smooth: dict[Region, Smoothing] = Field(
            {"head": Smoothing(cutoff_hz=1.0, beta=10.0)},
            description="regions of the voice's face, each as in face.one_euro; {}: none",
        )
        unsure: float = Field(0.2, ge=0, le=1, description="confidence at which a source counts for nothing")
        sure: float = Field(0.6, ge=0, le=1, description="confidence from which it alone counts")
        fade_ms: float = Field(200.0, ge=0, description="time from one source to the other")
        silent_ms: float = Field(500.0, gt=0, description="a source that sends nothing for so long is gone")

        @model_validator(mode="after")
        def _check(self) -> Mix.Config:
            if self.unsure >= self.sure:
                raise ValueError(f"unsure ({self.unsure:g}) must be below sure ({self.sure:g})")
            for name, gain in self.gains.items():
                if not 0 <= gain <= 10:
                    raise ValueError(f"the gain of {name} is {gain:g}; expected 0 to 10")
            return self

    voice = Input(ExpressionFrame)
    voice_confidence = Input(Confidence, edge="latest", optional=True)
    eyes = Input(ExpressionFrame, edge="latest", optional=True, doc="from face.eyes")
    eyes_confidence = Input(Confidence, edge="latest", optional=True)
    other = Input(ExpressionFrame, edge="latest", optional=True, doc="from face.file or any tracker")
    other_confidence = Input(Confidence, edge="latest", optional=True)
    frame = Output(ExpressionFrame)
    confidence = Output(Confidence)

    def native(self) -> object:
        c = self.config
        gains = np.array([c.gains.get(name, 1.0) for name in REGIONS], np.float32)
        cutoff_hz, beta = by_number([c.smooth.get(name) for name in REGIONS])
        return _native.mix(
            REGION_OF,
            LOW,
            HIGH,
            gains[REGION_OF],
            cutoff_hz=cutoff_hz[REGION_OF],
            beta=beta[REGION_OF],
            unsure=c.unsure,
            sure=c.sure,
            fade_ms=c.fade_ms,
            silent_ms=c.silent_ms,
            from_eyes=[getattr(c, region) == "eyes" for region in REGIONS],
            from_other=[getattr(c, region) == "other" for region in REGIONS],
        )
