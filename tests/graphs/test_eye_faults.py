"""Eye cameras whose pictures or times are wrong, from the picture to the face: doubt, made-up eyes, never a stare."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import pytest

from rtgraph import NodeConfig, Output, Packet, Source, register
from rtgraph.files import bundled
from rtgraph.models.expression import INDEX
from rtgraph.nodes.eye.clip import BUNDLED, EyeClip
from rtgraph.nodes.eye.image import EyeImageConfig, View, to_eye_image
from rtgraph.nodes.face.types import EyeImage
from rtgraph.planner import load_plan
from rtgraph.testing import record

RATE_HZ, GOOD_S, SPOILT_S = 60.0, 1.0, 2.5
CLIP = EyeImageConfig.model_validate({})
NOISE = np.random.default_rng(0).integers(0, 255, (200, 128, 128), np.uint8)


def wider(image):
    """[240, 320] whose middle square is the picture."""
    return cv2.copyMakeBorder(cv2.resize(image, (240, 240)), 0, 0, 40, 40, cv2.BORDER_REPLICATE)


#: What each fault makes of a left and right image, upright and [128, 128], in the k-th frame.
SPOIL = {
    "black": lambda left, right, k: (0 * left, 0 * right),
    "white": lambda left, right, k: (0 * left + 255, 0 * right + 255),
    "noise": lambda left, right, k: (NOISE[k % 200], NOISE[(k + 7) % 200]),
    "swapped": lambda left, right, k: (right, left),
    "upside-down": lambda left, right, k: (left[::-1], right[::-1]),
    # These are good pictures in another form.
    "16 bits": lambda left, right, k: tuple(image.astype(np.uint16) << 8 for image in (left, right)),
    "colour": lambda left, right, k: tuple(
        cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) for image in (left, right)
    ),
    "another size": lambda left, right, k: tuple(wider(image) for image in (left, right)),
}


@register("test.spoilt_eyes")
class SpoiltEyes(Source):
    """The bundled clip, good for GOOD_S and then with a fault in it."""

    class Config(NodeConfig):
        fault: str = ""
        rate_hz: float = RATE_HZ
        jump: Literal["", "back", "ahead"] = ""

    left = Output(EyeImage, shape=(128, 128))
    right = Output(EyeImage, shape=(128, 128))

    endless = True

    def open(self, ctx):
        self.clip = EyeClip([ctx.find_file(BUNDLED)], CLIP)
        self.sent = 0

    def rate_hz(self):
        return self.config.rate_hz

    def process(self, ctx):
        k, self.sent = self.sent, self.sent + 1
        spoilt = k >= GOOD_S * self.config.rate_hz
        if self.config.fault != "frozen" or not spoilt:
            self.pair = self.clip.read_on()
        left, right = self.pair
        if spoilt and self.config.fault in SPOIL:
            raw = SPOIL[self.config.fault](left, right, k)
            left, right = (to_eye_image(np.ascontiguousarray(image), View(), CLIP) for image in raw)
        time_ns = ctx.now_ns()
        if self.config.jump and k % 20 == 19:
            time_ns += {"back": -400_000_000, "ahead": 5_000_000_000}[self.config.jump]
        return {"left": Packet(left, time_ns), "right": Packet(right, time_ns)}

    def close(self):
        self.clip.close()


def run(**config):
    graph: Path = bundled("graphs") / "vr_eye_only.yaml"
    overrides = [("viewer.port", "0"), *((f"eyes.{name}", str(value)) for name, value in config.items())]
    plan = load_plan(graph, swaps={"eyes": "test.spoilt_eyes"}, overrides=overrides)
    outputs = {"face": "face.frame", "share": "gaze.camera_share"}
    got = record(plan, outputs, duration_s=GOOD_S + SPOILT_S)
    faces, share = got.stacked("face"), got.stacked("share")[:, 0]
    assert np.isfinite(faces).all()
    assert all(node.errors == 0 for node in got.profile.nodes.values())
    return faces, share, got.profile.nodes["eye_encoder"].counters


@pytest.mark.parametrize("fault", ["black", "white", "frozen", "noise", "swapped", "upside-down"])
def test_bad_pictures_hand_over_to_made_up_eyes(fault):
    faces, share, counters = run(fault=fault)
    assert share[90] > 0.9, "good pictures are believed"
    assert share[-50:].max() == 0
    assert np.ptp(faces[-100:, INDEX["leftEyeYaw"]]) > 0.005, "no stare"
    counter = {"black": "flat", "white": "flat", "frozen": "frozen", "swapped": "swapped"}.get(fault)
    assert counter is None or counters[f"{counter}_images"] > 50


# scaling up and down again blurs, which costs a few degrees
@pytest.mark.parametrize(("fault", "alike"), [("16 bits", 0.95), ("colour", 0.95), ("another size", 0.85)])
def test_good_pictures_in_another_form_are_believed(fault, alike):
    usual = run()[0]
    faces, share, _ = run(fault=fault)
    assert share[100:].min() > 0.99
    for name in ("leftEyeYaw", "rightEyePitch", "eyeBlinkLeft"):
        assert np.corrcoef(faces[100:, INDEX[name]], usual[100:, INDEX[name]])[0, 1] > alike, name


@pytest.mark.parametrize(
    "config", [{"rate_hz": 17.0}, {"rate_hz": 240.0}, {"jump": "back"}, {"jump": "ahead"}]
)
def test_any_rate_and_times_that_jump(config):
    faces, share, _ = run(**config)
    assert share[100:].mean() > 0.9
    assert np.ptp(faces[:, INDEX["leftEyeYaw"]]) > 0.05
