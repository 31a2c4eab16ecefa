"""sink.live_link: the face to Unreal Engine, as the Live Link Face app sends it."""

from __future__ import annotations

import time

from pydantic import Field

from rtgraph import register
from rtgraph.context import Context
from rtgraph.nodes.sink.face_frames import Frame
from rtgraph.nodes.sink.face_sender import UdpConfig, UdpSender
from rtgraph.nodes.sink.live_link_frame import LiveLinkPacket, device_id

_DAY_NS = 86_400_000_000_000


def time_of_day_offset_ns(ctx: Context) -> int:
    """What to add to a timestamp to have nanoseconds since midnight, local time; 0 on a manual clock."""
    if not ctx.live:
        return 0
    now = time.localtime()
    midnight_ns = (now.tm_hour * 3600 + now.tm_min * 60 + now.tm_sec) * 1_000_000_000
    return midnight_ns + time.time_ns() % 1_000_000_000 - ctx.now_ns()


@register("sink.live_link")
class LiveLinkSender(UdpSender):
    """Sends UDP version 6 to Unreal's Live Link plug-in and to whatever else reads the app's packets.

    61 numbers: the 52 ARKit weights, then yaw, pitch, roll of head, left eye, right eye in Unreal's signs.
    What is not selected is 0. Time codes are the time of day at which the face was captured.
    """

    class Config(UdpConfig):
        port: int = Field(11111, ge=1, le=65535, description="UDP port of the receiver")
        name: str = Field(
            "rtface",
            pattern=r"^[ -~]{1,64}$",
            description="the subject's name; some readers expect one of six letters, as iPhone is",
        )
        timecode_hz: int = Field(60, ge=1, le=240, description="frames a second that time codes count")

    def prepare(self, ctx: Context) -> None:
        c = self.config
        self._packet = LiveLinkPacket(c.name, device_id(c.name), c.timecode_hz)
        self._offset_ns = time_of_day_offset_ns(ctx)

    def datagrams(self, frame: Frame, timestamp_ns: int) -> list[bytearray]:
        return [self._packet.fill(frame, (timestamp_ns + self._offset_ns) % _DAY_NS * 1e-9)]
