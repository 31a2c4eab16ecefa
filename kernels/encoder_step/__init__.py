"""One frame of the online encoder for many streams as one call; see models/online_encoder.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import _cpu
from ..linear import Precision
from ..linear.check import Array, check_array, check_optional

__all__ = ["EncoderStep"]


class EncoderStep:
    """The encoder's weights, packed, and the state of its streams.

    config: an EncoderConfig (models/config.py). weights: the encoder's float32 arrays under torch's names.
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
            raise ValueError(f"encoder_step: streams: expected at least 1, got {streams}")
        self.config, self.streams = config, streams
        self.native = _cpu.encoder_step.EncoderStep(config, dict(weights), precision, streams, isa)

    def __call__(
        self,
        mel: Array,
        previous: Array | None = None,
        *,
        eyes: Array | None = None,
        eyes_present: Array | None = None,
        emotion: Array | None = None,
        style: Array | None = None,
        reset: Array | None = None,
        out: Array | None = None,
    ) -> Array:
        """The next frame of every stream -> hidden [streams, hidden_width] float32.

        mel [streams, hops_per_frame, mel_bands]; previous [streams, latent_width], the latent emitted one
        frame before; eyes [streams, eye_features] with eyes_present [streams] bool; emotion [streams,
        emotions]; style [streams, style_width]; reset [streams] bool: where true the stream begins anew with
        this frame. What is None is absent (eyes: the learned vector; the rest: zeros). A row with NaN,
        infinity or a value beyond 1e6 is replaced (a mel hop by the hop before, a condition by its last
        value) and counted in `replaced_inputs`. Raises TypeError or ValueError where an array does not fit.
        """
        c, n, op = self.config, self.streams, "encoder_step"
        check_array(op, "mel", mel, (n, c.hops_per_frame, c.mel_bands))
        check_optional(op, "previous", previous, (n, c.latent_width))
        check_optional(op, "eyes", eyes, (n, c.eye_features))
        check_optional(op, "eyes_present", eyes_present, (n,), np.bool_)
        check_optional(op, "emotion", emotion, (n, c.emotions))
        check_optional(op, "style", style, (n, c.style_width))
        check_optional(op, "reset", reset, (n,), np.bool_)
        if out is None:
            out = np.empty((n, c.hidden_width), np.float32)
        check_array(op, "out", out, (n, c.hidden_width))
        self.native.step(mel, previous, eyes, eyes_present, emotion, style, reset, out)
        return out

    def reset(self, stream: int) -> None:
        """Makes a stream as good as new."""
        if not 0 <= stream < self.streams:
            raise IndexError(f"encoder_step: stream: expected 0 to {self.streams - 1}, got {stream}")
        self.native.reset(stream)

    @property
    def positions(self) -> Array:
        """[streams] int64, the position of each stream's next frame; a view that may be written."""
        positions: Array = self.native.positions
        return positions

    @property
    def replaced_inputs(self) -> int:
        """Input rows replaced so far because they were not finite or beyond 1e6."""
        return int(self.native.replaced_inputs)

    @property
    def weight_bytes(self) -> int:
        """Bytes of packed weights that a step reads."""
        return int(self.native.weight_bytes)
