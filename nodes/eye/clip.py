"""Eyes from video files, pair by pair: two files, or one with both eyes side by side."""

from __future__ import annotations

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
        self._holds_images = False
        for path in paths:
            capture = self._cv2.VideoCapture()
            self._captures.append(capture)
            if not self._begin(capture, path):
                self.close()
                raise AssetError(f"{path} cannot be read as a video; expected AVI, MP4, MKV, WebM or MOV")

    @property
    def rate_hz(self) -> float:
        """Frames a second, as the first file says; 60 where it says nothing usable."""
        rate = float(self._captures[0].get(self._cv2.CAP_PROP_FPS))
        return rate if 1 <= rate <= 1000 else _USUAL_RATE_HZ

    def read(self) -> tuple[Image, Image] | None:
        """The next left and right eye image; None at the end of the shorter file.

        Raises BadImageError of an image that cannot be used, AssetError where there is none at all.
        """
        raws: list[NDArray[Any]] = []
        for capture, path in zip(self._captures, self._paths, strict=True):
            good, raw = capture.read()
            if not good and not self._holds_images:
                raise AssetError(f"{path} holds no image, or none that can be decoded")
            if not good:
                return None
            raws.append(raw)
        self._holds_images = True
        left, right = raws if len(raws) == 2 else halves(raws[0])
        c = self._config
        if c.swap:
            left, right = right, left
        return to_eye_image(left, c.left_view, c), to_eye_image(right, c.right_view, c)

    def read_on(self) -> tuple[Image, Image]:
        """The next pair, after the last one the first again; raises as `read` does."""
        pair = self.read()
        while pair is None:
            self.rewind()
            pair = self.read()
        return pair

    def rewind(self) -> None:
        self._holds_images = False  # the file may be gone by now
        # Opened anew: seeking to frame 0 is not exact in every format.
        for capture, path in zip(self._captures, self._paths, strict=True):
            self._begin(capture, path)

    def close(self) -> None:
        for capture in self._captures:
            capture.release()

    def _begin(self, capture: Any, path: Path) -> bool:
        """Whether the video is open, at its first frame."""
        # Eye images are small: decoded on one thread they cost a quarter, and wait for no other core.
        one_thread = [self._cv2.CAP_PROP_N_THREADS, 1]
        return bool(capture.open(str(path), self._cv2.CAP_ANY, one_thread) or capture.open(str(path)))
