"""Which image of the left eye belongs to which of the right: two streams become one of pairs."""

from __future__ import annotations

from dataclasses import dataclass

from rtgraph.nodes.eye.image import Image


@dataclass(frozen=True)
class Frame:
    """An eye image, the middle of its exposure and its arrival, ns on one clock."""

    image: Image
    exposed_ns: int
    arrived_ns: int


@dataclass(frozen=True)
class Pair:
    """What both eyes look like; None: that eye's camera is lost. `held`: eyes (0 left, 1 right) whose image
    is an older one."""

    images: tuple[Image | None, Image | None]
    exposed_ns: int
    held: tuple[int, ...] = ()


class Pairs:
    """Joins frames whose exposures lie within `tolerance_ns`.

    A frame without partner waits for one at most `tolerance_ns`. Then the other eye's last image is shown
    again (cameras of different rates), or none where that camera has been silent for `lost_ns`. A pair is
    stamped with the newer exposure, and stamps only rise: a frame from before the last pair is left out.
    """

    def __init__(self, tolerance_ns: int, lost_ns: int) -> None:
        self._tolerance_ns, self._lost_ns = tolerance_ns, lost_ns
        self._fresh: list[Frame | None] = [None, None]
        self._last: list[Frame | None] = [None, None]
        self._waiting_since_ns = 0
        self._stamp_ns = -(2**62)
        #: Frames that were left out: a newer one came first, or the exposure was before the last pair's.
        self.dropped = 0

    def add(self, eye: int, frame: Frame) -> None:
        """A frame of the left (0) or right (1) eye."""
        if frame.exposed_ns <= self._stamp_ns:
            self.dropped += 1
            return
        if self._fresh[eye] is not None:
            self.dropped += 1
        elif self._fresh[1 - eye] is None:
            self._waiting_since_ns = frame.arrived_ns
        self._fresh[eye] = frame

    def take(self, now_ns: int) -> Pair | None:
        """The next pair, if there is one by now; call until there is none."""
        left, right = self._fresh
        if left is not None and right is not None:
            if abs(left.exposed_ns - right.exposed_ns) <= self._tolerance_ns:
                return self._send((left, right), now_ns)
            earlier = 0 if left.exposed_ns < right.exposed_ns else 1
            return self._send_alone(earlier, now_ns)
        eye = 0 if left is not None else 1
        if self._fresh[eye] is None:
            return None
        if self._lost(1 - eye, now_ns) or now_ns - self._waiting_since_ns >= self._tolerance_ns:
            return self._send_alone(eye, now_ns)
        return None

    def wait_ns(self, now_ns: int) -> int | None:
        """How long until a frame that waits will go alone; None: none waits."""
        if self._fresh == [None, None]:
            return None
        return max(0, self._waiting_since_ns + self._tolerance_ns - now_ns)

    def _lost(self, eye: int, now_ns: int) -> bool:
        last = self._last[eye]
        return last is None or now_ns - last.arrived_ns > self._lost_ns

    def _send_alone(self, eye: int, now_ns: int) -> Pair:
        frames: list[Frame | None] = [None, None]
        frames[eye] = self._fresh[eye]
        return self._send((frames[0], frames[1]), now_ns)

    def _send(self, frames: tuple[Frame | None, Frame | None], now_ns: int) -> Pair:
        images: list[Image | None] = [None, None]
        held = []
        for eye, frame in enumerate(frames):
            if frame is not None:
                self._fresh[eye], self._last[eye] = None, frame
                images[eye] = frame.image
                continue
            last = self._last[eye]
            if last is not None and not self._lost(eye, now_ns):
                images[eye] = last.image
                held.append(eye)
        self._stamp_ns = max(frame.exposed_ns for frame in frames if frame is not None)
        self._waiting_since_ns = now_ns
        for eye, fresh in enumerate(self._fresh):
            if fresh is not None and fresh.exposed_ns <= self._stamp_ns:
                self._fresh[eye] = None
                self.dropped += 1
        return Pair((images[0], images[1]), self._stamp_ns, tuple(held))
