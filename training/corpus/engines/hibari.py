"""hibari-tts: one natural American voice, a hundred times faster than it speaks (Apache-2.0 package)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from ..utterance import SAMPLE_RATE_HZ, Utterance, joined
from . import EngineMissing
from .kokoro_alphabet import RATE_HZ, open_with_output, phones_of

_DURATIONS = "/Clip_output_0"


class Hibari:
    name = "hibari"
    label_offset_s = -0.070

    def __init__(self) -> None:
        try:
            import hibari
            from hibari import dsp
        except ImportError as error:
            raise EngineMissing(
                self.name, f"the package {error.name}", "install it: pip install hibari-tts"
            ) from error
        self._text: Any = hibari.Hibari()
        self._synthesize: Any = dsp.synth
        self._session = open_with_output(self.name, Path(self._text.model_path), _DURATIONS)

    def languages(self) -> Sequence[str]:
        return ("en",)

    def voices(self, language: str) -> Sequence[str]:
        return ("heart",) if language == "en" else ()

    def speak(
        self,
        text: str,
        voice: str,
        *,
        language: str = "en",
        rate: float = 1.0,
        pitch: float = 0.0,
        seed: int = 0,
    ) -> Utterance:
        rng = np.random.default_rng(seed)
        parts = []
        for letters in self._text.phonemize(text):
            letters = [letter for letter in letters if letter in self._text.vocab]
            ids = np.array([self._text.ids(letters)], np.int64)
            *spectra, frames = self._session.run(None, {"ids": ids, "speed": np.array([rate], np.float32)})
            sound = self._synthesize(*(s[0] for s in spectra), rng)
            audio = soxr.resample(sound, RATE_HZ, SAMPLE_RATE_HZ).astype(np.float32)
            said = Utterance(audio, tuple(phones_of(letters, frames.ravel()))).shifted(self.label_offset_s)
            parts.append(said.ended_with_sound())
        return joined(parts)
