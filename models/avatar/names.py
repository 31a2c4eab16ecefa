"""Which of a model's morph targets stands for which ARKit shape: by name, or as the nearest thing to it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rtgraph.models.expression import ARKIT

#: What stands in for a shape that a model does not have, best first: visemes (Oculus names), VRM 1.0,
#: VRM 0. A stand-in for one side moves that half of the face alone.
STAND_INS: dict[str, tuple[tuple[str, ...], float]] = {
    "eyeBlink": (("blink", "eyesclosed", "eyeclosed"), 1.0),
    "eyeWide": (("surprised", "surprise"), 0.6),
    "jawOpen": (("visemeaa", "aa", "a", "mouthopen", "mouthaaa", "vrcvaa"), 1.0),
    "mouthFunnel": (("visemeo", "visemeoh", "oh", "o", "vrcvoh"), 1.0),
    "mouthPucker": (("visemeu", "visemeou", "ou", "u", "vrcvou"), 1.0),
    "mouthStretch": (("visemei", "visemeih", "ih", "ee", "i", "vrcvih"), 0.7),
    "mouthPress": (("visemepp", "vrcvpp"), 0.7),
    "mouthSmile": (("happy", "joy", "smile", "relaxed", "fun"), 0.9),
    "mouthFrown": (("sad", "sorrow"), 0.9),
    "browDown": (("angry", "anger"), 0.9),
    "browInnerUp": (("surprised", "surprise", "sad", "sorrow"), 0.7),
    "browOuterUp": (("surprised", "surprise"), 0.7),
    "eyeLookUp": (("lookup",), 1.0),
    "eyeLookDown": (("lookdown",), 1.0),
}


@dataclass(frozen=True)
class Match:
    """What a model has for an ARKit shape."""

    shape: str
    target: str  # its own name; "": nothing
    weight: float = 1.0
    side: str = ""  # "Left" or "Right": only that half of the target is taken
    exact: bool = True


def match_names(targets: Sequence[str]) -> list[Match]:
    """A match for each of the 52 shapes, in their order."""
    by_key: dict[str, str] = {}
    for name in targets:
        by_key.setdefault(key(name), name)
    return [_match(shape, by_key) for shape in ARKIT]


def key(name: str) -> str:
    """A name without what tools differ in: "Face.M_F00_eyeBlink_L" and "EyeBlinkLeft" -> "eyeblinkleft"."""
    text = re.split(r"[.:|/]", name)[-1]
    text = re.sub(r"[_\-\s](l|L)$", "Left", text)
    text = re.sub(r"[_\-\s](r|R)$", "Right", text)
    bare = re.sub(r"[^a-z0-9]", "", text.lower())
    for shape in ARKIT:
        if bare.endswith(shape.lower()) and len(shape) > 6:
            return shape.lower()
    return bare


def _match(shape: str, by_key: dict[str, str]) -> Match:
    if shape.lower() in by_key:
        return Match(shape, by_key[shape.lower()])
    stem, side = _split(shape)
    if side and stem.lower() in by_key:  # one target for both sides
        return Match(shape, by_key[stem.lower()], side=side, exact=False)
    candidates, weight = STAND_INS.get(stem, ((), 1.0))
    for candidate in candidates:
        for name, half in ((candidate + side.lower(), ""), (candidate, side)):
            if name in by_key:
                return Match(shape, by_key[name], weight, half, exact=False)
    return Match(shape, "", 0.0, exact=False)


def _split(shape: str) -> tuple[str, str]:
    for side in ("Left", "Right"):
        if shape.endswith(side) and shape not in ("jawLeft", "jawRight", "mouthLeft", "mouthRight"):
            return shape[: -len(side)], side
    return shape, ""
