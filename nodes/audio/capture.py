"""Capture devices: what a backend offers, how one of its devices is found by name, and in which format it
is opened."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from rtgraph import DeviceError, RtGraphError
from rtgraph.errors import suggest
from rtgraph.nodes.audio.types import Samples

log = logging.getLogger("rtgraph.nodes.audio")


@dataclass(frozen=True)
class Device:
    """An input device as the backend lists it."""

    index: int
    name: str
    host: str
    channels: int
    rate: float  # Hz, its own

    def __str__(self) -> str:
        return f"{self.index:3d}  {self.name}  ({self.host}, {self.channels} channel(s), {self.rate:.0f} Hz)"


class Stream(Protocol):
    """An open device. One thread uses it."""

    def start(self) -> None: ...
    def read(self, timeout_s: float) -> tuple[Samples, int] | None:
        """The oldest block, [frames, channels] float32, and the capture of its last frame in ns of
        CLOCK_MONOTONIC."""

    @property
    def overruns(self) -> int:
        """How often sound was lost so far, in the driver or because nobody read."""

    @property
    def active(self) -> bool: ...
    def close(self) -> None: ...


class Backend(Protocol):
    """A way to the devices. Methods raise RuntimeError or OSError with the driver's words."""

    def devices(self) -> Sequence[tuple[int, str, str, int, float]]: ...
    def default_device(self) -> int | None: ...
    def supports(self, device: int, channels: int, rate: float) -> bool: ...
    def open(self, device: int, channels: int, rate: float, frames: int, latency_s: float) -> Stream:
        """latency_s: what to ask of the driver; 0: its default for low latency."""

    def close(self) -> None: ...


@dataclass(frozen=True)
class Format:
    """How a device is opened: blocks of `frames` frames."""

    channels: int
    rate: int
    frames: int


def open_backend(name: Literal["auto", "native", "pyaudio"]) -> Backend:
    """native: a C++ callback without the GIL, where PortAudio's headers were found at build. pyaudio:
    anywhere."""
    if name != "pyaudio":
        try:
            from rtgraph.nodes._portaudio import PortAudio
        except ImportError as error:
            if name == "native":
                raise RtGraphError(
                    f"backend: native is not there ({error}); install portaudio19-dev (Debian) and build "
                    "rtgraph again, or use backend: pyaudio"
                ) from None
        else:
            return PortAudio()
    from rtgraph.nodes.audio.pyaudio_backend import PyAudioBackend

    return PyAudioBackend()


def find_device(backend: Backend, wanted: str | int) -> Device:
    """The device of this index or name (whole, or a part that only one has). DeviceError lists all there
    are."""
    devices = [Device(*d) for d in backend.devices()]
    if not devices:
        raise DeviceError(
            "there is no microphone: this machine has no sound input; connect one, or play a file: "
            "--swap NODE=audio.file"
        )
    if wanted == "default":
        index = backend.default_device()
        matches = [d for d in devices if d.index == index]
    elif isinstance(wanted, int) or wanted.isdecimal():
        matches = [d for d in devices if d.index == int(wanted)]
    else:
        key = wanted.casefold()
        matches = [d for d in devices if d.name.casefold() == key] or [
            d for d in devices if key in d.name.casefold()
        ]
    if len(matches) == 1 or (matches and len({d.name for d in matches}) == 1):
        return matches[0]
    problem = (
        f"{len(matches)} input devices match '{wanted}'"
        if matches
        else f"there is no input device '{wanted}'"
    )
    near = None if matches else suggest(str(wanted), [d.name for d in devices])
    hint = f"; did you mean '{near}'?" if near else ""
    raise DeviceError(
        "\n".join([f"{problem}{hint} The input devices are, by index:", *(f"  {d}" for d in devices)])
    )


def choose_format(
    backend: Backend, device: Device, rate: int, hop_ns: int, channel: Literal["mix"] | int
) -> Format:
    """The wanted rate if the device takes it, else its own; as few channels as will do."""
    needed = 1 if channel == "mix" else channel + 1
    if needed > device.channels:
        raise DeviceError(
            f"device '{device.name}' has {device.channels} channel(s); channel {channel} does not exist "
            "(the first is 0)"
        )
    own = round(device.rate)
    tries = [(c, r) for r in dict.fromkeys([rate, own]) for c in dict.fromkeys([needed, device.channels])]
    for channels, r in tries:
        if backend.supports(device.index, channels, r):
            return Format(channels, r, max(16, round(r * hop_ns * 1e-9)))
    tried = ", ".join(f"{c} channel(s) at {r} Hz" for c, r in tries)
    raise DeviceError(
        f"device '{device.name}' refuses every format that was tried ({tried}); another program may hold it"
    )


@contextlib.contextmanager
def quiet_drivers() -> Iterator[None]:
    """Keeps what C libraries write to stderr (ALSA alone writes a hundred lines while it probes) for the
    debug log."""
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # there is no stderr
        yield
        return
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            said.seek(0)
            for line in said.read().decode(errors="replace").splitlines():
                log.debug("driver: %s", line)
