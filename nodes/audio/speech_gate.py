"""audio.speech_gate: whether somebody speaks, as a number 0..1 every 10 ms."""

from __future__ import annotations

from pydantic import Field

from rtgraph import Input, NativeNode, NodeConfig, Output, TensorType, register
from rtgraph.nodes import _native
from rtgraph.nodes.audio.types import AudioChunk

_HOP_MS = 10.0

#: 1: speech; 0: silence, breath or noise; in between while the gate opens or closes.
Speech = TensorType("Speech", "float32", (1,), doc="[1] 0..1")


@register("audio.speech_gate")
class SpeechGate(NativeNode):
    """Opens at speech, voiced or whispered, and stays closed in silence, noise and breathing; no look-ahead.

    Two things tell speech from noise of the same loudness. It is voiced: below 1 kHz the last 40 ms repeat at
    a period of 70 to 400 Hz (autocorrelation over 0.65 for two hops, bands over the noise by 1 nat). And the
    shape of its spectrum keeps changing (24 bands, by 0.35 nat in 60 ms, smoothed over 125 ms, over the noise
    by 0.8 nat), which whispering does, while breath, fans and hiss only swell and fade. Once open, less is
    asked for: 0.45 and 0.6 nat, 0.2 and 0.5 nat. The noise floor of a band is its least smoothed level of the
    last 1.2 s (minimum statistics, Martin 2001). Music and the voices of others are taken for speech.
    """

    class Config(NodeConfig):
        attack_ms: float = Field(20.0, ge=_HOP_MS, description="from closed to open")
        hold_ms: float = Field(120.0, ge=0, description="open for so long after speech was last heard")
        release_ms: float = Field(120.0, ge=_HOP_MS, description="from open to closed")

    audio = Input(AudioChunk, sample_rate_hz=16000, doc="mono, -1..1, in chunks of any size")
    speech = Output(Speech, rate_hz=1000 / _HOP_MS)

    def native(self) -> object:
        c = self.config
        return _native.speech_gate(c.attack_ms / _HOP_MS, c.hold_ms / _HOP_MS, c.release_ms / _HOP_MS)
