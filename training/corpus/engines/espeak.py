"""espeak-ng: many languages and voices with phoneme events, spoken by a helper process.

A new process each time: the library's flutter and pauses depend on what it said before, and clips must not.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from ctypes.util import find_library
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from ..phones import segments, shares
from ..utterance import SAMPLE_RATE_HZ, CorpusError, Phone, Utterance
from . import EngineMissing, Unspoken

_LANGUAGES = {
    "en": ("en-us", "en-gb-x-rp", "en-gb-scotland"), "ar": ("ar",), "cs": ("cs",), "da": ("da",),
    "de": ("de",), "el": ("el",), "es": ("es", "es-419"), "fi": ("fi",), "fr": ("fr", "fr-be"),
    "hi": ("hi",), "hu": ("hu",), "id": ("id",), "it": ("it",), "ja": ("ja",), "ko": ("ko",), "nl": ("nl",),
    "pl": ("pl",), "pt": ("pt-br", "pt"), "ro": ("ro",), "ru": ("ru",), "sv": ("sv",), "sw": ("sw",),
    "tr": ("tr",), "uk": ("uk",), "vi": ("vi",), "zh": ("cmn-latn-pinyin",),
}  # fmt: skip
#: Timbres that espeak-ng lays over any language; men, women and a whisper.
_TIMBRES = ("m1", "m3", "m7", "f1", "f2", "f5", "Annie", "Andy", "Denis", "Jacky", "whisper")
_NORMAL_WPM = 160
#: At one setting these are 17 to 19 sounds a second, where most are 12 to 14, as people's are.
_HURRIED = {"da": 0.77, "ru": 0.75, "uk": 0.75}


class Espeak:
    name = "espeak"
    label_offset_s = -0.025

    def __init__(self) -> None:
        if find_library("espeak-ng") is None:
            raise EngineMissing(
                self.name, "the library libespeak-ng", "install it: apt-get install espeak-ng"
            )

    def languages(self) -> Sequence[str]:
        return tuple(_LANGUAGES)

    def voices(self, language: str) -> Sequence[str]:
        return tuple(f"{accent}+{timbre}" for accent in _LANGUAGES.get(language, ()) for timbre in _TIMBRES)

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
        request = {
            "text": text,
            "voice": voice,
            "rate_wpm": min(max(round(rate * _HURRIED.get(language, 1.0) * _NORMAL_WPM), 80), 400),
        }
        head, sound = self._ask(request)
        audio = soxr.resample(sound.astype(np.float32) / 32768, head["rate_hz"], SAMPLE_RATE_HZ).astype(
            np.float32
        )
        phones = _phones(head["events"], head["rate_hz"], len(sound))
        if not phones:
            raise Unspoken(
                f"espeak-ng, voice {voice}: no phonemes came for {text!r}; is the text in its language?"
            )
        return Utterance(audio, phones).shifted(self.label_offset_s)

    def ipa(self, text: str, voice: str) -> str:
        """The text in IPA with stress marks, for engines that have no pronunciation of their own."""
        head, _ = self._ask({"text": text, "voice": voice, "ipa": True})
        said: str = head["ipa"]
        return said

    def _ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], np.ndarray]:
        command = [sys.executable, "-I", str(Path(__file__).with_name("espeak_helper.py"))]
        done = subprocess.run(command, input=json.dumps(request).encode(), capture_output=True, timeout=120)
        line, _, sound = done.stdout.partition(b"\n")
        if done.returncode or not line:
            said = done.stderr.decode(errors="replace").strip()[-200:]
            raise Unspoken(f"espeak-ng's helper process ended with {done.returncode} on {request!r}: {said}")
        head = json.loads(line)
        if "error" in head:
            raise CorpusError(f"espeak-ng: {head['error']}; install espeak-ng-data of version 1.51 or newer")
        return head, np.frombuffer(sound, "<i2")


def _phones(events: list[tuple[int, str]], rate_hz: int, samples: int) -> tuple[Phone, ...]:
    """An event marks the start of a phoneme: it lasts until the next one."""
    found: list[Phone] = []
    for (sample, label), (after, _) in zip(events, [*events[1:], (samples, "")], strict=True):
        start_s, end_s = sample / rate_hz, after / rate_hz
        if end_s <= start_s:
            continue
        bases = segments(label) or [""]
        for base, share in zip(bases, shares(bases), strict=True):
            found.append(Phone(base, start_s, start_s := start_s + share * (end_s - start_s)))
    return tuple(found)
