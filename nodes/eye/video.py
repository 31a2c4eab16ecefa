"""eye.video: eye cameras from video files, and the rendered eyes that stand in for missing ones."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, model_validator

from rtgraph import EndOfStream, InputFile, Output, Source, register
from rtgraph.context import Context
from rtgraph.node import Outputs
from rtgraph.nodes.eye.clip import BUNDLED, EyeClip
from rtgraph.nodes.eye.image import BadImageError, EyeImageConfig
from rtgraph.nodes.face.types import EyeImage


class _EyeFiles(Source):
    """Base: plays pairs of eye images at the rate of the file."""

    left = Output(EyeImage, shape=lambda c: c.shape, doc="the person's left eye")
    right = Output(EyeImage, shape=lambda c: c.shape, doc="the person's right eye")

    #: Whether to begin again at the end, and the rate in place of the file's.
    _loop: bool
    _rate_hz: float | None

    def _paths(self, ctx: Context) -> list[Path]:
        raise NotImplementedError

    def open(self, ctx: Context) -> None:
        self._clip = EyeClip(self._paths(ctx), self.config)

    def rate_hz(self) -> float:
        return self._rate_hz or self._clip.rate_hz

    def process(self, ctx: Context) -> Outputs:
        try:
            pair = self._clip.read_on() if self._loop else self._clip.read()
        except BadImageError as error:
            ctx.count("bad_images")
            ctx.warn(str(error))
            return None
        if pair is None:
            raise EndOfStream
        return {"left": pair[0], "right": pair[1]}

    def reset(self) -> None:
        self._clip.rewind()

    def close(self) -> None:
        if hasattr(self, "_clip"):
            self._clip.close()


@register("eye.video")
class EyeVideo(_EyeFiles):
    """Plays recorded eyes: files `left` and `right`, or one file `both` with the eyes side by side.

    Without any it plays the bundled clip. Frames are taken one by one, whatever times the file gives them.
    """

    class Config(EyeImageConfig):
        left: InputFile | None = Field(None, description="video of the person's left eye")
        right: InputFile | None = Field(None, description="video of their right eye")
        both: InputFile | None = Field(None, description="or one video of both, left eye in the left half")
        rate_hz: float | None = Field(None, gt=0, le=1000, description="frames a second; none: the file's")
        loop: bool = Field(False, description="begin again at the end, without end")

        @model_validator(mode="after")
        def _check(self) -> EyeVideo.Config:
            if (self.left is None) != (self.right is None):
                raise ValueError("`left` and `right` go together; one file with both eyes is `both`")
            if self.left is not None and self.both is not None:
                raise ValueError("`both` is one file with two eyes: leave out `left` and `right`")
            return self

    def _paths(self, ctx: Context) -> list[Path]:
        c = self.config
        self._loop, self._rate_hz = c.loop, c.rate_hz
        names = [c.left, c.right] if c.left is not None else [c.both or BUNDLED]
        return [ctx.find_file(name) for name in names]


@register("eye.synthetic")
class EyeSynthetic(_EyeFiles):
    """Rendered infrared eyes that look about and blink: a stand-in for eye cameras, without end.

    They play a bundled clip, so that they cost no more than decoding it.
    """

    class Config(EyeImageConfig):
        pass

    endless = True

    _loop = True
    _rate_hz = None

    def _paths(self, ctx: Context) -> list[Path]:
        return [ctx.find_file(BUNDLED)]
