"""Reads one camera on a thread of its own, and opens it again when it is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

_FIRST_BACK_OFF_S, _MOST_BACK_OFF_S = 0.25, 4.0


class Stream(Protocol):
    """An open camera. One thread uses it."""

    def read(self) -> tuple[NDArray[Any], int] | None:
        """The next image and its arrival in ns of CLOCK_MONOTONIC (of the exposure, where the driver tells);
        None: it was damaged. Waits for about a second at most; OSError: the camera is lost."""

    def close(self) -> None: ...


@dataclass(frozen=True)
class Camera:
    """What a reader reads. connect opens it, OSError with the reason where it cannot. eye: 0 left, 1 right,
    None: both, side by side."""

    name: str
    connect: Callable[[], Stream]
    eye: int | None


class Inbox:
    """The newest image of each reader. What is not fetched in time is replaced: newest wins."""

    def __init__(self) -> None:
        self._ready = threading.Condition()
        self._images: dict[int | None, tuple[NDArray[Any], int, int]] = {}

    def put(self, eye: int | None, image: NDArray[Any], time_ns: int, arrived_ns: int) -> None:
        """Called by the readers."""
        with self._ready:
            self._images[eye] = (image, time_ns, arrived_ns)
            self._ready.notify()

    def take(self, timeout_s: float) -> dict[int | None, tuple[NDArray[Any], int, int]]:
        """By eye: image, its time, its arrival; empty after the timeout. Called by the node."""
        with self._ready:
            if not self._images:
                self._ready.wait(timeout_s)
            images, self._images = self._images, {}
            return images


class Reader:
    """Keeps a camera open: reads, and after an OSError tries again after 0.25 s, 0.5 s, ... 4 s.

    The counters only rise; the thread that runs the node reads them.
    """

    def __init__(self, camera: Camera, inbox: Inbox) -> None:
        self.name = camera.name
        self.images = self.damaged = self.opened = 0
        #: Why the camera is not there; None while it is.
        self.trouble: str | None = None
        self._camera, self._inbox = camera, inbox
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"reader of {camera.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Asks the thread to end; `join` waits for it."""
        self._stop.set()

    def join(self, timeout_s: float) -> None:
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        back_off_s = _FIRST_BACK_OFF_S
        while not self._stop.is_set():
            before = self.images
            try:
                self._read()
            except OSError as error:
                self.trouble = str(error) or type(error).__name__
            if self.images > before:
                back_off_s = _FIRST_BACK_OFF_S
            self._stop.wait(back_off_s)
            back_off_s = min(2 * back_off_s, _MOST_BACK_OFF_S)

    def _read(self) -> None:
        stream = self._camera.connect()
        try:
            self.opened += 1
            while not self._stop.is_set():
                got = stream.read()
                if got is None:
                    self.damaged += 1
                    continue
                self.images += 1
                self.trouble = None
                self._inbox.put(self._camera.eye, *got, time.monotonic_ns())
        finally:
            stream.close()
