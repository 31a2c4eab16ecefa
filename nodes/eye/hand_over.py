"""Who says what the eyes do: each camera for its own eye, the other camera, or the synthesis, with soft
passages between them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rtgraph.models.expression import EYE

State = NDArray[np.float32]

_CONFIDENCE = EYE.index("confidence")


class HandOver:
    """Mixes a camera's eye states with synthesised ones by the camera's confidence, each eye apart.

    A camera is believed while its confidence is at least `high`, and doubted when it has been under `low`
    for `patience_s` (a blink hides the pupil for a moment); between the two it stays as it was. Belief
    passes in `fade_s`. An eye whose camera is doubted follows the other one; the synthesis speaks where
    both are. A state that does not change any more for `patience_s` is that of a frozen camera: eyes are
    never still.
    """

    def __init__(self, low: float, high: float, fade_s: float, patience_s: float) -> None:
        self._low, self._high, self._fade_s, self._patience_s = low, high, fade_s, patience_s
        self._camera: State | None = None  # [2, 7] the last good state
        self._seen: State | None = None  # [14] the last one that came
        self._unchanged_s = 0.0
        self._doubted_s = np.full(2, np.inf)  # since when an eye's confidence has been under `low`
        self._believed = np.zeros(2, bool)
        self._weight = np.zeros(2)
        #: Of the cameras in what is seen: 0 all synthesis, 1 none.
        self.share = 0.0

    def mix(self, synthetic: State, camera: State | None, dt_s: float) -> State:
        """The eye state [14] to show: synthetic [14], camera [14] or None where none has come yet.

        camera must be finite.
        """
        if camera is None and self._camera is None:
            return synthetic
        self._judge(camera, dt_s)
        step = dt_s / self._fade_s if self._fade_s > 0 else 1.0
        self._weight += np.clip(self._believed - self._weight, -step, step)
        assert self._camera is not None
        own = _smooth(self._weight)
        other = (1 - own) * own[::-1]
        mine = (1 - own) * (1 - own[::-1])
        self.share = float(1 - mine[0])
        eyes = (
            own[:, None] * self._camera
            + other[:, None] * self._camera[::-1]
            + mine[:, None] * synthetic.reshape(2, -1)
        )
        return eyes.astype(np.float32).reshape(-1)

    def _judge(self, camera: State | None, dt_s: float) -> None:
        self._unchanged_s += dt_s
        if camera is not None:
            if self._seen is None or not np.array_equal(camera, self._seen):
                self._unchanged_s = 0.0
                self._seen = camera
            eyes = camera.reshape(2, -1)
            confidence = eyes[:, _CONFIDENCE]
            self._doubted_s = np.where(confidence < self._low, self._doubted_s + dt_s, 0.0)
            self._believed |= confidence >= self._high
            self._believed &= self._doubted_s <= self._patience_s
            # While belief fades the last good numbers stand, not those of a dark image.
            good = confidence >= self._low
            if self._camera is None:
                self._camera = eyes.copy()
            self._camera[good] = eyes[good]
        if self._unchanged_s > self._patience_s:
            self._believed[:] = False


def _smooth(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return x * x * (3 - 2 * x)
