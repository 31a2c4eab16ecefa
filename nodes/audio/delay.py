"""audio.delay: holds sound back until the face that belongs to it is there."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from pydantic import Field

from rtgraph import ANY_TENSOR, Input, Node, NodeConfig, Output, Packet, TensorType, register
from rtgraph.context import Context
from rtgraph.node import Outputs
from rtgraph.nodes.audio.types import AudioChunk

Offset = TensorType("Offset", "float32", (1,), unit="ms", doc="[1] milliseconds")

#: The mean age of the face follows its newest one so fast.
_FOLLOW_S = 0.5
_MOST_HOP_NS = 50_000_000


@register("audio.delay")
class AudioDelay(Node):
    """Sends sound on when it is `delay_ms` old or, with `face_age_ms` connected to face.age, as old as the
    face's frames are: sound and face of one moment then leave together.

    Chunks keep their capture times. They go when the next one comes, half a chunk early or late. The mean
    age of the face changes slowly; where it grows, sound pauses for a chunk, where it shrinks two go at
    once: none is lost or repeated. Only what is not of age when the sound ends never goes: its last
    `delay_ms`. `offset_ms` tells with every chunk, once a face has come, how much older its frames are than
    this chunk: positive, the face lags behind the sound. 45 ms of lead of the sound are noticed (ITU-R
    BT.1359).
    """

    class Config(NodeConfig):
        delay_ms: float | None = Field(
            None, ge=0, le=2000, description="age at which sound goes on; none: the face's"
        )
        extra_ms: float = Field(0.0, ge=-500, le=500, description="more, for what a viewer adds to the face")
        most_ms: float = Field(500.0, gt=0, le=2000, description="sound never waits longer for the face")

    audio = Input(AudioChunk, capacity=256)
    face_age_ms = Input(ANY_TENSOR, shape=(1,), edge="latest", optional=True, doc="from face.age")
    out = Output(like="audio")
    offset_ms = Output(Offset)

    _newest_ns: int | None  # the last chunk's capture
    _face_ms: float | None  # the mean age of the face's frames

    def open(self, ctx: Context) -> None:
        self.reset()

    def process(self, audio: Any, face_age_ms: Any, ctx: Context) -> Outputs:
        if self._newest_ns is not None:
            self._hop_ns = min(ctx.timestamp_ns - self._newest_ns, _MOST_HOP_NS)
        self._newest_ns = ctx.timestamp_ns
        self._waiting.append(Packet(audio, ctx.timestamp_ns))
        if face_age_ms is not None and np.isfinite(face_age_ms[0]):
            self._follow(float(face_age_ms[0]))
        now_ns = ctx.now_ns()
        wait_ns = self._delay_ms() * 1e6 - self._hop_ns / 2
        sent = []
        while self._waiting and now_ns - self._waiting[0].timestamp_ns >= wait_ns:
            chunk = self._waiting.popleft()
            sent.append({"out": chunk, "offset_ms": self._offset(chunk.timestamp_ns, now_ns)})
        return sent or None

    def reset(self) -> None:
        self._waiting: deque[Packet] = deque()
        self._newest_ns = None
        self._hop_ns = 0
        self._face_ms = None

    def _delay_ms(self) -> float:
        c = self.config
        if c.delay_ms is not None:
            return float(c.delay_ms)
        return 0.0 if self._face_ms is None else float(min(max(self._face_ms + c.extra_ms, 0.0), c.most_ms))

    def _offset(self, captured_ns: int, now_ns: int) -> Packet | None:
        if self._face_ms is None:
            return None
        offset_ms = self._face_ms + self.config.extra_ms - (now_ns - captured_ns) * 1e-6
        return Packet(np.array([offset_ms], np.float32), captured_ns)

    def _follow(self, age_ms: float) -> None:
        share = min(self._hop_ns * 1e-9 / _FOLLOW_S, 1.0)
        self._face_ms = age_ms if self._face_ms is None else self._face_ms + share * (age_ms - self._face_ms)
