"""Speech engines: each turns text into sound with phone times; third-party programs are touched only when
used.

engine = load("flite")
utterance = engine.speak("Bob bought a blue boat.", engine.voices("en")[0], rate=1.1)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..utterance import CorpusError, Utterance


class Engine(Protocol):
    """Text to speech with exact phone times; `speak` answers the same to the same arguments, whatever it
    said before.
    """

    name: str
    #: Seconds added to the engine's own labels so that they agree with the sound (measured: see
    #: label_offset.py).
    label_offset_s: float

    def languages(self) -> Sequence[str]:
        """Language codes as the text files are named (en, de, ja, ...)."""
        ...

    def voices(self, language: str) -> Sequence[str]:
        """Names of the voices for a language, in a fixed order; empty when the engine does not speak it."""
        ...

    def speak(
        self,
        text: str,
        voice: str,
        *,
        language: str = "en",
        rate: float = 1.0,
        seed: int = 0,
    ) -> Utterance:
        """Say `text`; `rate` 1 is the voice's own pace, 2 twice as fast; `seed` is for engines with noise."""
        ...


NAMES = ("espeak", "flite", "hibari", "kokoro")
#: Engines that need no neural network: fast enough for tests and previews.
QUICK = ("espeak", "flite")


class EngineMissing(CorpusError):  # noqa: N818 - a state, as FileNotFound would be
    """An engine's program or package is not on this machine."""

    def __init__(self, engine: str, what: str, remedy: str) -> None:
        super().__init__(f"engine {engine}: {what} was not found; {remedy}")


class Unspoken(CorpusError):  # noqa: N818
    """An engine made nothing of one text: that clip is left out."""


def load(name: str) -> Engine:
    """Open an engine; EngineMissing names the package to install."""
    if name == "espeak":
        from .espeak import Espeak

        return Espeak()
    if name == "flite":
        from .flite import Flite

        return Flite()
    if name == "hibari":
        from .hibari import Hibari

        return Hibari()
    if name == "kokoro":
        from .kokoro import Kokoro

        return Kokoro()
    raise CorpusError(f"engine {name!r} is not known; expected one of {', '.join(NAMES)}")


__all__ = ["NAMES", "QUICK", "Engine", "EngineMissing", "Unspoken", "load"]
