"""face.tour: its stations, how they are reached, and the graph that shows them."""

from __future__ import annotations

import numpy as np
import pytest

from rtgraph import NodeError
from rtgraph.files import bundled
from rtgraph.models.expression import ARKIT, FRAME, INDEX
from rtgraph.nodes.face.tour import STATIONS, Tour, pose
from rtgraph.planner import load_plan
from rtgraph.testing import run_node

NAMES = [name for name, _ in STATIONS]


def test_every_station_is_a_face():
    for _, weights in STATIONS:
        frame = pose(weights)
        assert frame.shape == (len(FRAME),)
        assert frame.dtype == np.float32
        assert (frame[: len(ARKIT)] >= 0).all()
        assert (frame[: len(ARKIT)] <= 1).all()
        assert np.abs(frame[len(ARKIT) :]).max() < 0.6


def test_the_sides_are_the_persons():
    look = pose(dict(STATIONS)["look_left"])
    assert (
        look[INDEX["leftEyeYaw"]] == look[INDEX["rightEyeYaw"]] == np.float32(0.45)
    )  # + is the person's left
    assert look[INDEX["eyeLookOutLeft"]] == look[INDEX["eyeLookInRight"]] > 0.8
    assert look[INDEX["eyeLookInLeft"]] == look[INDEX["eyeLookOutRight"]] == 0


def test_stations_are_held_and_reached_smoothly():
    config = {"hold_s": 0.4, "move_s": 0.2, "loop": False}
    got = run_node(Tour, config=config)
    got.assert_like("frame", count=30 * len(STATIONS), shape=(61,), dtype="float32", rate_hz=50.0)
    frames = got.stacked("frame")
    for station, (_, weights) in enumerate(STATIONS):
        np.testing.assert_array_equal(
            frames[30 * station : 30 * station + 20], np.tile(pose(weights), (20, 1))
        )
    assert np.abs(np.diff(frames, axis=0)).max() < 0.16  # 1.5 x a full way in 10 frames
    np.testing.assert_array_equal(frames, run_node(Tour, config=config).stacked("frame"))


def test_it_stays_where_it_is_told():
    got = run_node(Tour, config={"station": "blink"}, duration_s=1.0)
    assert (got.stacked("frame") == pose({"eyeBlink": 1.0})).all()


def test_reset_begins_again():
    node = Tour(Tour.Config())
    node.open(None)
    first = [node.process(None)["frame"] for _ in range(100)]
    node.reset()
    np.testing.assert_array_equal(first, [node.process(None)["frame"] for _ in range(100)])


def test_an_unknown_station_is_a_mistake():
    with pytest.raises((NodeError, ValueError), match="station"):
        Tour.Config(station="dance")


def test_the_demo_is_whole():
    plan = load_plan(bundled("graphs") / "avatar_demo.yaml")
    assert {n.spec.type for n in plan.nodes} >= {"face.tour", "sink.viewer"}
