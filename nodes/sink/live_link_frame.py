"""The face as Epic's Live Link Face app has it: its order, its angles, its packet, its table."""

from __future__ import annotations

import struct
import uuid
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtgraph.models.expression import ANGLES, ARKIT, FRAME, INDEX
from rtgraph.nodes.face.columns import UNREAL_SIGNS
from rtgraph.nodes.sink.face_frames import Frame

VERSION = 6

#: The table's columns, in the app's order: JawRight before JawLeft and MouthRight before MouthLeft, which the
#: packet has the other way round. Hence tables are read and written by name.
_SWAP = {"jawLeft": "jawRight", "jawRight": "jawLeft", "mouthLeft": "mouthRight", "mouthRight": "mouthLeft"}
CSV_ORDER: tuple[str, ...] = tuple(_SWAP.get(name, name) for name in ARKIT) + ANGLES
CSV_HEADER = ",".join(["Timecode", "BlendShapeCount", *(n[0].upper() + n[1:] for n in CSV_ORDER)])
_CSV_COLUMNS = np.array([INDEX[name] for name in CSV_ORDER], np.intp)


def in_unreal(frame: Frame) -> Frame:
    """The frame with Unreal's signs."""
    out: Frame = frame * UNREAL_SIGNS + np.float32(0)  # the sum turns -0 into 0
    return out


class LiveLinkPacket:
    """One UDP packet of version 6, big-endian:

    u8 6 | i32 36, 36 bytes device id | i32 n, n bytes name |
    i32 frame, f32 subframe, i32 rate, i32 1 | u8 61 | 61 x f32.
    """

    def __init__(self, name: str, device: str, rate_hz: int) -> None:
        text = name.encode()
        identity = device.encode()
        head = struct.pack(
            f">Bi{len(identity)}si{len(text)}s", VERSION, len(identity), identity, len(text), text
        )
        self._time_at = len(head)
        self._rate_hz = rate_hz
        tail = struct.pack(">ifiiB", 0, 0.0, rate_hz, 1, len(FRAME))
        self.data = bytearray(head + tail + bytes(4 * len(FRAME)))
        self._numbers: NDArray[Any] = np.frombuffer(
            self.data, ">f4", count=len(FRAME), offset=len(head) + len(tail)
        )

    def fill(self, frame: Frame, time_of_day_s: float) -> bytearray:
        """The packet of a face [61] in our axes, at a time of day."""
        number, subframe = divmod(time_of_day_s * self._rate_hz, 1.0)
        struct.pack_into(">if", self.data, self._time_at, int(number), subframe)
        self._numbers[:] = in_unreal(frame)
        return self.data


def csv_line(frame: Frame, time_of_day_s: float, rate_hz: int) -> str:
    """A row of the app's table: HH:MM:SS:FF.sss, 61, and the numbers by CSV_ORDER, without line break."""
    numbers = in_unreal(frame)[_CSV_COLUMNS]
    return ",".join(
        [timecode(time_of_day_s, rate_hz), str(len(FRAME)), *(f"{x:.9g}" for x in numbers.tolist())]
    )


def timecode(time_of_day_s: float, rate_hz: int) -> str:
    """HH:MM:SS:FF.sss, where FF counts frames and sss thousandths of one."""
    thousandths = round(time_of_day_s * rate_hz * 1000)
    frames, sub = divmod(thousandths, 1000)
    seconds, frame = divmod(frames, rate_hz)
    hours, rest = divmod(seconds, 3600)
    return f"{hours % 24:02d}:{rest // 60:02d}:{rest % 60:02d}:{frame:02d}.{sub:03d}"


def device_id(name: str) -> str:
    """36 characters, the same for the same subject: a restarted sender is the same device to Unreal."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.rtgraph")).upper()
