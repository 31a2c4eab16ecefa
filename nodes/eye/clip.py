"""Eyes from video files, pair by pair: two files, or one with both eyes side by side."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from rtgraph import AssetError
from rtgraph.nodes.eye.image import EyeImageConfig, Image, halves, to_eye_image
from rtgraph.nodes.eye.opencv import opencv

#: Rendered infrared eyes, side by side.
BUNDLED = "asset:clips/eyes.mp4"
_USUAL_RATE_HZ = 60.0


class EyeClip:
    """Decodes frame by frame: an hour takes no more memory than a second."""

    def __init__(self, paths: list[Path], config: EyeImageConfig) -> None:
        """paths: left and right, or one of both. AssetError where one cannot be read."""
        self._cv2 = opencv("playing a video")
        self._config, self._paths = config, paths
        self._captures: list[Any] = []
        for path in paths:
            capture = self._cv2.VideoCapture(str(path))
            self._captures.append(capture)
            if not capture.isOpened():
                self.close()
                raise AssetError(f"{path} cannot be read as a video; expected AVI, MP4, MKV, WebM or MOV")

    @property
    def rate_hz(self) -> float:
        """Frames a second, as the first file says; 60 where it says nothing usable."""
        return _rate_hz(self._cv2, self._captures[0])

    def read(self) -> tuple[Image, Image] | None:
        """The next left and right eye image; None at the end of the shorter file. Raises BadImageError."""
        raws: list[NDArray[Any]] = []
        for capture in self._captures:
            good, raw = capture.read()
            if not good:
                return None
            raws.append(raw)
        left, right = raws if len(raws) == 2 else halves(raws[0])
        c = self._config
        if c.swap:
            left, right = right, left
        return to_eye_image(left, c.left_view, c), to_eye_image(right, c.right_view, c)

    def rewind(self) -> None:
        # Opened anew: seeking to frame 0 is not exact in every format.
        for capture, path in zip(self._captures, self._paths, strict=True):
            capture.open(str(path))

    def close(self) -> None:
        for capture in self._captures:
            capture.release()


class ClipStream:
    """A video in the place of a camera, in real time and without end; see rtgraph.nodes.eye.reader.Stream."""

    def __init__(self, path: Path) -> None:
        self._cv2, self._path = opencv("playing a video"), path
        self._capture = self._cv2.VideoCapture(str(path))
        if not self._capture.isOpened():
            raise OSError(f"{path} cannot be read as a video")
        self._hop_ns = round(1e9 / _rate_hz(self._cv2, self._capture))
        self._due_ns = time.monotonic_ns()

    def read(self) -> tuple[NDArray[Any], int] | None:
        good, image = self._capture.read()
        if not good:
            self._capture.open(str(self._path))
            good, image = self._capture.read()
        if not good:
            raise OSError(f"{self._path} holds no images")
        self._due_ns = max(self._due_ns + self._hop_ns, time.monotonic_ns() - self._hop_ns)
        time.sleep(max(0, self._due_ns - time.monotonic_ns()) * 1e-9)
        return image, self._due_ns

    def close(self) -> None:
        self._capture.release()


def _rate_hz(cv2: Any, capture: Any) -> float:
    rate = float(capture.get(cv2.CAP_PROP_FPS))
    return rate if 1 <= rate <= 1000 else _USUAL_RATE_HZ
