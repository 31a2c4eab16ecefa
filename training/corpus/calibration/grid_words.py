"""The 51 words of the GRID corpus in sounds: from the times of words to the times of phones."""

from __future__ import annotations

from collections.abc import Sequence

from rtgraph.training.real.clip import Word

from .. import phones
from ..utterance import Phone

#: British English, ARPABET. A letter of the alphabet is named; the article "a" does not occur.
_SOUNDS = {
    "bin": "b ih n", "lay": "l ey", "place": "p l ey s", "set": "s eh t",
    "blue": "b l uw", "green": "g r iy n", "red": "r eh d", "white": "w ay t",
    "at": "ae t", "by": "b ay", "in": "ih n", "with": "w ih dh",
    "zero": "z ia r ow", "one": "w ah n", "two": "t uw", "three": "th r iy", "four": "f ao", "five": "f ay v",
    "six": "s ih k s", "seven": "s eh v ax n", "eight": "ey t", "nine": "n ay n",
    "again": "ax g eh n", "now": "n aw", "please": "p l iy z", "soon": "s uw n",
    "a": "ey", "b": "b iy", "c": "s iy", "d": "d iy", "e": "iy", "f": "eh f", "g": "jh iy", "h": "ey ch",
    "i": "ay", "j": "jh ey", "k": "k ey", "l": "eh l", "m": "eh m", "n": "eh n", "o": "ow", "p": "p iy",
    "q": "k y uw", "r": "aa", "s": "eh s", "t": "t iy", "u": "y uw", "v": "v iy", "x": "eh k s", "y": "w ay",
    "z": "z eh d",
}  # fmt: skip
#: How long a sound is beside others of its word.
_VOWEL, _CONSONANT = 1.6, 1.0


def phones_of(words: Sequence[Word]) -> tuple[Phone, ...]:
    """The sounds of timed words, in order; a word that is none of the corpus' (sil, sp) is silence."""
    return tuple(phone for word in words for phone in _sounds(word))


def _sounds(word: Word) -> list[Phone]:
    bases = [b for name in _SOUNDS.get(word.text, "").split() for b in _bases(name)]
    if not bases:
        return []
    weights = [_VOWEL if b in phones.VOWELS else _CONSONANT for b in bases]
    each_s = (word.end_s - word.start_s) / sum(weights)
    said, at_s = [], word.start_s
    for base, weight in zip(bases, weights, strict=True):
        said.append(Phone(base, at_s, at_s + weight * each_s))
        at_s += weight * each_s
    return said


def _bases(name: str) -> list[str]:
    if name == "ia":  # as in zero, which ARPABET has no letter for
        return phones.segments("\N{LATIN LETTER SMALL CAPITAL I}\N{LATIN SMALL LETTER SCHWA}")
    return phones.from_arpabet(name)
