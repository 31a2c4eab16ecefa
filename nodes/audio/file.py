"""audio.file: a sound file, played in real time (or as fast as a manual clock goes)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from rtgraph import AssetError, EndOfStream, InputFile, Output, Source, register
from rtgraph.context import Context
from rtgraph.node import Outputs
from rtgraph.nodes.audio.types import AudioChunk, AudioSourceConfig, Samples, to_mono

if TYPE_CHECKING:
    import soundfile


@register("audio.file")
class AudioFile(Source):
    """Plays a WAV, FLAC, OGG or MP3 file of any rate and number of channels.

    The last chunk is filled up with silence. Counts `bad_samples`: NaN or infinite ones, which become
    silence.
    """

    class Config(AudioSourceConfig):
        path: InputFile = Field(
            "asset:clips/hello.flac",
            min_length=1,
            description="beside the graph file, in the working directory, or `asset:`",
        )
        loop: bool = Field(False, description="begin again at the end, without end")

    audio = Output(
        AudioChunk,
        shape=lambda c: (c.hop_samples,),
        rate_hz=lambda c: c.chunks_per_second,
        sample_rate_hz="sample_rate",
    )

    def open(self, ctx: Context) -> None:
        self._file = SoundFile(ctx.find_file(self.config.path), self.config, self.config.loop)

    def rate_hz(self) -> float:
        return float(self.config.chunks_per_second)

    def first_tick_ns(self) -> int:
        return int(self.config.hop_ns)

    def process(self, ctx: Context) -> Outputs:
        chunk, broken = self._file.read()
        if broken:
            ctx.count("bad_samples", broken)
            ctx.warn(f"{self.config.path} has NaN or infinite samples; they are played as silence")
        if chunk is None:
            raise EndOfStream
        return {"audio": chunk}

    def reset(self) -> None:
        self._file.rewind()

    def close(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()


_DECODED_S = 0.1  # at a time: for every chunk alone it would cost more than the face networks


class SoundFile:
    """A sound file as mono chunks at the wanted rate, decoded piece by piece: an hour takes no more memory
    than a second."""

    def __init__(self, path: Path, config: AudioSourceConfig, loop: bool) -> None:
        # Imported here: it takes a quarter of a second, which a graph without files need not pay.
        import soundfile

        self._path, self._config, self._loop = path, config, loop
        self._broken = soundfile.LibsndfileError
        try:
            self._file: soundfile.SoundFile = soundfile.SoundFile(path)
        except self._broken as error:
            raise AssetError(
                f"{path} cannot be read as sound ({error.error_string}); expected WAV, FLAC, OGG, MP3 or AIFF"
            ) from None
        channels = self._file.channels
        if config.channel != "mix" and config.channel >= channels:
            raise AssetError(
                f"{path} has {channels} channel(s); channel {config.channel} does not exist (the first is 0)"
            )
        self._block = math.ceil(self._file.samplerate * max(_DECODED_S, config.hop_ms / 1000))
        self.rewind()
        if self._file.frames == 0:
            raise AssetError(f"{path} holds no sound: it has 0 samples")

    def rewind(self) -> None:
        self._file.seek(0)
        self._waiting = np.zeros(0, np.float32)
        self._resampler = self._new_resampler()
        self._ended = False

    def read(self) -> tuple[Samples | None, int]:
        """The next [hop_samples] chunk, or None after the last; and how many broken samples were met on the
        way."""
        hop, broken = self._config.hop_samples, 0
        while self._waiting.size < hop and not self._ended:
            more, bad = self._decode()
            broken += bad
            self._waiting = np.concatenate([self._waiting, more])
        if self._waiting.size == 0:
            return None, broken
        chunk, self._waiting = self._waiting[:hop], self._waiting[hop:]
        if chunk.size < hop:
            chunk = np.pad(chunk, (0, hop - chunk.size))
        chunk.flags.writeable = False  # several nodes may hold it
        return chunk, broken

    def close(self) -> None:
        self._file.close()

    def _decode(self) -> tuple[Samples, int]:
        try:
            frames = self._file.read(self._block, dtype="float32", always_2d=True)
        except self._broken as error:
            raise AssetError(
                f"{self._path} is damaged ({error.error_string}) after {self._file.tell()} samples"
            ) from None
        last = len(frames) < self._block
        if last and self._loop:
            if self._file.tell() == 0:
                raise AssetError(f"{self._path} holds no sound: its header promises more than there is")
            self._file.seek(0)
            last = False
        self._ended = last
        mono, broken = to_mono(frames, self._config.channel)
        if self._resampler is not None:
            # The filter overshoots at hard edges.
            mono = np.clip(self._resampler.resample_chunk(mono, last=last), -1.0, 1.0)
        return mono, broken

    def _new_resampler(self) -> Any:
        if self._file.samplerate == self._config.sample_rate:
            return None
        import soxr

        return soxr.ResampleStream(
            self._file.samplerate, self._config.sample_rate, 1, dtype="float32", quality="HQ"
        )
