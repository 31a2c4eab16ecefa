"""Sentences to speak, by language: one a line in NAME.txt, plus numbers, spellings and commands made up on
the spot.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from ..utterance import CorpusError

_FOLDER = Path(__file__).parent
_VERBS = ("Move", "Put", "Bring", "Leave", "Find", "Paint", "Show me", "Pick up", "Give back", "Throw away")
_SIZES = ("big", "small", "heavy", "broken", "empty", "wooden", "fresh", "warm", "smooth", "famous")
_COLOURS = ("blue", "red", "white", "brown", "green", "purple", "yellow", "black", "orange", "grey")
_THINGS = (
    "box",
    "bowl",
    "boat",
    "map",
    "leaf",
    "violin",
    "mouse",
    "wheel",
    "chair",
    "photograph",
    "sponge",
    "cup",
)
_PLACES = ("by the window", "above the oven", "at the farm", "in room five", "below the shelf",
           "with my father","near the church", "on the roof", "at home", "beyond the wood")  # fmt: skip
_TIMES = (
    "now",
    "please",
    "again",
    "before breakfast",
    "after the show",
    "very soon",
    "if you would",
    "for me",
)


@cache
def languages() -> tuple[str, ...]:
    """Codes of the languages that have sentences, in alphabetical order."""
    return tuple(sorted(f.stem for f in _FOLDER.glob("*.txt")))


@cache
def sentences(language: str) -> tuple[str, ...]:
    """Every sentence of a language, in the file's order."""
    path = _FOLDER / f"{language}.txt"
    if not path.exists():
        raise CorpusError(f"language {language!r} has no sentences; expected one of {', '.join(languages())}")
    lines = (line.strip() for line in path.read_text("utf-8").splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def draw(language: str, rng: np.random.Generator) -> str:
    """A sentence at random; in English one in four is made up."""
    if language == "en" and rng.random() < 0.25:
        return _made_up(rng)
    return str(rng.choice(sentences(language)))


def _made_up(rng: np.random.Generator) -> str:
    kind = rng.integers(3)
    if kind == 0:
        return f"The code is {', '.join(str(n) for n in rng.integers(0, 100, 5))}."
    if kind == 1:
        letters = rng.choice(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), 6)
        return f"Spell it {', '.join(letters)}, {rng.integers(1, 1000)}."
    verb, size, colour, thing, place, time = (
        str(rng.choice(words)) for words in (_VERBS, _SIZES, _COLOURS, _THINGS, _PLACES, _TIMES)
    )
    return f"{verb} the {size} {colour} {thing} {place} {time}."
