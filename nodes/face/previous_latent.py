"""face.previous_latent: hands the latent of this frame to the encoder of the next."""

from __future__ import annotations

from rtgraph import Input, NativeNode, Output, register
from rtgraph.nodes import _native
from rtgraph.nodes.face.types import ExpressionLatent


@register("face.previous_latent")
class PreviousLatent(NativeNode):
    """Closes the circle denoiser -> encoder, as flow.delay would, without Python on the way.

    Nothing is sent ahead of the first frame: the encoder's `previous` is optional, and absent means zeros.
    """

    latent = Input(ExpressionLatent, doc="from face.one_step_denoiser")
    previous = Output(ExpressionLatent, doc="for face.online_encoder")

    breaks_cycle = True

    def native(self) -> object:
        return _native.relay()
