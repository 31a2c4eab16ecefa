"""From a seed and a number to a recording: which language, voice, text, manner, mood and style."""

from __future__ import annotations

from collections.abc import Mapping
from zlib import crc32

import numpy as np

from . import nonspeech, style, texts, voice
from .engines import Engine
from .face import Mood
from .parameters import EMOTIONS
from .shards import Recording
from .utterance import CorpusError, Utterance, joined

_ENGLISH_SHARE = 0.35
#: How often each engine is taken where it speaks the language: natural voices first.
_ENGINE_WEIGHT = {"kokoro": 5.0, "hibari": 1.5, "flite": 1.5, "espeak": 2.5}
_NEGATIVE_SHARE, _LAUGHTER_SHARE = 0.10, 0.02
_WHISPER_SHARE, _SHOUT_SHARE = 0.05, 0.08
_HELD_OUT = 3  # of eight timbres, by chance: about one validates


class Recorder:
    """Makes recording `number` of the corpus of `seed`: the same whatever was made before, or by which
    process.
    """

    def __init__(self, engines: Mapping[str, Engine], seed: int) -> None:
        self.engines, self.seed = engines, seed
        self.languages = [
            language for language in texts.languages() if any(e.voices(language) for e in engines.values())
        ]
        if not self.languages:
            raise CorpusError(
                f"no engine of {', '.join(engines) or 'none'} speaks a language that has sentences"
            )

    def make(self, number: int) -> Recording:
        """CorpusError when the engine could not say the text."""
        rng = np.random.default_rng([self.seed, number])
        kind = rng.random()
        if kind < _NEGATIVE_SHARE:
            return self._negative(rng)
        if kind < _NEGATIVE_SHARE + _LAUGHTER_SHARE:
            return self._laughter(rng)
        return self._speech(rng)

    def _speech(self, rng: np.random.Generator) -> Recording:
        language = self._language(rng)
        engine = self._engine(language, rng)
        voices = engine.voices(language)
        chosen = int(rng.integers(len(voices)))
        about: dict[str, object] = {
            "kind": "speech",
            "language": language,
            "engine": engine.name,
            "voice": voices[chosen],
            "split": split_of(engine.name, voices[chosen]),
            "text": " ".join(texts.draw(language, rng) for _ in range(1 + (rng.random() < 0.3))),
        }
        manner = rng.random()
        effort = -1.0 if "whisper" in voices[chosen] or manner < _WHISPER_SHARE else 0.0
        if effort == 0.0 and manner < _WHISPER_SHARE + _SHOUT_SHARE:
            effort = float(rng.uniform(0.6, 1.0))
        said = self._say(engine, about, effort, rng)
        said = said.padded(float(rng.uniform(0.15, 1.0)), float(rng.uniform(0.25, 1.2)))
        return _recording(
            said, self._style(f"{engine.name}/{voices[chosen]}"), self._mood(effort, rng), about, rng
        )

    def _say(
        self, engine: Engine, about: dict[str, object], effort: float, rng: np.random.Generator
    ) -> Utterance:
        """Speech at a random rate, with pitch and formants moved apart; whispered or shouted by `effort`."""
        rate = float(np.clip(rng.lognormal(0.0, 0.18), 0.65, 1.5))
        pitch_ratio = float(np.exp(rng.uniform(-0.1, 0.1)))
        formant_ratio = float(np.exp(rng.uniform(-0.08, 0.08)))
        if effort > 0:
            pitch_ratio *= 1 + 0.2 * effort  # a shout is higher; the throat stays as long as it was
        said = engine.speak(
            str(about["text"]),
            str(about["voice"]),
            language=str(about["language"]),
            rate=rate / pitch_ratio,
            seed=int(rng.integers(2**31)),
        )
        said = voice.resampled(said, pitch_ratio)
        audio = voice.shift_formants(said.audio, formant_ratio / pitch_ratio)
        if effort > 0:
            audio = voice.shout(audio)
        elif effort < 0:
            audio = voice.whisper(audio, rng)
        return Utterance(audio, said.phones)

    def _negative(self, rng: np.random.Generator) -> Recording:
        kind = str(rng.choice(list(nonspeech.NEGATIVES)))
        audio = nonspeech.NEGATIVES[kind](int(rng.integers(100, 300)) * 320, rng)
        about: dict[str, object] = {"kind": kind, "split": "valid" if rng.random() < 0.1 else "train"}
        return _recording(Utterance(audio, ()), style.draw(rng), Mood(), about, rng)

    def _laughter(self, rng: np.random.Generator) -> Recording:
        pause = Utterance(np.zeros(int(rng.integers(4000, 16000)), np.float32), ())
        said = joined([nonspeech.laughter(rng), pause, nonspeech.laughter(rng)]).padded(0.4, 0.6)
        about: dict[str, object] = {"kind": "laughter", "split": "valid" if rng.random() < 0.1 else "train"}
        return _recording(said, style.draw(rng), Mood("happy", float(rng.uniform(0.6, 1))), about, rng)

    def _language(self, rng: np.random.Generator) -> str:
        """English most, then the languages that have natural voices, then the others."""
        natural = self.engines.get("kokoro")
        weights = np.array([2.0 if natural and natural.voices(code) else 1.0 for code in self.languages])
        if "en" in self.languages and len(self.languages) > 1:
            weights[self.languages.index("en")] = 0
            weights *= (1 - _ENGLISH_SHARE) / weights.sum()
            weights[self.languages.index("en")] = _ENGLISH_SHARE
        return str(rng.choice(self.languages, p=weights / weights.sum()))

    def _engine(self, language: str, rng: np.random.Generator) -> Engine:
        able = [e for e in self.engines.values() if e.voices(language)]
        weights = np.array([_ENGINE_WEIGHT[e.name] for e in able])
        return able[int(rng.choice(len(able), p=weights / weights.sum()))]

    def _style(self, speaker: str) -> style.Style:
        """A voice keeps its style through the whole corpus."""
        return style.draw(np.random.default_rng([self.seed, crc32(speaker.encode())]))

    def _mood(self, effort: float, rng: np.random.Generator) -> Mood:
        if rng.random() < 0.45:
            return Mood(effort=effort)
        emotion = str(
            rng.choice(["angry", "fear", "surprise", "happy"] if effort > 0 else list(EMOTIONS[1:]))
        )
        return Mood(emotion, float(rng.uniform(0.3, 1.0)), effort)


def split_of(engine: str, voice: str) -> str:
    """Whether a voice trains or validates: by its timbre, which espeak-ng writes behind a + and lays over any
    language, so that who validates in one language trains in none.
    """
    timbre = voice.rpartition("+")[2]
    return "valid" if crc32(f"{engine}/{timbre}".encode()) % 8 == _HELD_OUT else "train"


def _recording(
    said: Utterance, speaker: style.Style, mood: Mood, about: dict[str, object], rng: np.random.Generator
) -> Recording:
    return Recording(said.padded(0, 0), mood, speaker, int(rng.integers(2**31)), about)
