"""OpenCV, imported where it is needed, with an answer where it is missing."""

from __future__ import annotations

from typing import Any

from rtgraph import RtGraphError


def opencv(what: str) -> Any:
    """The module cv2; RtGraphError with the line that installs it. `what` needs it."""
    try:
        import cv2
    except ImportError as error:
        raise RtGraphError(f"{what} needs OpenCV ({error}): pip install 'rtgraph[eye]'") from None
    return cv2
