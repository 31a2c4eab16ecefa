"""sink.visemes: how much of each of the 15 visemes the mouth shows, over OSC."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rtgraph import register
from rtgraph.context import Context
from rtgraph.nodes.sink.face_frames import Frame
from rtgraph.nodes.sink.face_sender import UdpConfig, UdpSender
from rtgraph.nodes.sink.osc_bundle import BundleTemplate, Message
from rtgraph.nodes.sink.viseme_mapping import VISEMES, viseme_weights


@register("sink.visemes")
class VisemeSender(UdpSender):
    """Sends sil PP FF TH DD kk CH SS nn RR aa E ih oh ou, weights 0..1 that add up to 1.

    They are read off the mouth's ARKit shapes; docs/senders.md has the table. Visemes that look alike without
    the tongue (DD, nn, kk) share their weight.
    """

    class Config(UdpConfig):
        port: int = Field(9100, ge=1, le=65535, description="UDP port of the receiver")
        address: str = Field(
            "/viseme",
            pattern=r"^(/[^\s#*,/?\[\]{}]+)+$",
            description="OSC address, or what stands before /aa",
        )
        form: Literal["separate", "list"] = Field(
            "separate", description="a message for each, such as /viseme/aa, or one with 15 numbers"
        )

    def prepare(self, ctx: Context) -> None:
        c = self.config
        if c.form == "list":
            messages = [Message(c.address, "f" * len(VISEMES))]
        else:
            messages = [Message(f"{c.address}/{name}", "f") for name in VISEMES]
        self._bundles = BundleTemplate(messages)

    def datagrams(self, frame: Frame, timestamp_ns: int) -> list[bytearray]:
        return self._bundles.fill(viseme_weights(frame))
