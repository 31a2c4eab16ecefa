"""eye.mjpeg: eye cameras that send MJPEG over HTTP, such as those with an ESP32."""

from __future__ import annotations

from functools import partial

from pydantic import Field, model_validator

from rtgraph import register
from rtgraph.context import Context
from rtgraph.nodes.eye.live import LiveCameras, LiveConfig
from rtgraph.nodes.eye.opencv import opencv
from rtgraph.nodes.eye.reader import Camera


@register("eye.mjpeg")
class Mjpeg(LiveCameras):
    """Reads two MJPEG streams, or one that shows both eyes side by side.

    A camera need not be there when the graph starts, and may go and come: it is tried again after 0.25 s,
    later every 4 s. A damaged JPEG is left out. An eye without camera gets black images, which an eye
    encoder has no confidence in.
    Counts `damaged_images`, `bad_images`, `reopened`, `unpaired`, and `left_missing`, `left_held` (its last
    image stood in once more), `right_missing`, `right_held`.
    """

    class Config(LiveConfig):
        left: str | None = Field(None, description="URL of the left eye's stream: http://192.168.0.20/stream")
        right: str | None = Field(None, description="URL of the right eye's stream")
        both: str | None = Field(None, description="or the URL of one side-by-side stream")
        timeout_s: float = Field(2.0, gt=0, le=60, description="a stream that is silent for so long is dead")
        delay_ms: float = Field(
            30.0, ge=0, le=1000, description="from the middle of the exposure to the arrival of the image"
        )

        @model_validator(mode="after")
        def _check(self) -> Mjpeg.Config:
            if (self.both is None) == (self.left is None and self.right is None):
                raise ValueError(
                    "give `left` and `right` (or one of them), or `both`: the URLs of the cameras"
                )
            for url in (self.left, self.right, self.both):
                if url is not None and not url.lower().startswith(("http://", "https://")):
                    raise ValueError(f"'{url}' is no URL of a camera; expected http://HOST[:PORT]/PATH")
            return self

    def cameras(self, ctx: Context) -> list[Camera]:
        c = self.config
        from rtgraph.nodes.eye.mjpeg_stream import MjpegStream  # HTTP is 10 ms of a start without it

        opencv("eye.mjpeg")  # missing, it is told now and not by a thread
        urls = {0: c.left, 1: c.right, None: c.both}
        return [
            Camera(f"the stream {url}", partial(MjpegStream, url, c.timeout_s), eye)
            for eye, url in urls.items()
            if url is not None
        ]
