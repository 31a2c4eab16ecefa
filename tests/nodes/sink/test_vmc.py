"""sink.vmc: order, names, axes, and what a python-osc server in another process receives."""

from __future__ import annotations

import numpy as np
import pytest
from faces import face, osc_receiver, random_face
from pythonosc.osc_bundle import OscBundle

from rtgraph.models.expression import ARKIT
from rtgraph.nodes.sink.bones import quaternion, quaternions
from rtgraph.nodes.sink.vmc import VmcSender
from rtgraph.testing import run_node

PRESETS = [
    *("Joy", "Angry", "Sorrow", "Fun", "A", "I", "U", "E", "O", "Blink", "Blink_L", "Blink_R"),
    *("happy", "angry", "sad", "relaxed", "surprised", "aa", "ih", "ou", "ee", "oh"),
    *("blink", "blinkLeft", "blinkRight"),
]


def sent(frame, **config):
    sender = VmcSender(VmcSender.Config(**config))
    sender.prepare(None)
    datagrams = sender.datagrams(frame, 5_000_000_000)
    assert all(len(d) < 1500 for d in datagrams)
    return [(m.address, *m.params) for d in datagrams for m in OscBundle(bytes(d))]


def blends(messages):
    return {name: value for address, name, value in (m for m in messages if m[0] == "/VMC/Ext/Blend/Val")}


def bones(messages):
    return {m[1]: m[2:] for m in messages if m[0] == "/VMC/Ext/Bone/Pos"}


def turned(q, v):
    """A vector turned by a quaternion x, y, z, w."""
    q, v = np.array(q), np.array(v)
    return v + 2 * np.cross(q[:3], np.cross(q[:3], v) + q[3] * v)


def test_another_process_receives_it_in_order():
    frame = random_face(3)
    with osc_receiver() as receiver:
        run_node(VmcSender, {"frame": [frame, frame]}, config={"port": receiver.port, "names": "PascalCase"})
        messages = receiver.messages(lambda m: m[0] == "/VMC/Ext/Blend/Apply")
    assert [m[0].removeprefix("/VMC/Ext/") for m in messages[:7]] == [
        *("OK", "T", "Root/Pos", "Bone/Pos", "Bone/Pos", "Bone/Pos", "Set/Eye")
    ]
    assert messages[0] == ["/VMC/Ext/OK", 1]
    assert messages[2] == ["/VMC/Ext/Root/Pos", "root", 0, 0, 0, 0, 0, 0, 1]
    values = {m[1]: m[2] for m in messages if m[0] == "/VMC/Ext/Blend/Val"}
    assert values == {name[0].upper() + name[1:]: pytest.approx(frame[i]) for i, name in enumerate(ARKIT)}


def test_presets_of_both_versions():
    assert list(blends(sent(face()))) == PRESETS
    assert list(blends(sent(face(), names="camelCase"))) == list(ARKIT)


@pytest.mark.parametrize(("left", "right"), [(1, 1), (1, 0), (0.3, 0.8)])
def test_blinks_add_up(left, right):
    values = blends(sent(face(eyeBlinkLeft=left, eyeBlinkRight=right)))
    assert values["Blink"] + values["Blink_L"] == pytest.approx(left)
    assert values["blink"] + values["blinkRight"] == pytest.approx(right)


def test_a_vowel_and_a_smile():
    values = blends(sent(face(jawOpen=0.6, mouthLowerDownLeft=0.35, mouthLowerDownRight=0.35)))
    assert values["A"] == values["aa"] > 0.7
    assert max(values[name] for name in ("I", "U", "O", "Joy", "Angry", "Sorrow")) < 0.15
    assert blends(sent(face(mouthSmileLeft=1, mouthSmileRight=1)))["Joy"] == pytest.approx(1)


def test_axes_of_unity():
    """Head to the left and down, in Unity: the face, along +Z, turns to -X (the person's left) and to -Y."""
    messages = sent(face(headYaw=0.5, headPitch=0.25))
    q = bones(messages)["Head"][3:]
    np.testing.assert_allclose(
        turned(q, [0, 0, 1]),
        [-np.sin(0.5) * np.cos(0.25), -np.sin(0.25), np.cos(0.5) * np.cos(0.25)],
        atol=1e-6,
    )
    # Roll that raises the person's left side: what pointed left, -X in Unity, points up a little.
    q = bones(sent(face(headRoll=0.5)))["Head"][3:]
    assert turned(q, [-1, 0, 0])[1] == pytest.approx(np.sin(0.5), abs=1e-6)


def test_the_point_looked_at_lies_where_the_eye_bones_look():
    messages = sent(face(leftEyeYaw=0.3, rightEyeYaw=0.3, leftEyePitch=-0.2, rightEyePitch=-0.2))
    (point,) = [np.array(m[2:]) for m in messages if m[0] == "/VMC/Ext/Set/Eye"]
    q = bones(messages)["LeftEye"][3:]
    np.testing.assert_allclose(point - [0, 0.06, 0.07], turned(q, [0, 0, 1]), atol=1e-6)
    assert point[0] < 0  # to the person's left
    assert point[1] > 0.06  # up


def test_quaternions_turn_in_the_order_roll_pitch_yaw():
    yaw, pitch, roll = 0.4, -0.3, 0.2
    v = np.array([0.1, 0.2, 0.9])
    step = turned(quaternion(0, 0, roll), v)
    step = turned(quaternion(0, pitch, 0), step)
    np.testing.assert_allclose(turned(quaternion(yaw, pitch, roll), v), turned(quaternion(yaw, 0, 0), step))
    around = quaternions(np.stack([np.linspace(0, 7, 50), np.zeros(50), np.zeros(50)], axis=1))
    assert (np.sum(around[1:] * around[:-1], axis=1) > 0).all()


def test_regions_and_bones_choose():
    messages = sent(face(), regions=["mouth"], bones=["Head"])
    assert not bones(messages)
    assert not any(m[0] == "/VMC/Ext/Set/Eye" for m in messages)
    assert set(bones(sent(face(), regions=["gaze"]))) == {"LeftEye", "RightEye"}
    assert set(bones(sent(face(), bones=["Head"]))) == {"Head"}
    assert not blends(sent(face(), regions=["head"]))
