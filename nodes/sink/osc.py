"""sink.osc: the face as OSC messages of one's own, by a mapping file."""

from __future__ import annotations

from pydantic import Field

from rtgraph import AssetError, InputFile, register
from rtgraph.context import Context
from rtgraph.models.expression import FRAME
from rtgraph.nodes.sink.face_frames import Frame, selected
from rtgraph.nodes.sink.face_sender import UdpConfig, UdpSender
from rtgraph.nodes.sink.osc_mapping import MappedMessages, OscMapping, read_mapping


@register("sink.osc")
class OscSender(UdpSender):
    """Sends any OSC: without `mapping` each number as /face/<name>, weights 0..1 and angles in radians.

    A mapping file (docs/senders.md) names the messages, and for each argument the numbers it is made of,
    scale, offset and limits. All messages of a face go in bundles below 1472 bytes.
    """

    class Config(UdpConfig):
        port: int = Field(9001, ge=1, le=65535, description="UDP port of the receiver")
        mapping: InputFile | None = Field(
            None, description="YAML file: messages, their arguments, and the numbers of the face in them"
        )

    def prepare(self, ctx: Context) -> None:
        c = self.config
        mapping = _every_number() if c.mapping is None else read_mapping(ctx.find_file(c.mapping))
        try:
            self._messages = MappedMessages(mapping, selected(c.regions, c.leave_out))
        except ValueError as error:
            raise AssetError(f"{c.mapping}: {error}; make it shorter") from None

    def datagrams(self, frame: Frame, timestamp_ns: int) -> list[bytearray]:
        return self._messages(frame)


def _every_number() -> OscMapping:
    messages = [{"address": f"/face/{name}", "args": [name]} for name in FRAME]
    return OscMapping.model_validate({"version": 1, "messages": messages})
