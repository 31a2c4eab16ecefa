"""A sitting: one wearer in one rig, and the pictures that are taken of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .look import FloatArray, Look, random_look
from .picture import render
from .points import points
from .rig import Rig, random_rig
from .wearer import Wearer, random_wearer

#: How far the headset moves about its place while it is worn, mm (standard deviation).
_SLIP_MM = 0.35
#: How far a picture smears: a saccade of 500 degrees a second, a strobe of some 5 ms, 0.6 px a degree.
_MOTION_PX, _MOVING = 2.0, 0.2


@dataclass(frozen=True)
class Sitting:
    """Who, and in what; `seed` and `number` alone decide."""

    wearer: Wearer
    rig: Rig
    rng: np.random.Generator

    def picture(self, look: Look) -> NDArray[np.uint8]:
        """The next picture, [128, 128] uint8: some slip, now and then motion blur."""
        return self.labelled(look)[0]

    def labelled(self, look: Look) -> tuple[NDArray[np.uint8], FloatArray]:
        """The next picture and its points [24]."""
        slip = self.rng.normal(0, _SLIP_MM, 3).astype(np.float32)
        moving = self.rng.random() < _MOVING
        motion = self.rng.uniform(-_MOTION_PX, _MOTION_PX, 2) if moving else (0.0, 0.0)
        image = render(self.wearer, self.rig, look, self.rng, slip, (float(motion[0]), float(motion[1])))
        return image, points(self.wearer, self.rig, look, slip)

    def random_labelled(self, count: int) -> tuple[NDArray[np.uint8], FloatArray, FloatArray]:
        """Independent looks: pictures [count, 128, 128], labels [count, 6] and points [count, 24]."""
        looks = [random_look(self.rng) for _ in range(count)]
        images, places = zip(*(self.labelled(look) for look in looks), strict=True)
        return np.stack(images), np.stack([look.labels() for look in looks]), np.stack(places)


def begin(seed: int, number: int) -> Sitting:
    """The sitting of that number; other seeds are other people."""
    rng = np.random.default_rng((seed, number))
    return Sitting(random_wearer(rng), random_rig(rng), rng)
