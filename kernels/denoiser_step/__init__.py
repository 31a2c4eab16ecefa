"""One evaluation of the denoiser and its expression head as one call; see models/one_step_denoiser.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from .. import _cpu
from ..linear import Precision
from ..linear.check import Array, check_array, check_optional

__all__ = ["DenoiserStep", "Expression"]


class Expression(NamedTuple):
    """One frame of every stream, float32."""

    latent: Array  # [streams, latent_width]
    frame: Array  # [streams, 61]: ARKit weights 0..1, then angles in radians
    confidence: Array  # [streams, 6] 0..1


class DenoiserStep:
    """The denoiser's weights, packed.

    config: a DenoiserConfig (models/config.py). weights: the denoiser's float32 arrays under torch's names.
    isa names an instruction set for tests; None takes the best. Raises ValueError where weights and config
    disagree.
    """

    def __init__(
        self,
        config: Any,
        weights: Mapping[str, Array],
        precision: Precision = "float32",
        streams: int = 1,
        isa: str | None = None,
    ) -> None:
        if streams < 1:
            raise ValueError(f"denoiser_step: streams: expected at least 1, got {streams}")
        self.config, self.streams = config, streams
        self.native = _cpu.denoiser_step.DenoiserStep(config, dict(weights), precision, streams, isa)

    def __call__(
        self, noise: Array, hidden: Array, previous: Array | None = None, *, emotion: Array | None = None
    ) -> Expression:
        """noise [streams, latent_width] Gaussian, hidden [streams, hidden_width] from the encoder, previous
        [streams, latent_width] the latent emitted one frame before, emotion [streams, emotions]; None: zeros.

        A row with NaN, infinity or a value beyond 1e6 is replaced by the last good one of its stream and
        counted in `replaced_inputs`. Raises TypeError or ValueError where an array does not fit.
        """
        c, n, op = self.config, self.streams, "denoiser_step"
        check_array(op, "noise", noise, (n, c.latent_width))
        check_array(op, "hidden", hidden, (n, c.hidden_width))
        check_optional(op, "previous", previous, (n, c.latent_width))
        check_optional(op, "emotion", emotion, (n, c.emotions))
        out = Expression(
            np.empty((n, c.latent_width), np.float32),
            np.empty((n, c.weights + c.angles), np.float32),
            np.empty((n, c.regions), np.float32),
        )
        self.native.step(noise, hidden, previous, emotion, *out)
        return out

    def reset(self, stream: int) -> None:
        """Forgets a stream's last good inputs."""
        if not 0 <= stream < self.streams:
            raise IndexError(f"denoiser_step: stream: expected 0 to {self.streams - 1}, got {stream}")
        self.native.reset(stream)

    @property
    def replaced_inputs(self) -> int:
        """Input rows replaced so far because they were not finite or beyond 1e6."""
        return int(self.native.replaced_inputs)

    @property
    def weight_bytes(self) -> int:
        """Bytes of packed weights that a step reads."""
        return int(self.native.weight_bytes)
