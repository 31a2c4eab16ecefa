"""eye.camera_pair: two USB cameras that look at the eyes, or one that shows both."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from pydantic import Field, model_validator

from rtgraph import DeviceError, register
from rtgraph.context import Context
from rtgraph.node import Outputs
from rtgraph.nodes.eye.clip import BUNDLED, EyeClip
from rtgraph.nodes.eye.image import EyeImageConfig
from rtgraph.nodes.eye.live import LiveCameras, LiveConfig
from rtgraph.nodes.eye.opencv import opencv
from rtgraph.nodes.eye.reader import Camera

Device = int | str

#: A driver's time of an image is believed when it is younger than this.
_OLDEST_NS = 500_000_000


@register("eye.camera_pair")
class CameraPair(LiveCameras):
    """Reads UVC cameras through OpenCV.

    `left` and `right` are devices, by index or path (/dev/video2), or `both` is one whose image shows the
    eyes side by side; without any it is 0 and 2, as two cameras are numbered on Linux. A camera that
    vanishes is looked for again; the other one goes on. None at all when the graph starts is an error or,
    with `fallback`, answered by rendered eyes, and said; on a manual clock, which no camera can follow, they
    play at once. Counts as eye.mjpeg does.
    """

    class Config(LiveConfig):
        left: Device | None = Field(None, description="camera of the person's left eye: index or path")
        right: Device | None = Field(None, description="camera of their right eye")
        both: Device | None = Field(None, description="or one camera whose image shows both, left half first")
        camera_width: int | None = Field(None, ge=16, description="to ask of the camera; none: its own")
        camera_height: int | None = Field(None, ge=16, description="to ask of the camera; none: its own")
        camera_rate_hz: float | None = Field(None, gt=0, description="to ask of the camera; none: its own")

        fallback: bool = Field(
            False, description="where there is no camera when the graph starts, play rendered eyes instead"
        )

        @model_validator(mode="after")
        def _check(self) -> CameraPair.Config:
            if self.both is not None and not (self.left is None and self.right is None):
                raise ValueError("`both` is one camera with two eyes: leave out `left` and `right`")
            return self

        @property
        def devices(self) -> dict[int | None, Device]:
            """By eye: 0 left, 1 right, None both."""
            named = {0: self.left, 1: self.right, None: self.both}
            given = {eye: _index(device) for eye, device in named.items() if device is not None}
            return given or {0: 0, 1: 2}

    def open(self, ctx: Context) -> None:
        self._stand_in: EyeClip | None = None
        if self.config.fallback and not ctx.live:
            self._stand_in = self._rendered(ctx)
            return
        try:
            super().open(ctx)
        except DeviceError:
            if not self.config.fallback:
                raise
            ctx.log.warning("%s: there is no eye camera; rendered eyes stand in for it", self.name)
            self._stand_in = self._rendered(ctx)

    def rate_hz(self) -> float | None:
        return None if self._stand_in is None else self._stand_in.rate_hz

    def process(self, ctx: Context) -> Outputs:
        if self._stand_in is None:
            return super().process(ctx)
        left, right = self._stand_in.read_on()
        return {"left": left, "right": right}

    def reset(self) -> None:
        if self._stand_in is None:
            super().reset()
        else:
            self._stand_in.rewind()

    def close(self) -> None:
        super().close()
        stand_in: EyeClip | None = getattr(self, "_stand_in", None)  # `open` may have failed
        if stand_in is not None:
            stand_in.close()

    def cameras(self, ctx: Context) -> list[Camera]:
        cv2 = opencv("eye.camera_pair")
        found = [
            Camera(f"camera {device}", partial(UvcStream, cv2, device, self.config), eye)
            for eye, device in self.config.devices.items()
        ]
        troubles = []
        for camera in found:
            try:
                camera.connect().close()
            except OSError as error:
                troubles.append(f"{camera.name}: {error}")
        if len(troubles) == len(found):
            raise DeviceError(
                f"there is no eye camera ({'; '.join(troubles)}). Devices there are: {_devices()}. "
                "Set `left` and `right`, or play rendered eyes: --swap NODE=eye.synthetic"
            )
        return found

    def _rendered(self, ctx: Context) -> EyeClip:
        """The bundled clip, upright and whole whatever the cameras' views are."""
        c = self.config
        size = EyeImageConfig.model_validate({"height": c.height, "width": c.width})
        return EyeClip([ctx.find_file(BUNDLED)], size)


class UvcStream:
    """One open camera; see rtgraph.nodes.eye.reader.Stream."""

    def __init__(self, cv2: Any, device: Device, c: CameraPair.Config) -> None:
        self._capture = open_capture(cv2, device)
        if not self._capture.isOpened():
            self._capture.release()
            raise OSError("it cannot be opened: not connected, in use, or no right to it (group video)")
        self._time_of = cv2.CAP_PROP_POS_MSEC
        asked = (
            (cv2.CAP_PROP_BUFFERSIZE, 1),  # the newest image, not the oldest of a queue
            (cv2.CAP_PROP_FRAME_WIDTH, c.camera_width),
            (cv2.CAP_PROP_FRAME_HEIGHT, c.camera_height),
            (cv2.CAP_PROP_FPS, c.camera_rate_hz),
        )
        for what, value in asked:
            if value is not None:
                self._capture.set(what, value)

    def read(self) -> tuple[NDArray[Any], int] | None:
        good, image = self._capture.read()
        if not good:
            raise OSError("it sends no images any more")
        now_ns = time.monotonic_ns()
        # V4L2 stamps images on the system's monotonic clock; other drivers give something else, or nothing.
        driver_ns = round(self._capture.get(self._time_of) * 1e6)
        return image, driver_ns if 0 <= now_ns - driver_ns < _OLDEST_NS else now_ns

    def close(self) -> None:
        self._capture.release()


def open_capture(cv2: Any, device: Device) -> Any:
    """A cv2.VideoCapture, which may not be open."""
    log = cv2.utils.logging
    level = log.getLogLevel()
    log.setLogLevel(log.LOG_LEVEL_SILENT)  # it is told by us, once
    try:
        return cv2.VideoCapture(device)
    finally:
        log.setLogLevel(level)


def _index(device: Device) -> Device:
    return int(device) if isinstance(device, str) and device.isdecimal() else device


def _devices() -> str:
    """The capture devices of this machine, with the names that the kernel gives."""
    found = []
    for path in sorted(Path("/sys/class/video4linux").glob("video*"), key=lambda p: (len(p.name), p.name)):
        try:
            found.append(f"/dev/{path.name} ({(path / 'name').read_text().strip()})")
        except OSError:
            found.append(f"/dev/{path.name}")
    return ", ".join(found) or "none"
