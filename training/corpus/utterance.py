"""What a speech engine answers: audio with the phones that were spoken and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 16_000
FRAME_RATE_HZ = 50
FRAME_SAMPLES = SAMPLE_RATE_HZ // FRAME_RATE_HZ

_UNHEARD_S = 0.06  # what a sound lasts of which nothing is heard, as a vowel without voice

FloatArray = NDArray[np.float32]


class CorpusError(Exception):
    """A mistake while making the corpus; the message says where, what was expected, what came and the
    remedy.
    """


@dataclass(frozen=True)
class Phone:
    """One IPA segment in time; `symbol` is a base of `phones.VISEME_OF` ("" is silence)."""

    symbol: str
    start_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s


@dataclass(frozen=True)
class Utterance:
    """Speech and its phones, in order and without overlap."""

    audio: FloatArray  # [T] float32, 16 kHz, -1..1
    phones: tuple[Phone, ...]

    @property
    def duration_s(self) -> float:
        return len(self.audio) / SAMPLE_RATE_HZ

    def shifted(self, offset_s: float) -> Utterance:
        """The same sound with every phone `offset_s` later, clipped to the sound."""
        end_s = self.duration_s

        def clip(time_s: float) -> float:
            return min(max(time_s + offset_s, 0.0), end_s)

        return replace(
            self, phones=tuple(replace(p, start_s=clip(p.start_s), end_s=clip(p.end_s)) for p in self.phones)
        )

    def padded(self, before_s: float, after_s: float) -> Utterance:
        """The same speech with digital silence around it; whole face frames in all."""
        before = round(before_s * SAMPLE_RATE_HZ)
        total = before + len(self.audio) + round(after_s * SAMPLE_RATE_HZ)
        audio = np.zeros(-(-total // FRAME_SAMPLES) * FRAME_SAMPLES, np.float32)
        audio[before : before + len(self.audio)] = self.audio
        shift_s = before / SAMPLE_RATE_HZ
        phones = tuple(replace(p, start_s=p.start_s + shift_s, end_s=p.end_s + shift_s) for p in self.phones)
        return Utterance(audio, phones)

    def ended_with_sound(self) -> Utterance:
        """The same with the last phone before each pause ended where the sound dies away (35 dB under its
        loudest).

        Some engines count part of the pause as the sound before it, which would hold the mouth open in
        silence; of a sound that is not heard at all, 60 ms are kept.
        """
        step = SAMPLE_RATE_HZ // 100
        loud = np.abs(self.audio[: len(self.audio) // step * step]).reshape(-1, step).max(1, initial=0.0)
        heard = np.flatnonzero(loud > loud.max(initial=0.0) * 10 ** (-35 / 20)) / 100
        phones = list(self.phones)
        for i, phone in enumerate(phones):
            last = i + 1 == len(phones) or not phones[i + 1].symbol
            if not (phone.symbol and last):
                continue
            inside = heard[(heard >= phone.start_s) & (heard < phone.end_s)]
            end_s = float(inside[-1]) + 0.02 if len(inside) else phone.start_s + _UNHEARD_S
            phones[i] = replace(phone, end_s=min(phone.end_s, end_s))
        return Utterance(self.audio, tuple(phones))


def joined(parts: Sequence[Utterance]) -> Utterance:
    """The parts one after the other."""
    phones: list[Phone] = []
    start_s = 0.0
    for part in parts:
        phones += [replace(p, start_s=p.start_s + start_s, end_s=p.end_s + start_s) for p in part.phones]
        start_s += part.duration_s
    return Utterance(np.concatenate([p.audio for p in parts]).astype(np.float32), tuple(phones))
