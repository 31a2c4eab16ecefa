"""One inventory of sounds: IPA text, the engines' own alphabets, and the viseme each sound shapes the mouth
into.
"""

# ruff: noqa: RUF001 - IPA looks like other letters by design
from __future__ import annotations

import unicodedata

#: IPA bases by viseme. Grouped by what the eye can tell apart: lips first, then jaw and tongue tip.
VISEMES: dict[str, str] = {
    "bilabial": "p b m ɓ ʙ",
    "labiodental": "f v ɱ ⱱ",
    "bilabial_loose": "ɸ β",
    "labiodental_loose": "ʋ",
    "labial_glide": "w ʍ ɥ",
    "dental": "θ ð",
    "alveolar": "t d n ɾ r ɗ ɺ",
    "retroflex": "ʈ ɖ ɳ ɽ ɻ ɭ",
    "lateral": "l ɫ ɬ ɮ",
    "sibilant": "s z",
    "postalveolar": "ʃ ʒ ʂ ʐ",
    "alveolopalatal": "ɕ ʑ",
    "rhotic": "ɹ",
    "velar": "k ɡ ŋ x ɣ ɰ q ɢ ɴ χ ʁ ʀ ɠ ɧ",
    "palatal": "j c ɟ ɲ ç ʝ ʎ",
    "glottal": "h ɦ ʔ ħ ʕ",
    "i": "i",
    "ɪ": "ɪ ɨ",
    "e": "e",
    "ɛ": "ɛ",
    "æ": "æ",
    "a": "a ɑ",
    "ʌ": "ʌ ɐ",
    "ə": "ə ɘ",
    "ɜ": "ɜ ɚ ɝ ɞ",
    "ɔ": "ɔ ɒ",
    "o": "o ɵ",
    "ʊ": "ʊ ʉ",
    "u": "u",
    "y": "y ʏ",
    "ø": "ø œ ɶ",
    "ɯ": "ɯ ɤ",
    "silence": "",
}

VISEME_OF: dict[str, str] = {base: name for name, bases in VISEMES.items() for base in bases.split()} | {
    "": "silence"
}
#: What `VISEME_OF` gives, as the numbers that features and networks use.
VISEME_NAMES: tuple[str, ...] = tuple(VISEMES)
VOWELS = frozenset(b for name in list(VISEMES)[16:-1] for b in VISEMES[name].split())

#: Bases in a fixed order: the integers that shards store.
INVENTORY: tuple[str, ...] = ("", *(b for bases in VISEMES.values() for b in bases.split()))
INDEX_OF: dict[str, int] = {base: i for i, base in enumerate(INVENTORY)}

#: How loud a sound is expected to be (0..1, roughly dB over the speaker's floor), for timing against the
#: energy.
_SONORITY = {
    "bilabial": 0.35,
    "labiodental": 0.35,
    "dental": 0.35,
    "alveolar": 0.35,
    "velar": 0.35,
    "glottal": 0.4,
}

# Letters of the engines that are no IPA base of ours, written as the sounds that they stand for.
_SPELLING = {
    # Kokoro and misaki: capitals for diphthongs, ligatures for affricates
    "A": "eɪ", "I": "aɪ", "O": "oʊ", "W": "aʊ", "Y": "ɔɪ", "Q": "əʊ", "T": "ɾ", "S": "ʃ", "ᵊ": "ə", "ᵻ": "ɪ",
    "ʤ": "dʒ", "ʧ": "tʃ", "ʣ": "dz", "ʦ": "ts", "ʥ": "dʑ", "ʨ": "tɕ", "ꭧ": "ʈʂ",
    "g": "ɡ", "ɿ": "ɨ", "ʅ": "ɨ", "ȵ": "ɲ", "ɩ": "ɪ", "ɷ": "ʊ", "ǀ": "t", "ǃ": "t", "ǁ": "l",
}  # fmt: skip

_ARPABET = {
    "aa": "ɑ", "ae": "æ", "ah": "ʌ", "ao": "ɔ", "aw": "aʊ", "ax": "ə", "axr": "ɚ", "ay": "aɪ", "b": "b",
    "ch": "tʃ", "d": "d", "dh": "ð", "dx": "ɾ", "eh": "ɛ", "el": "əl", "em": "m", "en": "n", "er": "ɝ",
    "ey": "eɪ", "f": "f", "g": "ɡ", "hh": "h", "hv": "h", "ih": "ɪ", "iy": "i", "jh": "dʒ", "k": "k",
    "l": "l", "m": "m", "n": "n", "nx": "n", "ng": "ŋ", "ow": "oʊ", "oy": "ɔɪ", "p": "p", "r": "ɹ",
    "s": "s", "sh": "ʃ", "t": "t", "th": "θ", "uh": "ʊ", "uw": "u", "v": "v", "w": "w", "y": "j", "z": "z",
    "zh": "ʒ", "pau": "", "sil": "", "ssil": "", "brth": "", "h#": "",
}  # fmt: skip


def segments(text: str) -> list[str]:
    """The bases of IPA text in order; stress, length, tone, tie bars and diacritics are dropped.

    A letter outside the inventory is dropped too: engines write tones and pauses among their sounds.
    """
    found: list[str] = []
    for letter in unicodedata.normalize("NFD", text):
        if letter in VISEME_OF:
            found.append(letter)
        elif letter in _SPELLING:
            found += _SPELLING[letter]
        elif letter == "̩" and len(found) and found[-1] in "lnm":  # syllabic: the mouth passes through a schwa
            found.insert(-1, "ə")
    return found


def from_arpabet(name: str) -> list[str]:
    """The bases of one ARPABET phone (stress digits allowed); KeyError for an unknown one."""
    return list(_ARPABET[name.lower().rstrip("012")]) or [""]


def shares(bases: list[str]) -> list[float]:
    """How the time of a compound sound is split: the first part of a diphthong lasts longer, of an affricate
    shorter.
    """
    if len(bases) != 2:
        return [1 / len(bases)] * len(bases)
    return [0.6, 0.4] if bases[0] in VOWELS and bases[1] in VOWELS else [0.4, 0.6]


def sonority(base: str) -> float:
    """Expected loudness of a sound, 0 (silence) to 1 (open vowel)."""
    if base == "":
        return 0.0
    if base in VOWELS:
        return 1.0
    if base in "mnŋɲɳlɹrɾjwɥɻ":
        return 0.75
    return 0.25 if base in "pbtdkɡcɟqɢʈɖʔ" else _SONORITY.get(VISEME_OF[base], 0.45)
