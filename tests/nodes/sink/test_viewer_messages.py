"""sink.viewer: its messages byte by byte, what is newest, what a page may ask."""

from __future__ import annotations

import numpy as np
import pytest
from viewer_page import decode

from rtgraph.nodes.sink._web_message import Kind, Section, encode
from rtgraph.nodes.sink._web_newest import Newest, Seen
from rtgraph.nodes.sink._web_settings import Change, parse

GOLDEN = (
    "52544756" "0100" "0200" "07000000" "03000000" "00ca9a3b00000000"  # seq 7, 3 skipped, sent at 1 s
    "0200" "0100" "02000000" "01000000" "08000000" "40420f0000000000"  # confidence: 2 x 1 float32, at 1 ms
    "0000803f" "0000003f"
    "0700" "0200" "02000000" "03000000" "06000000" "feffffffffffffff"  # left eye: 2 x 3 uint8, at -2 ns
    "000102030405" "0000"
)  # fmt: skip


def test_a_message_is_as_documented():
    sections = [
        Section(Kind.CONFIDENCE, 1_000_000, np.array([1.0, 0.5], np.float32)),
        Section(Kind.LEFT_EYE, -2, np.arange(6, dtype=np.uint8).reshape(2, 3)),
    ]
    data = encode(sections, seq=7, skipped=3, sent_ns=1_000_000_000)
    assert data.hex() == GOLDEN
    _, _, _, got = decode(data)
    assert got[Kind.LEFT_EYE][1].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_the_newest_wins_and_sound_is_whole():
    newest, seen = Newest(), Seen()
    for i in range(3):
        newest.put(Kind.FRAME, np.full(61, i, np.float32), i)
        newest.put_sound(np.full(4, i, np.float32), i)
    sections, missed = newest.since(seen)
    assert {s.kind: s.data.tolist() for s in sections} == {
        Kind.FRAME: [2.0] * 61,
        Kind.AUDIO: [0.0] * 4 + [1.0] * 4 + [2.0] * 4,
    }
    assert missed == 0  # what was before a page came is not missed
    assert newest.since(seen) == ([], 0)
    for i in range(3, 6):
        newest.put(Kind.FRAME, np.full(61, i, np.float32), i)
    (section,), missed = newest.since(seen)
    assert (section.data[0], section.timestamp_ns, missed) == (5.0, 5, 2)


def test_sound_that_nobody_fetches_is_forgotten():
    newest = Newest()
    for _ in range(1000):
        newest.put_sound(np.zeros(160, np.float32), 0)
    (section,), _ = newest.since(Seen())
    assert 8000 <= section.data.size < 8160 + 160


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("no json", "Invalid JSON"),
        ("[]", "object"),
        ('{"type": "dance"}', "dance"),
        ('{"type": "ack", "seq": -1}', "seq"),
        ('{"type": "settings", "settings": {"weights": {"jawOpn": 1}}}', "did you mean 'jawOpen'"),
        ('{"type": "settings", "settings": {"weights": {"jawOpen": 1.5}}}', "less than or equal to 1"),
        ('{"type": "settings", "settings": {"light": {"key": NaN}}}', "finite"),
        ('{"type": "settings", "settings": {"ligth": {}}}', "ligth"),
    ],
)
def test_requests_without_meaning_are_told_why(text, answer):
    with pytest.raises(ValueError, match=answer):
        parse(text)


def test_a_request_with_meaning():
    request = parse('{"type": "settings", "settings": {"weights": {"jawOpen": 0.5}, "light": {"key": 2}}}')
    assert isinstance(request, Change)
    assert request.settings.weights == {"jawOpen": 0.5}
    assert (request.settings.light.key, request.settings.light.fill) == (2.0, 1.0)
