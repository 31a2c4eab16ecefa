"""Pictures that are no good eye: what the encoder learns to doubt."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]


def _black(image: Images, rng: np.random.Generator) -> Images:
    return rng.integers(0, rng.integers(2, 8), image.shape).astype(np.uint8)


def _white(image: Images, rng: np.random.Generator) -> Images:
    return (255 - rng.integers(0, rng.integers(1, 8), image.shape)).astype(np.uint8)


def _grey(image: Images, rng: np.random.Generator) -> Images:
    slope = np.linspace(-1, 1, image.shape[1]) * rng.uniform(0, 40)
    noise = rng.normal(0, rng.uniform(0, 6), image.shape)
    return np.clip(rng.uniform(20, 230) + slope + noise, 0, 255).astype(np.uint8)


def _noise(image: Images, rng: np.random.Generator) -> Images:
    return rng.integers(0, 256, image.shape).astype(np.uint8)


def _upside_down(image: Images, rng: np.random.Generator) -> Images:
    return image[::-1, ::-1] if rng.random() < 0.5 else image[::-1]


def _on_its_side(image: Images, rng: np.random.Generator) -> Images:
    return np.rot90(image, rng.choice([1, 3]))


def _blobs(image: Images, rng: np.random.Generator) -> Images:
    """Something out of focus: low frequencies at random."""
    side = int(rng.integers(3, 24))
    coarse = np.kron(rng.uniform(0, 1, (side, side)), np.ones((128 // side + 1,) * 2))[:128, :128]
    smooth = sum(np.roll(coarse, (a, b), (0, 1)) for a in (-6, -2, 2, 6) for b in (-6, -2, 2, 6)) / 16
    return np.clip(rng.uniform(0, 120) + smooth * rng.uniform(40, 200), 0, 255).astype(np.uint8)


def _torn(image: Images, rng: np.random.Generator) -> Images:
    """Bands of it moved sideways, as a broken transfer leaves them."""
    rows = np.arange(128) // int(rng.integers(6, 30))
    shift = rng.integers(20, 108, rows[-1] + 1)
    return np.stack([np.roll(line, shift[k]) for line, k in zip(image, rows, strict=True)])


def _far_off(image: Images, rng: np.random.Generator) -> Images:
    """The eye has left the picture."""
    return np.roll(image, int(rng.choice([-1, 1]) * rng.integers(56, 72)), int(rng.integers(2)))


WAYS = {
    "black": _black,
    "white": _white,
    "grey": _grey,
    "noise": _noise,
    "upside_down": _upside_down,
    "on_its_side": _on_its_side,
    "blobs": _blobs,
    "torn": _torn,
    "far_off": _far_off,
}


#: Cameras are mounted the wrong way round more often than anything else goes wrong, and it is hard to see.
_OFTEN = {"upside_down": 5, "on_its_side": 2}


def spoil(image: Images, rng: np.random.Generator, way: str | None = None) -> Images:
    """A bad picture [128, 128] in place of a good one; `way` is one of WAYS, None any."""
    often = np.array([_OFTEN.get(name, 1) for name in WAYS], np.float64)
    name = way or str(rng.choice(list(WAYS), p=often / often.sum()))
    return np.ascontiguousarray(WAYS[name](image, rng))
