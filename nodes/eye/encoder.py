"""eye.encoder: from a pair of eye images to features for the face and to an eye state."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from rtgraph import AssetError, Input, InputFile, NativeNode, Output, register
from rtgraph.context import Context
from rtgraph.models import eye_weights
from rtgraph.models.eye_calibration import EyeCalibration, both_heads
from rtgraph.nodes import _native
from rtgraph.nodes.device import DeviceConfig, on_cuda
from rtgraph.nodes.face.types import EyeFeatures, EyeImage, EyeState


@register("eye.encoder")
class EyeEncoder(NativeNode):
    """The network of models/eye_encoder.py on both eyes, one pair of images in, one state out.

    Images of another size than `height` and `width` are refused when the graph is checked; their middle
    square is what is looked at. Nothing that comes in stops it: a black, white or otherwise flat image
    (`flat_images`), one that has not changed for `frozen_ms` (`frozen_images`) and a right image without a
    left one of its time (`missing_images`) are counted and have confidence 0, and so are two images that are
    each the other eye's (`swapped_images`) and one that is a mirror's (`mirrored_images`); for upside-down,
    torn and foreign images the network's own confidence falls.
    """

    class Config(DeviceConfig):
        weights: InputFile = Field(
            "asset:weights/eye.safetensors",
            min_length=1,
            description="a .safetensors file with its card beside it",
        )
        calibration: InputFile | None = Field(
            None, description="a file of `rtgraph calibrate eyes`; none: the average person's eyes"
        )
        height: int = Field(128, ge=16, le=4096, description="of the images, pixels")
        width: int = Field(128, ge=16, le=4096, description="of the images, pixels")
        frozen_ms: float = Field(
            500.0, gt=0, description="a camera whose images are the same for so long is not trusted"
        )
        hold_below: float = Field(
            0.15, ge=0, le=1, description="lid under which `state` keeps the last gaze and pupil"
        )

    left = Input(EyeImage, shape=lambda c: (c.height, c.width), doc="the person's left eye, upright")
    right = Input(
        EyeImage,
        shape=lambda c: (c.height, c.width),
        edge="match",
        optional=True,
        doc="their right eye; without one of the left's time its confidence is 0",
    )
    features = Output(EyeFeatures, doc="-1..1, left 80 and right 80; a right eye is seen mirrored")
    state = Output(EyeState, doc="calibrated; behind a closed lid gaze and pupil stay as they were")
    raw_state = Output(EyeState, doc="the same before anything is held; smooth either with eye.one_euro")

    def open(self, ctx: Context) -> None:
        c = self.config
        try:
            self.weights = eye_weights.load(ctx.find_file(c.weights))
            self.calibration = (
                EyeCalibration.load(ctx.find_file(c.calibration), self.weights) if c.calibration else None
            )
        except (FileNotFoundError, ValueError) as error:
            raise AssetError(str(error)) from error

    def native(self) -> object:
        c, config = self.config, self.weights.card.config
        heads = both_heads(self.weights, self.calibration)
        frozen_ns = round(c.frozen_ms * 1e6)
        if c.device == "cpu":
            return _native.eye_encoder(
                config, eye_weights.DECODE, heads, c.height, c.width, frozen_ns, c.hold_below
            )

        def capture() -> Any:
            from rtgraph.nodes.eye.captured import capture

            return capture(config, heads, c.height, c.width)

        self.captured = on_cuda(self.name, capture)
        return _native.captured_eye_encoder(
            self.captured, config.features, c.height, c.width, frozen_ns, c.hold_below
        )
