"""sink.recorder: the face into a file: MCAP, CSV or a GLB animation."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from rtgraph import Input, Node, NodeConfig, OutputFile, RtGraphError, register
from rtgraph.context import Context
from rtgraph.nodes.audio import AudioChunk
from rtgraph.nodes.face.types import ExpressionFrame
from rtgraph.nodes.sink.live_link import time_of_day_offset_ns
from rtgraph.nodes.sink.recording import CsvRecording, LiveLinkCsvRecording, Recording
from rtgraph.nodes.sink.recording_glb import GlbRecording
from rtgraph.nodes.sink.recording_mcap import McapRecording
from rtgraph.nodes.sink.table import not_completed


@register("sink.recorder")
class Recorder(Node):
    """Writes every face, with its time. The suffix chooses the format.

    .mcap: /face and, where it is connected, /audio, with Unix times. .csv: `time_s` from the start of the run
    and the 61 numbers, or the table of the Live Link Face app. .glb: a head with an animation of its 52 morph
    weights and of its joints head, leftEye and rightEye.

    While the run lasts a hidden `.NAME.part` lies beside; the file appears under its own name at the end, or
    the run has failed. After a crash the part is readable: all of a table (.glb: `.NAME.frames.part`), all
    but the last second of MCAP. A full disk ends no run: what does not fit is counted as `lost_frames`,
    tables go on when there is room, and the file so far is kept. Counts `bad_frames` (NaN or infinite, left
    out) and `lost_frames`.
    """

    class Config(NodeConfig):
        path: OutputFile = Field(
            pattern=r"(?i)\.(mcap|csv|glb)$",
            description="the file; its folder is made; relative to the working directory",
        )
        table: Literal["rtgraph", "live_link"] = Field(
            "rtgraph",
            description="CSV: time_s and names, or the Live Link Face app's table",
        )
        timecode_hz: int = Field(60, ge=1, le=240, description="frames a second in live_link's time codes")
        head: str = Field("default", description="in .glb: a bundled head's name, or the path of a .rthead")
        audio_hz: int = Field(16000, ge=1000, le=384000, description="samples a second of `audio`")

    frame = Input(ExpressionFrame, capacity=4096, overflow="drop_oldest", doc="the face to record")
    audio = Input(
        AudioChunk,
        capacity=4096,
        overflow="drop_oldest",
        optional=True,
        sample_rate_hz="audio_hz",
        doc="sound to go with it, in .mcap",
    )

    blocking = True
    fires = "any"

    def open(self, ctx: Context) -> None:
        self._recording: Recording | None = None
        self._counted = 0
        self._unix_ns = time.time_ns() - ctx.now_ns() if ctx.live else 0
        self._day_ns = time_of_day_offset_ns(ctx)
        self._recording = self._new()

    def process(self, frame: Any, audio: Any, ctx: Context) -> None:
        assert self._recording is not None
        self._recording.start_ns = ctx.start_ns
        try:
            if frame is not None:
                if np.isfinite(frame).all():
                    self._recording.add_frame(ctx.timestamp_ns, frame)
                else:
                    ctx.count("bad_frames")
                    ctx.warn("frames with NaN or infinite numbers come in; they are left out")
            if audio is not None and not self._recording.add_audio(ctx.timestamp_ns, audio):
                ctx.warn(f"{self.config.path} has no place for sound; record to .mcap")
        except OSError as error:
            ctx.warn(
                f"{self.config.path} cannot be written: {error.strerror}; frames are lost, the rest is kept"
            )
        if self._recording.lost > self._counted:
            ctx.count("lost_frames", self._recording.lost - self._counted)
            self._counted = self._recording.lost

    def reset(self) -> None:
        """A new run begins a new file, which replaces the old one when it ends."""
        if self._recording is not None:
            self._recording.discard()
        self._counted = 0
        self._recording = self._new()

    def close(self) -> None:
        recording = getattr(self, "_recording", None)
        if recording is None:
            return
        try:
            recording.finish()
        except OSError as error:
            raise not_completed(self.name, self.config.path, error, recording.remains()) from None

    def _new(self) -> Recording:
        path = Path(self.config.path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            suffix = path.suffix.lower()
            if suffix == ".mcap":
                return McapRecording(path, self._unix_ns, self.config.audio_hz)
            if suffix == ".glb":
                return GlbRecording(path, self.config.head)
            if self.config.table == "live_link":
                return LiveLinkCsvRecording(path, self.config.timecode_hz, self._day_ns)
            return CsvRecording(path)
        except OSError as error:
            raise RtGraphError(f"{path} cannot be written: {error.strerror}; choose another `path`") from None
