"""From what a camera sends to an eye image: cropped, turned, mirrored, grey, 8 bits, of the wanted size."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from rtgraph import NodeConfig
from rtgraph.nodes.eye.opencv import opencv

Image = NDArray[np.uint8]


class View(NodeConfig):
    """How one eye's image is made upright; the steps in this order."""

    crop: tuple[int, int, int, int] | None = Field(
        None, description="x, y, width, height in the camera's pixels; none: all of it"
    )
    rotate_deg: float = Field(0.0, ge=-360, le=360, description="counter-clockwise about the middle")
    mirror: bool = Field(False, description="swap left and right, as for a camera that looks at a mirror")

    @field_validator("crop")
    @classmethod
    def _check_crop(cls, crop: tuple[int, int, int, int] | None) -> tuple[int, int, int, int] | None:
        if crop is not None and (min(crop) < 0 or min(crop[2:]) < 1):
            raise ValueError(f"{list(crop)} is no piece of an image; expected x, y, width, height in pixels")
        return crop


class EyeImageConfig(NodeConfig):
    """What every source of eye images lets choose."""

    height: int = Field(128, ge=16, le=1024, description="of the eye images that are sent")
    width: int = Field(128, ge=16, le=1024, description="of the eye images that are sent")
    left_view: View = Field(
        View.model_validate({}), description="crop, rotate_deg and mirror of the person's left eye"
    )
    right_view: View = Field(View.model_validate({}), description="the same for the right one")
    swap: bool = Field(False, description="the image that comes as the left is that of the right eye")
    bits: int = Field(16, ge=9, le=16, description="that a camera with 16-bit pixels fills")

    @property
    def shape(self) -> tuple[int, int]:
        return (self.height, self.width)

    @property
    def views(self) -> tuple[View, View]:
        return (self.left_view, self.right_view)


class BadImageError(ValueError):
    """What came cannot be made an eye image; the text says why and what to change."""


def to_eye_image(raw: NDArray[Any], view: View, c: EyeImageConfig) -> Image:
    """An eye image [height, width] of a camera's [H, W] or [H, W, 1, 3 or 4], uint8 or uint16.

    Of 16 bits the upper 8 of `bits` stay; colours (an infrared image has none) become grey. Any size is
    scaled to the wanted one without regard to its aspect: crop where that matters. Raises BadImageError.
    """
    if raw.dtype not in (np.uint8, np.uint16) or raw.ndim not in (2, 3) or raw.size == 0:
        raise BadImageError(
            f"an image is {raw.dtype} {list(raw.shape)}; expected uint8 or uint16 [H, W(, 3)]"
        )
    if raw.ndim == 3 and raw.shape[2] not in (1, 3, 4):
        raise BadImageError(f"an image has {raw.shape[2]} channels; expected 1, 3 or 4")
    if view.crop is not None:
        x, y, w, h = view.crop
        raw = raw[y : y + h, x : x + w]
        if raw.size == 0:
            raise BadImageError(f"crop {[x, y, w, h]} lies outside of the image; make it smaller")
    if raw.ndim == 3:
        raw = _grey(raw)
    if raw.dtype == np.uint16:
        raw = np.minimum(raw >> (c.bits - 8), 255).astype(np.uint8)
    if view.rotate_deg % 360:
        raw = _turned(raw, view.rotate_deg % 360)
    if view.mirror:
        raw = raw[:, ::-1]
    if raw.shape != c.shape:
        cv2 = opencv("scaling eye images")
        raw = cv2.resize(np.ascontiguousarray(raw), (c.width, c.height), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(raw)


def blank(c: EyeImageConfig) -> Image:
    """What stands for an eye whose camera sends nothing: black."""
    image = np.zeros(c.shape, np.uint8)
    image.flags.writeable = False
    return image


def halves(raw: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Left and right of a side-by-side image."""
    if raw.ndim < 2 or raw.shape[1] < 2:
        raise BadImageError(f"an image of shape {list(raw.shape)} has no two halves")
    middle = raw.shape[1] // 2
    return raw[:, :middle], raw[:, raw.shape[1] - middle :]


def _grey(raw: NDArray[Any]) -> NDArray[Any]:
    if raw.shape[2] == 1:
        return raw[:, :, 0]
    cv2 = opencv("turning a colour image into grey")
    code = cv2.COLOR_BGR2GRAY if raw.shape[2] == 3 else cv2.COLOR_BGRA2GRAY
    grey: NDArray[Any] = cv2.cvtColor(np.ascontiguousarray(raw), code)
    return grey


def _turned(raw: NDArray[Any], degrees: float) -> NDArray[Any]:
    if degrees % 90 == 0:
        return np.rot90(raw, round(degrees / 90))
    cv2 = opencv("rotating eye images")
    h, w = raw.shape
    matrix = cv2.getRotationMatrix2D(((w - 1) / 2, (h - 1) / 2), degrees, 1.0)
    turned: NDArray[Any] = cv2.warpAffine(
        np.ascontiguousarray(raw), matrix, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return turned
