"""A streaming resampler for live sound, made for little delay.

soxr's stream hands its output out in blocks of 20 to 35 ms; here a sample is ready as soon as the filter
has seen what it needs, 1.2 ms for 48 to 16 kHz.
"""

from __future__ import annotations

from math import ceil, gcd

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from rtgraph.nodes.audio.types import Samples

_STOP_DB = 70.0
_TRANSITION = 0.12  # of the lower rate: 0.44 passes, 0.5 and above is stopped


class StreamResampler:
    """A Kaiser-windowed sinc in polyphase form (Crochiere and Rabiner, Multirate Digital Signal Processing,
    1983).

    Output sample j lies at input position j * from_hz / to_hz, so there is no delay to correct timestamps
    for. The result does not depend on how the input is cut into blocks.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        common = gcd(from_hz, to_hz)
        self._up, self._down = to_hz // common, from_hz // common
        lower = min(from_hz, to_hz) / from_hz  # cycles an input sample, times 2
        # Kaiser's formulas for the length and the window's parameter.
        self._half = ceil((_STOP_DB - 7.95) / (14.36 * _TRANSITION * lower) / 2)
        beta = 0.1102 * (_STOP_DB - 8.7)
        cutoff = lower * (1 - _TRANSITION)
        taps = np.arange(2 * self._half)
        offset = np.arange(self._up)[:, None] / self._up + self._half - 1 - taps  # [phase, tap] input samples
        window = np.i0(beta * np.sqrt(np.maximum(0.0, 1 - (offset / self._half) ** 2))) / np.i0(beta)
        bank = cutoff * np.sinc(cutoff * offset) * window
        self._bank = (bank / bank.sum(axis=1, keepdims=True)).astype(np.float32)
        self._input = np.zeros(self._half - 1, np.float32)  # what the next outputs still need
        self._base = 1 - self._half  # position of its first sample
        self._sent = 0

    def process(self, block: Samples) -> Samples:
        """[any length] in, all that is ready out."""
        x = np.concatenate([self._input, block])
        last = self._base + x.size - 1 - self._half  # the last input position whose whole window is here
        end = max(self._sent, -(-(last + 1) * self._up // self._down))
        at = np.arange(self._sent, end) * self._down
        first, phase = at // self._up - self._half + 1 - self._base, at % self._up
        y = (
            np.einsum("jk,jk->j", sliding_window_view(x, 2 * self._half)[first], self._bank[phase])
            if at.size
            else at
        )
        self._sent = end
        unused = min(x.size, end * self._down // self._up - self._half + 1 - self._base)
        self._input = x[unused:]
        self._base += unused
        return y.astype(np.float32, copy=False)
