"""sink.vrchat: signs, names, booleans, and what a python-osc server in another process receives."""

from __future__ import annotations

import numpy as np
import pytest
from faces import face, osc_receiver, random_face
from pythonosc.osc_bundle import OscBundle

from rtgraph import GraphError
from rtgraph.models.expression import ARKIT
from rtgraph.nodes.sink.unified_expressions import PARAMETERS, UnifiedExpressions, needs
from rtgraph.nodes.sink.vrchat import VRChatSender
from rtgraph.testing import run_node

V2 = "/avatar/parameters/v2/"


def sent(frame, **config):
    """Address -> arguments of one face."""
    sender = VRChatSender(VRChatSender.Config(**config))
    sender.prepare(None)
    datagrams = sender.datagrams(frame, 0)
    assert all(len(d) < 1500 for d in datagrams)
    messages = [m for d in datagrams for m in OscBundle(bytes(d))]
    assert len({m.address for m in messages}) == len(messages)
    return {m.address: m.params for m in messages}


def test_another_process_receives_it():
    frame = random_face(1)
    with osc_receiver() as receiver:
        run_node(VRChatSender, {"frame": [frame]}, config={"port": receiver.port})
        messages = receiver.messages(lambda m: m[0] == V2 + list(PARAMETERS)[-1])
    received = {address: args for address, *args in messages}
    assert received == sent(frame)
    assert received["/tracking/eye/EyesClosedAmount"] == [pytest.approx((frame[0] + frame[7]) / 2)]
    assert received[f"{V2}JawOpen"] == [pytest.approx(frame[ARKIT.index("jawOpen")])]


def test_looking_up_and_to_the_left():
    """VRChat: degrees, positive down and to the right; avatars: positive up and to the right."""
    messages = sent(face(leftEyeYaw=0.2, rightEyeYaw=0.1, leftEyePitch=-0.3, rightEyePitch=-0.3))
    left_pitch, left_yaw, right_pitch, right_yaw = messages["/tracking/eye/LeftRightPitchYaw"]
    assert (left_pitch, right_pitch) == (pytest.approx(np.degrees(-0.3)), pytest.approx(np.degrees(-0.3)))
    assert (left_yaw, right_yaw) == (pytest.approx(np.degrees(-0.2)), pytest.approx(np.degrees(-0.1)))
    assert messages[f"{V2}EyeLeftX"][0] < messages[f"{V2}EyeRightX"][0] < 0
    assert messages[f"{V2}EyeLeftY"] == [pytest.approx(np.sin(0.3))]


@pytest.mark.parametrize(
    ("form", "numbers"),
    [
        ("CenterPitchYaw", [np.degrees(0.1), np.degrees(-0.2)]),
        ("CenterVec", [-np.sin(0.2) * np.cos(0.1), -np.sin(0.1), np.cos(0.2) * np.cos(0.1)]),
        ("LeftRightVec", 2 * [-np.sin(0.2) * np.cos(0.1), -np.sin(0.1), np.cos(0.2) * np.cos(0.1)]),
    ],
)
def test_exactly_one_form_of_gaze(form, numbers):
    messages = sent(
        face(leftEyeYaw=0.2, rightEyeYaw=0.2, leftEyePitch=0.1, rightEyePitch=0.1), eyes=form, parameters=[]
    )
    assert set(messages) == {"/tracking/eye/EyesClosedAmount", f"/tracking/eye/{form}"}
    assert messages[f"/tracking/eye/{form}"] == pytest.approx(numbers)


@pytest.mark.parametrize(
    ("numbers", "lid"),
    [({}, 0.75), ({"eyeBlinkLeft": 1}, 0), ({"eyeWideLeft": 1}, 1), ({"eyeBlinkLeft": 0.5}, 0.375)],
)
def test_lids_rest_at_three_quarters(numbers, lid):
    messages = sent(face(**numbers))
    assert messages[f"{V2}EyeLidLeft"] == [pytest.approx(lid)]
    assert messages[f"{V2}EyeLidRight"] == [0.75]
    assert messages["/tracking/eye/EyesClosedAmount"] == [numbers.get("eyeBlinkLeft", 0) / 2]


def test_opposites_share_a_parameter():
    messages = sent(face(jawLeft=0.5, mouthRight=0.25, mouthSmileLeft=0.5, mouthFrownRight=0.25))
    assert messages[f"{V2}JawX"] == [-0.5]
    assert messages[f"{V2}MouthX"] == [0.25]
    assert messages[f"{V2}SmileFrownLeft"] == [0.5]
    assert messages[f"{V2}SmileFrownRight"] == [-0.25]
    assert messages[f"{V2}SmileFrown"] == [0.125]
    assert messages[f"{V2}SmileSad"] == [0.125]


def test_every_number_moves_something_and_stays_in_range():
    assert {name for parameter in PARAMETERS for name in needs(parameter)} >= set(ARKIT) - {
        f"eyeLook{way}{side}" for way in ("Down", "In", "Out", "Up") for side in ("Left", "Right")
    }
    values = UnifiedExpressions(tuple(PARAMETERS))(np.full(61, 5, np.float32))
    assert np.abs(values).max() <= 1


def test_binary_parameters():
    messages = sent(
        face(jawOpen=0.6, jawLeft=1),
        format="binary",
        parameters=["JawOpen", "JawX"],
        prefix="FT/",
        eyes="none",
    )
    root = "/avatar/parameters/FT/"
    bits = [messages[f"{root}v2/JawOpen{bit}"][0] for bit in (1, 2, 4, 8)]
    assert bits == [True, False, False, True]  # 9 of 15
    assert messages[f"{root}v2/JawOpenNegative"] == [False]
    assert [messages[f"{root}v2/JawX{bit}"][0] for bit in (1, 2, 4, 8)] == [True] * 4
    assert messages[f"{root}v2/JawXNegative"] == [True]
    assert f"{root}v2/JawOpen" not in messages
    assert messages[f"{root}LipTrackingActive"] == [True]


def test_regions_choose():
    mouth = sent(random_face(2), regions=["mouth", "jaw"])
    assert not any("Eye" in address for address in mouth)
    assert f"{V2}JawOpen" in mouth
    assert f"{V2}BrowDown" not in mouth
    eyes = sent(random_face(2), regions=["gaze", "lids"])
    assert "/avatar/parameters/EyeTrackingActive" in eyes
    assert "/avatar/parameters/LipTrackingActive" not in eyes
    assert f"{V2}TongueOut" not in sent(random_face(2), leave_out=["tongueOut"])


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"parameters": ["JawOpne"]}, "did you mean 'JawOpen'"),
        ({"regions": ["moth"]}, "did you mean 'mouth'"),
        ({"regions": []}, "nothing of the face is left"),
        ({"leave_out": ["jawopen"]}, "did you mean 'jawOpen'"),
        ({"prefix": "FT"}, "prefix"),
    ],
)
def test_wrong_configurations(config, words):
    with pytest.raises(GraphError, match=words):
        run_node(VRChatSender, {"frame": []}, config=config)
