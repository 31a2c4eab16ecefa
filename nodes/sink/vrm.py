"""VRM's expression presets, of versions 0 and 1, from a face frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rtgraph.models.expression import INDEX
from rtgraph.nodes.sink.face_frames import Frame
from rtgraph.nodes.sink.viseme_mapping import VISEMES, viseme_weights

_MOUTH, _LIDS = {"mouth", "jaw"}, {"lids"}
_FELT = {"mouth", "brows"}

#: Presets, and the regions that move them. The order is that of `vrm_values`.
VRM0: dict[str, set[str]] = {
    "Joy": _FELT, "Angry": _FELT, "Sorrow": _FELT, "Fun": _FELT,
    "A": _MOUTH, "I": _MOUTH, "U": _MOUTH, "E": _MOUTH, "O": _MOUTH,
    "Blink": _LIDS, "Blink_L": _LIDS, "Blink_R": _LIDS,
}  # fmt: skip
VRM1: dict[str, set[str]] = {
    "happy": _FELT, "angry": _FELT, "sad": _FELT, "relaxed": _FELT, "surprised": _FELT,
    "aa": _MOUTH, "ih": _MOUTH, "ou": _MOUTH, "ee": _MOUTH, "oh": _MOUTH,
    "blink": _LIDS, "blinkLeft": _LIDS, "blinkRight": _LIDS,
}  # fmt: skip

#: VRM's vowels and the visemes that stand for them; "ee" is the E of VRM 0.
_VOWELS = [VISEMES.index(name) for name in ("aa", "ih", "ou", "E", "oh")]

#: Below so much a shape is taken for speech, not for a feeling.
_FELT_FROM = 0.35


def vrm_values(frame: Frame) -> NDArray[np.float32]:
    """[25] weights 0..1: VRM0's, then VRM1's.

    Vowels are those of the viseme mapping. Both eyes' blink is what the two have in common, and each eye's
    the rest, so that a model that adds them closes its lids exactly. Feelings are what brows and corners of
    the mouth show beyond what speech does; relaxed and Fun cannot be told from happy and stay 0.
    """
    vowels = viseme_weights(frame)[_VOWELS].tolist()
    left, right = _of(frame, "eyeBlinkLeft"), _of(frame, "eyeBlinkRight")
    both = min(left, right)
    blink = [both, left - both, right - both]
    happy = _felt(_mean(frame, "mouthSmile"))
    angry = _felt(_mean(frame, "browDown")) * (1 - happy)
    sad = _felt((_mean(frame, "mouthFrown") + _of(frame, "browInnerUp")) / 2) * (1 - happy)
    surprised = _felt((_mean(frame, "eyeWide") + _of(frame, "browInnerUp")) / 2)
    old = [happy, angry, sad, 0.0, *vowels, *blink]
    new = [happy, angry, sad, 0.0, surprised, *vowels, *blink]
    return np.array(old + new, np.float32)


def _of(frame: Frame, name: str) -> float:
    return float(frame[INDEX[name]])


def _mean(frame: Frame, stem: str) -> float:
    return (_of(frame, f"{stem}Left") + _of(frame, f"{stem}Right")) / 2


def _felt(x: float) -> float:
    return max(0.0, (x - _FELT_FROM) / (1 - _FELT_FROM))
