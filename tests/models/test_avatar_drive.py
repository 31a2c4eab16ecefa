"""From an expression frame to a rig's inputs: limits, agreement of eyes, precedence of lids and lips."""

from __future__ import annotations

import numpy as np
import pytest

from rtgraph.models.avatar import Corrective, rig_inputs
from rtgraph.models.expression import FRAME


def inputs(correctives: list[Corrective] | None = None, **values: float) -> dict[str, float]:
    frame = np.array([values.get(name, 0.0) for name in FRAME])
    rows = rig_inputs(frame, correctives or [])
    extra = len(correctives or [])
    names = [*FRAME[:52], *(f"corrective{i}" for i in range(extra)), *FRAME[52:]]
    return dict(zip(names, rows.tolist(), strict=True))


def test_what_is_in_range_passes() -> None:
    given = {"jawOpen": 0.4, "mouthSmileLeft": 0.9, "headYaw": -0.5, "headRoll": 0.2, "leftEyeRoll": 0.1}
    out = inputs(**given)
    assert {name: value for name, value in out.items() if value} == pytest.approx(given)


def test_what_is_out_of_range_is_taken_to_it() -> None:
    out = inputs(jawOpen=7.0, cheekPuff=-3.0, headPitch=-9.0, rightEyeRoll=4.0)
    assert (out["jawOpen"], out["cheekPuff"]) == (1.0, 0.0)
    assert out["headPitch"] == pytest.approx(-1.2)
    assert out["rightEyeRoll"] == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("shape", "angle", "sign"),
    [
        ("eyeLookOutLeft", "leftEyeYaw", 1),
        ("eyeLookInLeft", "leftEyeYaw", -1),
        ("eyeLookInRight", "rightEyeYaw", 1),
        ("eyeLookOutRight", "rightEyeYaw", -1),
        ("eyeLookDownRight", "rightEyePitch", 1),
        ("eyeLookUpLeft", "leftEyePitch", -1),
    ],
)
def test_shapes_turn_eyes_and_angles_move_lids(shape: str, angle: str, sign: int) -> None:
    assert inputs(**{shape: 0.5})[angle] == pytest.approx(sign * np.pi / 12)
    assert inputs(**{angle: sign * np.pi / 12})[shape] == pytest.approx(0.5)
    both = inputs(**{shape: 0.5, angle: sign * np.pi / 12})
    assert both[angle] == pytest.approx(sign * np.pi / 12)
    assert both[shape] == pytest.approx(0.5)


def test_a_blink_takes_over_from_gaze_wide_and_squint() -> None:
    out = inputs(eyeBlinkLeft=1, eyeLookDownLeft=1, eyeWideLeft=1, eyeSquintLeft=1, eyeWideRight=1)
    assert out["eyeBlinkLeft"] == 1
    assert [out[name] for name in ("eyeLookDownLeft", "eyeWideLeft", "eyeSquintLeft")] == [0, 0, 0]
    assert out["eyeWideRight"] == 1
    assert out["leftEyePitch"] == pytest.approx(np.pi / 6), "behind its lid the eye still looks down"


def test_lips_close_no_more_than_the_jaw_is_open() -> None:
    assert inputs(mouthClose=1.0, jawOpen=0.3)["mouthClose"] == pytest.approx(0.3)
    assert inputs(mouthClose=0.2, jawOpen=0.3)["mouthClose"] == pytest.approx(0.2)


def test_correctives_are_products() -> None:
    terms = [
        Corrective(first="jawOpen", second="mouthFunnel"),
        Corrective(first="eyeBlinkLeft", second="eyeBlinkLeft", inverted=True),
    ]
    out = inputs(terms, jawOpen=0.5, mouthFunnel=0.4, eyeBlinkLeft=0.25)
    assert out["corrective0"] == pytest.approx(0.2)
    assert out["corrective1"] == pytest.approx(0.25 * 0.75)
    assert len(out) == 63
