"""face.one_step_denoiser: from the encoder's hidden vector and noise to a frame of expression."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rtgraph import Input, Output, register
from rtgraph.models.expression import INDEX, both
from rtgraph.nodes import _native
from rtgraph.nodes.audio.speech_gate import Speech
from rtgraph.nodes.face.network import NetworkConfig, NetworkNode
from rtgraph.nodes.face.types import Confidence, Emotion, ExpressionFrame, ExpressionLatent, Hidden

#: What only speech moves. Smile, frown and dimple stay: a face may smile in silence.
ARTICULATION: tuple[str, ...] = (
    "jawForward", "jawLeft", "jawRight", "jawOpen",
    "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight",
    *both("mouthStretch"), "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    *both("mouthPress"), *both("mouthLowerDown"), *both("mouthUpperUp"), "tongueOut",
)  # fmt: skip


@register("face.one_step_denoiser")
class OneStepDenoiser(NetworkNode):
    """One evaluation of models/one_step_denoiser.py a frame; it conditions on the latent it emitted before.

    With `speech` connected, the shapes that only speech moves are scaled by it, so that noise, breathing and
    silence leave the mouth closed; the latent is not touched. A vector that holds NaN or infinity is replaced
    by the last good one and counted as `replaced_inputs`.
    """

    class Config(NetworkConfig):
        seed: int = Field(0, ge=0, lt=2**64, description="of the noise: the same seed gives the same run")
        noise: Literal["fresh", "fixed"] = Field(
            "fresh", description="drawn anew for each frame, or one draw for all of them"
        )

    hidden = Input(Hidden, shares="weights", doc="from face.online_encoder")
    emotion = Input(Emotion, edge="latest", optional=True, doc="as for the encoder")
    speech = Input(Speech, edge="latest", optional=True, doc="from audio.speech_gate")
    latent = Output(ExpressionLatent)
    frame = Output(ExpressionFrame)
    confidence = Output(Confidence)

    part = "denoiser"
    pack = _native.DenoiserWeights

    def native(self) -> object:
        options = self.config.seed, self.config.noise == "fresh", [INDEX[name] for name in ARTICULATION]
        if self.config.device == "cuda":
            config = self.packed.card.config.denoiser
            return _native.captured_one_step_denoiser(self.packed.native, config, *options)
        return _native.one_step_denoiser(self.packed.native, *options)
