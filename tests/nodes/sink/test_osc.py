"""sink.osc: mapping files, and mistakes in them."""

from __future__ import annotations

import numpy as np
import pytest
from faces import face, osc_receiver, random_face, udp_socket
from pythonosc.osc_bundle import OscBundle

from rtgraph import GraphError, RtGraphError
from rtgraph.models.expression import FRAME
from rtgraph.nodes.sink.osc import OscSender
from rtgraph.testing import run_node

MAPPING = """
version: 1
messages:
  - address: /mouth
    args: [jawOpen, {of: {mouthSmileLeft: 0.5, mouthSmileRight: 0.5}, offset: 1}]
  - address: /head/yaw_degrees
    args: [{constant: head}, {constant: 3}, {of: headYaw, scale: -57.29578, min: -45, max: 45}]
"""


def sent(tmp_path, text, frame, **config):
    path = tmp_path / "mapping.yaml"
    path.write_text(text)
    with udp_socket() as receiver:
        config = {"port": receiver.getsockname()[1], "mapping": str(path), **config}
        run_node(OscSender, {"frame": [frame]}, config=config)
        return [(m.address, *m.params) for m in OscBundle(receiver.recv(2048))]


def test_without_a_mapping_every_number_has_a_message():
    frame = random_face(7)
    with osc_receiver() as receiver:
        run_node(OscSender, {"frame": [frame]}, config={"port": receiver.port})
        messages = receiver.messages(lambda m: m[0] == "/face/rightEyeRoll")
    assert messages == [[f"/face/{name}", pytest.approx(float(frame[i]))] for i, name in enumerate(FRAME)]


def test_a_mapping(tmp_path):
    frame = face(jawOpen=0.5, mouthSmileLeft=1, headYaw=0.1)
    assert sent(tmp_path, MAPPING, frame) == [
        ("/mouth", 0.5, 1.5),
        ("/head/yaw_degrees", "head", 3, pytest.approx(-np.degrees(0.1))),
    ]
    assert sent(tmp_path, MAPPING, face(headYaw=-2))[1][-1] == 45


def test_regions_leave_messages_out(tmp_path):
    assert [m[0] for m in sent(tmp_path, MAPPING, face(), regions=["head"])] == ["/head/yaw_degrees"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("jawOpen", "jawOpne"), r"mapping.yaml:5:.*did you mean 'jawOpen'"),
        (("address: /mouth", "address: mouth"), r"mapping.yaml:4:"),
        (("offset: 1", "ofset: 1"), r"mapping.yaml:5:"),
        (("min: -45", "min: 450"), r"min \(450\) lies above max"),
        (("Left: 0.5", "Left: .nan"), r"mapping.yaml:5:"),
        (("offset: 1", "offset: 1.0e+39"), r"mapping.yaml:5:.*at most 3e\+38"),
        (("min: -45", "min: -.inf"), r"mapping.yaml:7:"),
        (("constant: 3", "constant: 5000000000"), r"mapping.yaml:7:.*at most 2147483647"),
        (("constant: 3", "constant: true"), r"mapping.yaml:7:.*text or a whole number"),
        (("version: 1", "version: 2"), r"mapping.yaml:2:"),
        (("messages:", "messages: ["), r"mapping.yaml:"),
    ],
)
def test_mistakes_are_shown_at_their_place(tmp_path, change, words):
    with pytest.raises(RtGraphError, match=f"(?s){words}"):
        sent(tmp_path, MAPPING.replace(*change), face())


def test_one_mistake_is_told_once(tmp_path):
    for change in (("Left: 0.5", "Left: .nan"), ("offset: 1", "ofset: 1"), ("constant: 3", "constant: true")):
        with pytest.raises(RtGraphError) as raised:
            sent(tmp_path, MAPPING.replace(*change), face())
        assert str(raised.value).count("error:") == 1, raised.value


def test_a_mapping_that_is_not_there():
    with pytest.raises(RtGraphError, match=r"there is no file 'nowhere\.yaml'"):
        run_node(OscSender, {"frame": []}, config={"mapping": "nowhere.yaml"})


def test_too_long_a_message(tmp_path):
    text = "version: 1\nmessages:\n  - address: /long\n    args: [" + "jawOpen, " * 400 + "jawOpen]\n"
    with pytest.raises(RtGraphError, match=r"/long has .* a datagram 1472; make it shorter"):
        sent(tmp_path, text, face())


def test_nothing_selected_is_a_mistake():
    with pytest.raises(GraphError, match="nothing of the face is left"):
        run_node(OscSender, {"frame": []}, config={"regions": []})
