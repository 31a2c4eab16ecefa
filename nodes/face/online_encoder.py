"""face.online_encoder: from what is heard and seen up to now to one hidden vector a frame."""

from __future__ import annotations

from pydantic import Field

from rtgraph import Input, Output, register
from rtgraph.nodes import _native
from rtgraph.nodes.audio.types import Mel
from rtgraph.nodes.face.network import NetworkConfig, NetworkNode
from rtgraph.nodes.face.types import Emotion, ExpressionLatent, EyeFeatures, Hidden


@register("face.online_encoder")
class OnlineEncoder(NetworkNode):
    """The windowed causal transformer of models/online_encoder.py, one frame for every second mel row.

    Connect `previous` to a `face.previous_latent` behind the denoiser: the network expects to see the face
    that was shown last. A row that holds NaN or infinity is replaced by the last good one and counted as
    `replaced_inputs`.
    """

    class Config(NetworkConfig):
        eyes_timeout_ms: float = Field(
            250.0, gt=0, description="features older than this are no longer seen: the eyes are then made up"
        )

    mel = Input(Mel, doc="level-normalised rows; two make a frame")
    previous = Input(ExpressionLatent, edge="latest", optional=True, doc="the latent of the frame before")
    eyes = Input(EyeFeatures, edge="latest", optional=True, doc="from eye.encoder or an eye signal")
    emotion = Input(Emotion, edge="latest", optional=True, doc="the mood to play; none: as it is heard")
    hidden = Output(Hidden, rate_hz=50.0, shares="weights", doc="for face.one_step_denoiser")

    part = "encoder"
    pack = _native.EncoderWeights

    def native(self) -> object:
        timeout_ns = round(self.config.eyes_timeout_ms * 1e6)
        if self.config.device == "cuda":
            config = self.packed.card.config.encoder
            return _native.captured_online_encoder(self.packed.native, config, timeout_ns)
        return _native.online_encoder(self.packed.native, timeout_ns)
