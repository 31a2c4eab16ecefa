"""sink.visemes: every viseme is recognised by its own shapes, and what comes over the wire."""

from __future__ import annotations

import numpy as np
import pytest
from faces import face, osc_receiver, random_face

from rtgraph.models.expression import INDEX
from rtgraph.nodes.sink.viseme_mapping import SHAPES, VISEMES, viseme_weights
from rtgraph.nodes.sink.visemes import VisemeSender
from rtgraph.testing import run_node


def mouth(viseme, share=1.0):
    return face(
        **{
            part: share * value
            for name, value in SHAPES[viseme].items()
            for part in ([name] if name in INDEX else [f"{name}Left", f"{name}Right"])
        }
    )


def test_the_fifteen_in_their_usual_order():
    assert " ".join(VISEMES) == "sil PP FF TH DD kk CH SS nn RR aa E ih oh ou"
    assert list(SHAPES) == list(VISEMES[1:])


@pytest.mark.parametrize("viseme", VISEMES[1:])
def test_each_is_found_in_its_own_mouth(viseme):
    weights = viseme_weights(mouth(viseme))
    assert VISEMES[int(weights.argmax())] == viseme
    assert weights.max() > 0.6
    half = viseme_weights(mouth(viseme, 0.5))
    assert half[VISEMES.index(viseme)] == pytest.approx(weights[VISEMES.index(viseme)] / 2, abs=0.03)
    assert half[0] == pytest.approx(0.5, abs=0.1)


def test_a_resting_mouth_is_silent():
    assert viseme_weights(face()).tolist() == [1.0] + [0.0] * 14
    assert viseme_weights(face(eyeBlinkLeft=1, browInnerUp=1, headYaw=1)).tolist() == [1.0] + [0.0] * 14


def test_weights_are_a_share_and_the_nearest_sum():
    """Against the definition: no other non-negative weights come nearer, by the conditions of Karush, Kuhn and
    Tucker, where nothing had to be scaled down."""
    from rtgraph.nodes.sink.viseme_mapping import _GRAM, _TO_BASIS

    checked = 0
    for seed in range(200):
        frame = random_face(seed) * np.float32(0.1)
        weights = viseme_weights(frame)
        assert (weights >= 0).all()
        assert weights.sum() == pytest.approx(1, abs=1e-6)
        w = weights[1:].astype(np.float64)
        if w.sum() < 0.999:
            pull = _TO_BASIS @ frame - _GRAM @ w
            assert pull.max() < 1e-5
            assert abs(pull @ w) < 1e-5
            checked += 1
    assert checked > 20


@pytest.mark.parametrize("form", ["separate", "list"])
def test_over_the_wire(form):
    frame = mouth("aa")
    expected = viseme_weights(frame).tolist()
    with osc_receiver() as receiver:
        run_node(
            VisemeSender, {"frame": [frame]}, config={"port": receiver.port, "form": form, "address": "/v"}
        )
        messages = receiver.messages(lambda m: m[0] in ("/v", "/v/ou"))
    if form == "list":
        assert messages == [["/v", *expected]]
    else:
        assert messages == [[f"/v/{name}", w] for name, w in zip(VISEMES, expected, strict=True)]
