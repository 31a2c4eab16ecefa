"""What lens and sensor do to a picture: reflections, blur, vignette, exposure, noise, eight bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .look import FloatArray
from .rig import SIDE_PX, Rig


def add_spot(image: FloatArray, column: float, row: float, sigma: float, strength: float) -> None:
    """Adds a round light to [128, 128] in place; what lies outside is left out."""
    reach = int(3 * sigma) + 2
    c0, r0 = int(column), int(row)
    columns = np.arange(max(c0 - reach, 0), min(c0 + reach + 1, SIDE_PX))
    rows = np.arange(max(r0 - reach, 0), min(r0 + reach + 1, SIDE_PX))
    if len(columns) and len(rows):
        across = np.exp(-0.5 * ((columns - column) / sigma) ** 2)
        down = np.exp(-0.5 * ((rows - row) / sigma) ** 2)
        image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] += strength * np.outer(down, across)


def _blur(image: FloatArray, sigma: float) -> FloatArray:
    """Gaussian of up to 2 px, edges repeated."""
    reach = 1 if sigma < 0.5 else 2 if sigma < 1.0 else 4
    taps = np.exp(-0.5 * (np.arange(reach + 1) / sigma) ** 2)
    taps = (taps / (2 * taps.sum() - taps[0])).astype(np.float32)
    for axis in (0, 1):
        padded = np.pad(image, [(reach, reach) if a == axis else (0, 0) for a in (0, 1)], mode="edge")
        view = padded if axis == 0 else padded.T
        out = view[reach:-reach] * taps[0]
        for k in range(1, reach + 1):
            out += taps[k] * (view[reach - k : SIDE_PX + reach - k] + view[reach + k : SIDE_PX + reach + k])
        image = out if axis == 0 else out.T
    return image


def _smear(image: FloatArray, columns: float, rows: float) -> FloatArray:
    """Motion of a few pixels during the exposure."""
    steps = int(np.ceil(max(abs(columns), abs(rows)))) + 1
    total = np.zeros_like(image)
    for s in np.linspace(-0.5, 0.5, steps):
        total += np.roll(image, (round(s * rows), round(s * columns)), (0, 1))
    smeared: FloatArray = total / np.float32(steps)
    return smeared


def expose(
    image: FloatArray, rig: Rig, motion_px: tuple[float, float], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Light [128, 128] float32, 1 is bright skin -> what the camera sends."""
    for column, row, length, width, angle, strength in rig.reflections:
        for s in np.linspace(-0.5, 0.5, max(2, int(length / width) + 1)):
            add_spot(
                image,
                column + s * length * np.cos(angle) + rng.normal(0, 0.3),
                row + s * length * np.sin(angle),
                width,
                strength,
            )
    if rig.frame_y:
        edge = SIDE_PX - rig.frame_y + 3 * np.sin(np.arange(SIDE_PX) / 40)
        image *= 0.25 + 0.75 * np.clip((edge - np.arange(SIDE_PX)[:, None]) / 3, 0, 1).astype(np.float32)
    if max(map(abs, motion_px)) > 0.7:
        image = _smear(image, *motion_px)
    image = _blur(image, rig.defocus_px)
    ramp = np.linspace(-1, 1, SIDE_PX, dtype=np.float32) ** 2
    image *= rig.gain * (1 - rig.vignette * 0.5 * (ramp[:, None] + ramp))
    np.clip(image, 1e-4, 1.5, out=image)
    image = image**rig.gamma
    noise = rng.standard_normal(image.shape, np.float32)
    image += noise * (rig.noise * (0.4 + 0.6 * np.sqrt(image)))
    return np.clip(image * 235 + 6, 0, 255).astype(np.uint8)
