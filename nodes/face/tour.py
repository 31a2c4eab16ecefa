"""face.tour: a scripted tour of expressions, to see a face without any sensor."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from rtgraph import EndOfStream, NodeConfig, Output, Source, register
from rtgraph.context import Context
from rtgraph.models.avatar.drive import FULL_LOOK_RAD
from rtgraph.models.expression import FRAME, INDEX, both
from rtgraph.node import Outputs
from rtgraph.nodes.face.types import ExpressionFrame

_RATE_HZ = 50.0

#: The stations in order. A name of one side or of both ("mouthSmile") with its weight; angles in radians.
#: "gazeYaw" and "gazePitch" are those of both eyes, and set the eyeLook shapes, too.
STATIONS: tuple[tuple[str, Mapping[str, float]], ...] = (
    ("neutral", {}),
    (
        "smile",
        {"mouthSmile": 0.85, "cheekSquint": 0.5, "eyeSquint": 0.25, "mouthDimple": 0.2, "jawOpen": 0.04},
    ),
    ("ah", {"jawOpen": 0.6, "mouthLowerDown": 0.15, "mouthUpperUp": 0.1}),
    ("oo", {"mouthPucker": 0.75, "mouthFunnel": 0.35, "jawOpen": 0.12}),
    ("blink", {"eyeBlink": 1.0}),
    ("look_left", {"gazeYaw": 0.45, "headYaw": 0.12}),
    ("look_right", {"gazeYaw": -0.45, "headYaw": -0.12}),
    ("look_up", {"gazePitch": -0.3, "browOuterUp": 0.15}),
    ("brows", {"browInnerUp": 0.8, "browOuterUp": 0.8, "eyeWide": 0.5, "headPitch": -0.06}),
    ("frown", {"browDown": 0.8, "mouthFrown": 0.7, "mouthPress": 0.3, "noseSneer": 0.2, "headPitch": 0.08}),
    ("tongue", {"jawOpen": 0.4, "tongueOut": 0.9, "eyeSquint": 0.2}),
    ("tilt", {"headRoll": 0.2, "mouthSmile": 0.4, "browOuterUpLeft": 0.5}),
)


@register("face.tour")
class Tour(Source):
    """Plays neutral, smile, ah, oo, blink, looks, brows, frown, tongue and a tilt of the head at 50 Hz.

    Each station is reached smoothly, held, and left for the next. `station` stays at one, for pictures.
    """

    class Config(NodeConfig):
        hold_s: float = Field(0.9, ge=0, le=60, description="how long a station is held")
        move_s: float = Field(0.45, gt=0, le=60, description="how long the way to it takes")
        loop: bool = Field(True, description="begin again at the end, without end")
        station: str | None = Field(
            None,
            pattern="^(" + "|".join(name for name, _ in STATIONS) + ")$",
            description="stay here: " + ", ".join(name for name, _ in STATIONS),
        )

    frame = Output(ExpressionFrame, rate_hz=_RATE_HZ)

    def open(self, ctx: Context) -> None:
        self._poses = np.stack([pose(weights) for _, weights in STATIONS])  # [stations, 61]
        self._station = (
            [name for name, _ in STATIONS].index(self.config.station) if self.config.station else None
        )
        self.reset()

    def rate_hz(self) -> float:
        return _RATE_HZ

    def process(self, ctx: Context) -> Outputs:
        if self._station is not None:
            return {"frame": self._poses[self._station]}
        # Counted in frames: times would not add up to whole ones.
        hold, move = round(self.config.hold_s * _RATE_HZ), max(1, round(self.config.move_s * _RATE_HZ))
        leg, within = divmod(self._sent, hold + move)
        if leg >= len(STATIONS) and not self.config.loop:
            raise EndOfStream
        self._sent += 1
        here, there = self._poses[leg % len(STATIONS)], self._poses[(leg + 1) % len(STATIONS)]
        way = max(0, within - hold) / move
        eased = np.float32(way * way * (3 - 2 * way))
        return {"frame": here + eased * (there - here)}

    def reset(self) -> None:
        self._sent = 0


def pose(weights: Mapping[str, float]) -> NDArray[np.float32]:
    """An expression frame [61] of a station."""
    frame = np.zeros(len(FRAME), np.float32)
    for name, value in weights.items():
        if name in ("gazeYaw", "gazePitch"):
            axis = name.removeprefix("gaze")
            frame[[INDEX[f"leftEye{axis}"], INDEX[f"rightEye{axis}"]]] = value
        else:
            frame[[INDEX[column] for column in both(name)]] = value
    yaw, pitch = weights.get("gazeYaw", 0.0), weights.get("gazePitch", 0.0)
    for shape, amount in (
        ("eyeLookOutLeft", yaw),
        ("eyeLookInRight", yaw),
        ("eyeLookInLeft", -yaw),
        ("eyeLookOutRight", -yaw),
        ("eyeLookDownLeft", pitch),
        ("eyeLookDownRight", pitch),
        ("eyeLookUpLeft", -pitch),
        ("eyeLookUpRight", -pitch),
    ):
        frame[INDEX[shape]] = min(1.0, max(0.0, amount / FULL_LOOK_RAD))
    return frame
