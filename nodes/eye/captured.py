"""The eye encoder's step as a CUDA graph, for one pair of pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtgraph.kernels.common.captured import Captured, need_device
from rtgraph.kernels.eye_encoder_step.device import EyeEncoderDevice
from rtgraph.models import eye_weights


def capture(config: Any, weights: Mapping[str, NDArray[np.float32]], height: int, width: int) -> Captured:
    """weights: `both_heads` of models/eye_calibration.py. RuntimeError where there is no CUDA device."""
    need_device()
    step = EyeEncoderDevice(config, eye_weights.DECODE, weights, height, width)
    outputs = {name: getattr(step, name) for name in ("features", "state", "mirrored")}
    return Captured(step.step, {"images": step.images}, outputs)
