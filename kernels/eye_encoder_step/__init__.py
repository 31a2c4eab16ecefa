"""Two eye pictures to features and eye states as one call; see models/eye_encoder.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .. import _cpu

__all__ = ["EyeEncoderStep"]

Isa = Literal["baseline", "avx2", "avx512"]
STATES = 7


class EyeEncoderStep:
    """The eye encoder's weights, packed, for pictures of one size; keeps no state from frame to frame.

    config: an EyeEncoderConfig; decode: what the heads mean, as models/eye_weights.py has them. weights:
    float32 arrays under torch's names, the heads once for each eye, as both_heads of
    models/eye_calibration.py gives them. height, width: of the pictures (16 to 4096 px); their middle
    square is resampled to config.side_px. isa names an instruction set for tests; None takes the best.
    Raises ValueError where weights, config, size or machine do not fit."""

    def __init__(
        self,
        config: Any,
        decode: tuple[float, ...],
        weights: Mapping[str, NDArray[np.float32]],
        height: int = 128,
        width: int = 128,
        isa: Isa | None = None,
    ) -> None:
        self.shape, self.features = (height, width), int(config.features)
        self._native = _cpu.eye_encoder_step.EyeEncoderStep(config, decode, dict(weights), height, width, isa)

    def __call__(
        self, left: NDArray[np.uint8], right: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """left, right [height, width] uint8, upright, contiguous -> features [2, features] in -1..1, eye
        states [2, 7] in the units of rtgraph.models.expression.EYE, and how probably [2], 0..1, each
        picture is a mirror's or the other eye's; the person's left eye first.

        Always finite. Raises TypeError or ValueError where a picture does not fit.
        """
        for name, image in (("left", left), ("right", right)):
            if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
                got = getattr(image, "dtype", type(image).__name__)
                raise TypeError(
                    f"eye_encoder_step: {name}: expected a uint8 array, got {got}; "
                    "of a 16-bit image take the upper 8 bits that it fills"
                )
            if image.shape != self.shape or not image.flags.c_contiguous:
                raise ValueError(
                    f"eye_encoder_step: {name}: expected a contiguous {list(self.shape)}, got "
                    f"{list(image.shape)}; make a step for that size, or give one channel of a colour image"
                )
        features = np.empty((2, self.features), np.float32)
        state = np.empty((2, STATES), np.float32)
        mirrored = np.empty(2, np.float32)
        self._native.step(left, right, features, state, mirrored)
        return features, state, mirrored
