"""One HTTP connection to a camera that sends MJPEG."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtgraph.nodes.eye.multipart import MultipartError, MultipartReader
from rtgraph.nodes.eye.opencv import opencv


class MjpegStream:
    """One HTTP connection; see rtgraph.nodes.eye.reader.Stream."""

    def __init__(self, url: str, timeout_s: float) -> None:
        request = urllib.request.Request(url, headers={"User-Agent": "rtgraph"})
        try:
            self._response = urllib.request.urlopen(request, timeout=timeout_s)
        except urllib.error.URLError as error:
            raise OSError(str(error.reason)) from None
        except (http.client.HTTPException, ValueError) as error:
            raise OSError(f"it does not speak HTTP: {error!r}") from None
        try:
            kind = self._response.headers.get("Content-Type", "")
            self._parts = MultipartReader(kind, self._response.read1)
        except MultipartError:
            self.close()
            raise
        self._cv2 = opencv("eye.mjpeg")

    def read(self) -> tuple[NDArray[Any], int] | None:
        try:
            part = self._parts.next()
        except (http.client.HTTPException, ValueError) as error:
            raise OSError(f"the stream broke off: {error!r}") from None
        except TimeoutError:
            raise OSError("nothing came any more") from None
        arrived_ns = time.monotonic_ns()
        image = decode_jpeg(self._cv2, part)
        return None if image is None else (image, arrived_ns)

    def close(self) -> None:
        self._response.close()


def decode_jpeg(cv2: Any, data: bytes) -> NDArray[np.uint8] | None:
    """Grey [H, W], or None where the data are no whole JPEG: decoders fill up what is missing with grey."""
    if not data.startswith(b"\xff\xd8") or b"\xff\xd9" not in data[-64:]:
        return None
    try:
        image: NDArray[np.uint8] | None = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    except cv2.error:
        return None
    return image
