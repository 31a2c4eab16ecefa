"""Recording as MCAP, the container of robotics: faces and sound with their times, for Foxglove and others."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtgraph import RtGraphError
from rtgraph.models.expression import FRAME
from rtgraph.nodes.sink.face_frames import Frame
from rtgraph.nodes.sink.recording import part_path
from rtgraph.nodes.sink.table import Part

#: A chunk is written when it has so many bytes, about a second of faces; a crash loses what is not written.
_CHUNK_BYTES = 64 * 1024

_TIME = {"type": "object", "properties": {"sec": {"type": "integer"}, "nsec": {"type": "integer"}}}
_FACE_SCHEMA = {
    "type": "object",
    "title": "rtgraph.ExpressionFrame",
    "description": "ARKit-52 weights 0..1, then angles of head and eyes in radians",
    "properties": {"timestamp": _TIME, **{name: {"type": "number"} for name in FRAME}},
}
#: Foxglove's schema for sound, so that its player takes it.
_AUDIO_SCHEMA = {
    "type": "object",
    "title": "foxglove.RawAudio",
    "properties": {
        "timestamp": _TIME,
        "data": {"type": "string", "contentEncoding": "base64"},
        "format": {"type": "string"},
        "sample_rate": {"type": "integer"},
        "number_of_channels": {"type": "integer"},
    },
}


class _PartStream:
    """The part as the stream that an MCAP writer writes to: each write is whole or not there."""

    def __init__(self, part: Part) -> None:
        self._part = part

    def write(self, data: bytes) -> int:
        self._part.append(data)
        return len(data)

    def tell(self) -> int:
        return self._part.size

    def flush(self) -> None: ...


class McapRecording:
    """/face, JSON by name, and /audio, 16-bit PCM, whose times are those of a block's start.

    A file that a crash or a full disk has cut short has no index; MCAP readers go through it from the start,
    and `mcap recover` completes it.

    After a full disk nothing more is taken: an MCAP writer cannot go back to before a chunk that did not fit.
    """

    def __init__(self, path: Path, offset_ns: int, sample_rate: int) -> None:
        """offset_ns: from timestamps to Unix time."""
        try:
            from mcap.writer import CompressionType, Writer
        except ImportError:
            raise RtGraphError(
                "an .mcap recording needs the package mcap: pip install 'rtgraph[vr]', or record to .csv"
            ) from None
        self.lost = self.start_ns = 0
        self._path, self._offset_ns, self._sample_rate = path, offset_ns, sample_rate
        self._part = Part(part_path(path))
        stream: Any = _PartStream(self._part)
        self._writer: Any = Writer(stream, chunk_size=_CHUNK_BYTES, compression=CompressionType.NONE)
        self._full: tuple[Any, ...] | None = None  # what the OSError said
        self._unwritten = 0  # faces in the chunk that is being filled
        self._seq = {"face": 0, "audio": 0}
        self._writer.start(library="rtgraph")
        self._face = self._channel("/face", "rtgraph.ExpressionFrame", _FACE_SCHEMA)
        self._audio: int | None = None

    def add_frame(self, timestamp_ns: int, frame: Frame) -> None:
        self._unwritten += 1
        self._add(self._face, "face", timestamp_ns, dict(zip(FRAME, _rounded(frame), strict=True)))

    def add_audio(self, timestamp_ns: int, samples: NDArray[np.float32]) -> bool:
        if self._audio is None:
            self._audio = self._channel("/audio", "foxglove.RawAudio", _AUDIO_SCHEMA)
        length_ns = round(len(samples) * 1e9 / self._sample_rate)
        pcm = np.rint(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
        self._add(
            self._audio, "audio", timestamp_ns - length_ns,
            {
                "data": base64.b64encode(pcm).decode(),
                "format": "pcm-s16",
                "sample_rate": self._sample_rate,
                "number_of_channels": 1,
            },
        )  # fmt: skip
        return True

    def finish(self) -> None:
        if self._full is None:
            self._writer.finish()
        self._part.close()
        os.replace(self._part.path, self._path)

    def discard(self) -> None:
        self._part.discard()

    def remains(self) -> str:
        return self._part.remains()

    def _channel(self, topic: str, name: str, schema: dict[str, Any]) -> int:
        text = json.dumps(schema).encode()
        number = self._writer.register_schema(name=name, encoding="jsonschema", data=text)
        channel: int = self._writer.register_channel(topic=topic, message_encoding="json", schema_id=number)
        return channel

    def _add(self, channel: int, kind: str, timestamp_ns: int, message: dict[str, Any]) -> None:
        time_ns = max(0, timestamp_ns + self._offset_ns)  # MCAP has no times before 0
        stamp = {"sec": time_ns // 1_000_000_000, "nsec": time_ns % 1_000_000_000}
        data = json.dumps({"timestamp": stamp, **message}, separators=(",", ":")).encode()
        size = self._part.size
        try:
            if self._full is not None:
                raise OSError(*self._full)  # a new one: each raise adds to an exception's traceback
            self._writer.add_message(
                channel, log_time=time_ns, publish_time=time_ns, data=data, sequence=self._seq[kind]
            )
        except OSError as error:
            self._full = error.args
            self.lost += self._unwritten
            self._unwritten = 0
            raise
        self._seq[kind] += 1
        if self._part.size > size:
            self._unwritten = 0


def _rounded(frame: Frame) -> list[float]:
    """As decimals that bring every float32 of a face back to within 1e-7."""
    return [round(x, 7) for x in frame.tolist()]
