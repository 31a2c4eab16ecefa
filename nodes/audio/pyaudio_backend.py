"""Capture through PyAudio: the portable backend of audio.microphone."""

from __future__ import annotations

import queue
import time
from typing import Any

import numpy as np

from rtgraph import RtGraphError
from rtgraph.nodes.audio.types import Samples


class PyAudioBackend:
    """See rtgraph.nodes.audio.capture.Backend."""

    def __init__(self) -> None:
        try:
            import pyaudio
        except ImportError as error:
            raise RtGraphError(
                f"audio.microphone needs PyAudio ({error}): pip install 'rtgraph[audio]'; on Debian or "
                "Ubuntu first apt-get install portaudio19-dev"
            ) from None
        self._module = pyaudio
        self._library: Any = pyaudio.PyAudio()

    def devices(self) -> list[tuple[int, str, str, int, float]]:
        found = []
        for index in range(self._library.get_device_count()):
            info = self._library.get_device_info_by_index(index)
            if info["maxInputChannels"] > 0:
                host = self._library.get_host_api_info_by_index(info["hostApi"])["name"]
                found.append((index, info["name"], host, info["maxInputChannels"], info["defaultSampleRate"]))
        return found

    def default_device(self) -> int | None:
        try:
            return int(self._library.get_default_input_device_info()["index"])
        except OSError:
            return None

    def supports(self, device: int, channels: int, rate: float) -> bool:
        try:
            return bool(
                self._library.is_format_supported(
                    rate, input_device=device, input_channels=channels, input_format=self._module.paFloat32
                )
            )
        except ValueError:
            return False

    def open(self, device: int, channels: int, rate: float, frames: int, latency_s: float) -> PyAudioStream:
        """PyAudio has no way to ask for a latency: the device's default for low latency it is."""
        return PyAudioStream(self._module, self._library, device, channels, int(rate), frames)

    def close(self) -> None:
        self._library.terminate()


class PyAudioStream:
    """See rtgraph.nodes.audio.capture.Stream. PyAudio's thread fills a bounded queue; it needs the GIL for
    that."""

    def __init__(self, module: Any, library: Any, device: int, channels: int, rate: int, frames: int) -> None:
        self.overruns = 0
        self._module, self._channels, self._block_ns = module, channels, 1e9 * frames / rate
        self._blocks: queue.SimpleQueue[tuple[bytes, int]] = queue.SimpleQueue()
        self._max_blocks = max(8, rate // frames)
        self._stream = library.open(
            rate,
            channels,
            module.paFloat32,
            input=True,
            input_device_index=device,
            frames_per_buffer=frames,
            start=False,
            stream_callback=self._on_block,
        )
        self._latency_ns = self._stream.get_input_latency() * 1e9

    def start(self) -> None:
        self._stream.start_stream()

    def read(self, timeout_s: float) -> tuple[Samples, int] | None:
        try:
            block, captured_ns = self._blocks.get(timeout=timeout_s)
        except queue.Empty:
            return None
        return np.frombuffer(block, np.float32).reshape(-1, self._channels), captured_ns

    @property
    def active(self) -> bool:
        return bool(self._stream.is_active())

    def close(self) -> None:
        self._stream.close()

    def _on_block(self, block: bytes, frames: int, times: dict[str, float], flags: int) -> tuple[None, int]:
        # The stream's clock has an unknown zero: only how long ago the first frame was captured is of use.
        age_ns = (times["current_time"] - times["input_buffer_adc_time"]) * 1e9
        if times["input_buffer_adc_time"] <= 0 or not 0 <= age_ns <= 2e9:
            age_ns = self._latency_ns + self._block_ns  # the driver gives no times
        captured_ns = time.monotonic_ns() - max(0, round(age_ns - self._block_ns))
        full = self._blocks.qsize() >= self._max_blocks
        if full or flags & self._module.paInputOverflow:
            self.overruns += 1
        if not full:
            self._blocks.put((block, captured_ns))
        return None, self._module.paContinue
