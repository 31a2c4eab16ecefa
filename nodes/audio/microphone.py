"""audio.microphone: sound from a capture device, with the times at which it was captured."""

from __future__ import annotations

import time
from typing import Literal

import numpy as np
from pydantic import Field

from rtgraph import DeviceError, InputFile, Output, Packet, RtGraphError, Source, register
from rtgraph.context import Context
from rtgraph.node import Outputs
from rtgraph.nodes.audio.capture import (
    Backend,
    Stream,
    choose_format,
    find_device,
    open_backend,
    quiet_drivers,
)
from rtgraph.nodes.audio.file import SoundFile
from rtgraph.nodes.audio.resample import StreamResampler
from rtgraph.nodes.audio.sample_clock import SampleClock
from rtgraph.nodes.audio.types import AudioChunk, AudioSourceConfig, Samples, to_mono

_READ_S = 0.1
#: A device that sends nothing for so long is taken for lost.
_SILENT_S = 2.0
_RETRY_S = 1.0
#: A microphone that is on hears at least its own noise: sound below this for so long means that it is muted.
_MUTED = 1e-4  # -80 dB of full scale
_MUTED_S = 5.0


@register("audio.microphone")
class Microphone(Source):
    """Records from a device, resampled where it does not run at `sample_rate`.

    With a `fallback` a machine without a microphone plays that file in real time, and says so; on a manual
    clock, which no device can follow, it is played at once.

    Counts `xruns` (sound was lost), `clipped_samples` (at or beyond full scale after the gain),
    `bad_samples` (NaN or infinite, sent as silence), `muted` (times that nothing but digital silence came for
    five seconds, which is said) and `reopened`. May drive a graph with `clock: audio`.
    """

    class Config(AudioSourceConfig):
        device: int | str = Field(
            "default", description="index, name or a part of the name; a wrong one lists what there is"
        )
        gain_db: float = Field(0.0, ge=-60, le=60, description="amplification")
        latency_ms: float = Field(
            0.0,
            ge=0,
            le=1000,
            description="what to ask of the driver; 0: its own low latency; native backend only",
        )
        backend: Literal["auto", "native", "pyaudio"] = Field(
            "auto", description="native: C++ callback; pyaudio: portable; auto: the first there is"
        )
        on_loss: Literal["reopen", "error"] = Field(
            "reopen", description="when the device vanishes: look for it again every second, or end the run"
        )
        fallback: InputFile | None = Field(
            None, description="a sound file to play over and over where no such device can be opened"
        )

    audio = Output(
        AudioChunk,
        shape=lambda c: (c.hop_samples,),
        rate_hz=lambda c: c.chunks_per_second,
        sample_rate_hz="sample_rate",
    )

    endless = True
    provides_clock = True

    # Of the open stream: xruns reported, frames taken from it, and what is left of the last hop.
    _overruns: int
    _position: int
    _waiting: Samples  # [< hop_samples] at sample_rate
    _sent: int  # samples, of the output
    _silent: int  # frames without any sound up to now

    def open(self, ctx: Context) -> None:
        self._backend: Backend | None = None
        self._stream: Stream | None = None
        self._stand_in: SoundFile | None = None
        self._clock: SampleClock | None = None
        self._gain = np.float32(10 ** (self.config.gain_db / 20))
        self._started = False
        self._last_stamp = 0
        try:
            self._open_source(ctx)
        except BaseException:
            self.close()
            raise

    def rate_hz(self) -> float | None:
        return None if self._stand_in is None else self.config.chunks_per_second

    def first_tick_ns(self) -> int:
        return int(self.config.hop_ns)  # of the stand-in: a chunk is there when it has been heard

    def process(self, ctx: Context) -> Outputs:
        if self._stand_in is not None:
            return {"audio": self._stand_in.read()[0]}
        if self._stream is None:
            return self._look_again(ctx)
        if not self._started:
            # Not in `open`: what was said while other nodes loaded would arrive late and all at once.
            self._start(self._stream)
        with ctx.waiting():
            block = self._stream.read(_READ_S)
        lost = self._stream.overruns - self._overruns
        if lost:
            self._overruns += lost
            ctx.count("xruns", lost)
            ctx.warn("sound was lost (xrun): the machine is too busy, or latency_ms too low")
        now = time.monotonic()
        if block is not None:
            self._heard_at = now
            return self._take(*block, ctx)
        if now - self._heard_at > _SILENT_S or not self._stream.active:
            self._lose_device(ctx)
        return None

    def reset(self) -> None:
        """The device is opened anew at the next packet, so that no sound of before is left in it."""
        if self._stand_in is not None:
            self._stand_in.rewind()
            return
        self._clock = None
        self._retry_at = 0.0
        self._close_device()

    def close(self) -> None:
        if hasattr(self, "_stream"):
            self._close_device()
            if self._stand_in is not None:
                self._stand_in.close()

    def _open_source(self, ctx: Context) -> None:
        """The device; or the fallback, where there is none or the clock is not one that it could keep."""
        fallback = self.config.fallback
        if ctx.live or fallback is None:
            try:
                self._open_device(ctx)
                return
            except RtGraphError as error:
                if fallback is None:
                    raise
                self._close_device()
                ctx.warn(f"{str(error).splitlines()[0]}. Instead of a microphone, {fallback} is playing")
        self._stand_in = SoundFile(ctx.find_file(fallback), self.config, loop=True)

    def _take(self, frames: Samples, captured_ns: int, ctx: Context) -> Outputs:
        """frames: [T, channels], the last captured at `captured_ns` of the system's monotonic clock."""
        assert self._clock is not None
        c = self.config
        mono, broken = to_mono(frames * self._gain, c.channel)
        if broken:
            ctx.count("bad_samples", broken)
            ctx.warn("the device sends NaN or infinite samples; they are passed on as silence")
        if clipped := int(np.count_nonzero(np.abs(mono) >= 1.0)):
            ctx.count("clipped_samples", clipped)
            ctx.warn("the sound clips: lower the device's level or gain_db")
        self._listen_for_mute(mono, ctx)
        self._position += len(frames)
        self._clock.observe(self._position, captured_ns)
        if self._clock.settled:
            now = time.monotonic_ns()
            ctx.observe_clock(self._clock.device_ns(now), now)
        if self._resampler is not None:
            mono = np.clip(self._resampler.process(mono), -1.0, 1.0)
        self._waiting = np.concatenate([self._waiting, mono])
        hop = c.hop_samples
        # Packets are stamped on the graph's clock, which is not the system's where the device drives it.
        to_graph_ns = 0 if ctx.clock == "system" else ctx.now_ns() - time.monotonic_ns()
        packets = []
        for end in range(hop, self._waiting.size + 1, hop):
            self._sent += hop
            # The smoothed time may lie a little in the future or, after a gap, in the past of what was sent.
            captured_ns = min(
                self._clock.time_ns(self._sent * self._rate / c.sample_rate), time.monotonic_ns()
            )
            self._last_stamp = max(captured_ns + to_graph_ns, self._last_stamp + 1)
            packets.append({"audio": Packet(self._waiting[end - hop : end], self._last_stamp)})
        self._waiting = self._waiting[self._waiting.size // hop * hop :]
        return packets

    def _listen_for_mute(self, mono: Samples, ctx: Context) -> None:
        limit = _MUTED_S * self._rate
        was_muted = self._silent >= limit
        self._silent = 0 if np.abs(mono).max(initial=0.0) > _MUTED else self._silent + len(mono)
        if self._silent >= limit and not was_muted:
            ctx.count("muted")
            ctx.warn(
                "nothing but silence comes from the device: is it muted, or another one meant? "
                "`rtgraph doctor` lists them; choose with `device`"
            )

    def _open_device(self, ctx: Context) -> None:
        c = self.config
        with quiet_drivers():
            try:
                self._backend = open_backend(c.backend)
                device = find_device(self._backend, c.device)
                chosen = choose_format(self._backend, device, c.sample_rate, c.hop_ns, c.channel)
                self._stream = self._backend.open(
                    device.index, chosen.channels, chosen.rate, chosen.frames, c.latency_ms / 1000
                )
            except (RuntimeError, OSError) as error:
                raise DeviceError(f"microphone '{c.device}': {error}") from None
        ctx.log.info(
            "%s: records from %s with %d channel(s) at %d Hz",
            self.name,
            device.name,
            chosen.channels,
            chosen.rate,
        )
        self._rate = chosen.rate
        self._resampler = (
            None if chosen.rate == c.sample_rate else StreamResampler(chosen.rate, c.sample_rate)
        )
        self._waiting = np.zeros(0, np.float32)
        self._position = self._sent = self._overruns = self._silent = 0
        if self._clock is None:
            self._clock = SampleClock(chosen.rate)
        else:
            self._clock.restart(chosen.rate)

    def _start(self, stream: Stream) -> None:
        try:
            stream.start()
        except (RuntimeError, OSError) as error:
            raise DeviceError(f"microphone '{self.config.device}': {error}") from None
        self._started = True
        self._heard_at = time.monotonic()

    def _close_device(self) -> None:
        stream, self._stream = self._stream, None
        backend, self._backend = self._backend, None
        self._started = False
        with quiet_drivers():
            if stream is not None:
                stream.close()
            if backend is not None:
                backend.close()

    def _lose_device(self, ctx: Context) -> None:
        # Closed at once: PortAudio finds new devices only when it starts afresh.
        self._close_device()
        self._retry_at = time.monotonic() + _RETRY_S
        if self.config.on_loss == "error":
            raise DeviceError(
                f"microphone '{self.config.device}' has vanished or sends nothing any more; connect it again"
            )
        ctx.warn("the microphone has vanished or sends nothing any more; looking for it once a second")

    def _look_again(self, ctx: Context) -> Outputs:
        if time.monotonic() < self._retry_at:
            time.sleep(min(_READ_S, max(0.0, self._retry_at - time.monotonic())))
            return None
        again = self._clock is not None
        try:
            self._open_device(ctx)
            assert self._stream is not None
            self._start(self._stream)
        except DeviceError:
            self._close_device()
            if not again:
                raise
            self._retry_at = time.monotonic() + _RETRY_S
            return None
        if again:
            ctx.count("reopened")
            ctx.warn("the microphone is back")
        return None
