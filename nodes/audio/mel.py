"""audio.mel: the log-mel spectrum of speech as it is heard, one row every hop."""

from __future__ import annotations

from dataclasses import fields
from typing import Literal

from pydantic import Field, model_validator

from rtgraph import Input, NativeNode, NodeConfig, Output, register
from rtgraph.kernels.mel.config import LevelConfig, MelConfig
from rtgraph.nodes import _native
from rtgraph.nodes.audio.types import AudioChunk, Mel

_default = MelConfig()


@register("audio.mel")
class AudioMel(NativeNode):
    """Log-mel rows without look-ahead, less the talker's running level.

    Chunks may have any size: a row goes out when its hop is complete, stamped with the last sample that it
    heard. Samples that are not finite become silence and are counted as `silenced_samples`. The face networks
    expect the defaults.
    """

    class Config(NodeConfig):
        sample_rate_hz: int = Field(_default.sample_rate_hz, description="of the sound that comes in")
        window_samples: int = Field(_default.window_samples, description="samples that a row hears")
        hop_samples: int = Field(_default.hop_samples, description="samples from row to row")
        fft_size: int = Field(_default.fft_size, description="a power of two, not below the window")
        bands: int = Field(_default.bands, description="numbers in a row")
        low_hz: float = Field(_default.low_hz, description="where the lowest band begins")
        high_hz: float = Field(_default.high_hz, description="where the highest band ends")
        scale: Literal["slaney", "htk"] = Field(_default.scale, description="of pitch; see kernels/mel")
        spectrum: Literal["magnitude", "power"] = Field(_default.spectrum, description="what is summed")
        floor: float = Field(_default.floor, description="the least sum, so that the logarithm is finite")
        normalise: bool = Field(True, description="subtract the running level")

        @model_validator(mode="after")
        def _check(self) -> AudioMel.Config:
            self.mel_config()
            return self

        def mel_config(self) -> MelConfig:
            """The kernel's settings. Raises ValueError where values do not fit each other."""
            given = {f.name: getattr(self, f.name) for f in fields(MelConfig) if f.name != "level"}
            return MelConfig(**given, level=LevelConfig() if self.normalise else None)

    audio = Input(AudioChunk, sample_rate_hz="sample_rate_hz", doc="mono, -1..1")
    mel = Output(
        Mel,
        shape=lambda c: (c.bands,),
        rate_hz=lambda c: c.sample_rate_hz / c.hop_samples,
        doc="natural log",
    )

    def native(self) -> object:
        return _native.mel(self.config.mel_config())
