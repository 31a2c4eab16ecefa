"""sink.live_link: the packet read by a reader written from the format's description alone, and the table."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from faces import face, random_face, udp_socket

from rtgraph.models.expression import ARKIT, FRAME, INDEX
from rtgraph.nodes.sink.live_link import LiveLinkSender
from rtgraph.nodes.sink.live_link_frame import CSV_HEADER, LiveLinkPacket, csv_line, timecode
from rtgraph.testing import run_node


def read(data):
    """A packet of version 6, big-endian, field by field; nothing may be left over."""
    at = 0

    def take(form):
        nonlocal at
        values = struct.unpack_from(f">{form}", data, at)
        at += struct.calcsize(f">{form}")
        return values

    packet = {"version": take("B")[0]}
    packet["device"] = take(f"{take('i')[0]}s")[0].decode()
    packet["name"] = take(f"{take('i')[0]}s")[0].decode()
    packet["frame"], packet["subframe"], numerator, denominator = take("ifii")
    packet["rate"] = numerator / denominator
    packet["numbers"] = np.array(take(f"{take('B')[0]}f"))
    assert at == len(data)
    return packet


def test_a_reader_of_its_own_gets_it_through_a_socket():
    frame = random_face(4)
    with udp_socket() as receiver:
        port = receiver.getsockname()[1]
        run_node(LiveLinkSender, {"frame": [frame] * 3}, config={"port": port}, rate_hz=25)
        packets = [read(receiver.recv(2048)) for _ in range(3)]
    for i, packet in enumerate(packets):
        assert packet["version"] == 6
        assert len(packet["device"]) == 36
        assert packet["name"] == "rtface"
        assert packet["rate"] == 60
        assert packet["frame"] + packet["subframe"] == pytest.approx(i * 60 / 25, abs=1e-6)
        np.testing.assert_array_equal(packet["numbers"][:52].astype(np.float32), frame[:52])
    assert packets[0]["device"] == packets[2]["device"]


def test_golden_bytes():
    packet = bytes(LiveLinkPacket("iPhone", "A" * 36, 60).fill(face(eyeBlinkLeft=1, headPitch=0.5), 0.025))
    assert len(packet) == 312  # what readers that know only the app's packets expect
    assert packet[:5] == bytes([6, 0, 0, 0, 36])
    assert packet[5:41] == b"A" * 36
    assert packet[41:51] == b"\0\0\0\x06iPhone"
    assert packet[51:68] == bytes.fromhex("00000001 3f000000 0000003c 00000001 3d")
    assert packet[68:72] == bytes.fromhex("3f800000")
    assert packet[68 + 4 * 53 : 72 + 4 * 53] == bytes.fromhex("3f000000")
    assert packet[72 : 68 + 4 * 53] == bytes(4 * 52)


def test_signs_are_those_of_unreal():
    """Yaw positive to the person's right, pitch positive down, roll positive where the right side rises."""
    angles = {"headYaw": 0.1, "headPitch": 0.2, "headRoll": 0.3, "leftEyeYaw": 0.4, "rightEyePitch": -0.5}
    numbers = read(bytes(LiveLinkPacket("x", "A" * 36, 60).fill(face(**angles), 0.0)))["numbers"]
    expected = np.zeros(9)
    expected[[0, 1, 2, 3, 7]] = -0.1, 0.2, -0.3, -0.4, -0.5
    np.testing.assert_allclose(numbers[52:], expected, atol=1e-7)
    assert not numbers[:52].any()


def test_regions_choose_and_the_rest_is_neutral():
    frame = random_face(5)
    with udp_socket() as receiver:
        config = {"port": receiver.getsockname()[1], "regions": ["jaw"]}
        run_node(LiveLinkSender, {"frame": [frame]}, config=config)
        numbers = read(receiver.recv(2048))["numbers"]
    jaw = [INDEX[name] for name in ARKIT if name.startswith("jaw")]
    assert numbers[jaw].all()
    assert np.count_nonzero(numbers) == len(jaw)


def test_the_table_swaps_left_and_right_as_the_app_does():
    names = CSV_HEADER.split(",")
    assert names[:2] == ["Timecode", "BlendShapeCount"]
    assert len(names) == 63
    assert names.index("JawRight") + 1 == names.index("JawLeft")
    assert names.index("MouthRight") + 1 == names.index("MouthLeft")
    frame = random_face(6)
    row = dict(zip(names, csv_line(frame, 3661.5, 60).split(","), strict=True))
    assert row["Timecode"] == "01:01:01:30.000"
    assert row["BlendShapeCount"] == "61"
    for i, name in enumerate(FRAME[:52]):
        assert np.float32(row[name[0].upper() + name[1:]]) == frame[i]
    assert np.float32(row["HeadYaw"]) == -frame[INDEX["headYaw"]]


@pytest.mark.parametrize(
    ("seconds", "rate", "text"),
    [
        (0.0, 60, "00:00:00:00.000"),
        (86399.99, 60, "23:59:59:59.400"),
        (59.9999999, 60, "00:01:00:00.000"),
        (0.5125, 30, "00:00:00:15.375"),
    ],
)
def test_timecodes(seconds, rate, text):
    assert timecode(seconds, rate) == text
