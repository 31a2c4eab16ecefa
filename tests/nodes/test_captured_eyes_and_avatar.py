"""eye.encoder and face.avatar_decoder on `device: cuda`: what C++ does around the captured graphs, and on a device
all of it.
"""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest
from captured_stand_in import StandIn, build_driver

from rtgraph import AssetError, NodeError, Packet
from rtgraph.files import bundled
from rtgraph.kernels import decode as decoding
from rtgraph.kernels.eye_encoder_step import EyeEncoderStep
from rtgraph.models import eye_weights
from rtgraph.nodes.eye.encoder import EyeEncoder
from rtgraph.nodes.face.avatar_decoder import AvatarDecoder
from rtgraph.testing import run_node

SIDES = ("left", "right")


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    return build_driver(tmp_path_factory.mktemp("driver"))


@pytest.fixture(scope="module")
def pictures():
    """Three pairs out of the bundled clip of eyes, then one of noise: {side: packets}."""
    cv2 = pytest.importorskip("cv2")
    clip = cv2.VideoCapture(str(bundled("assets") / "clips/eyes.mp4"))
    both = [clip.read()[1][:, :, 0] for _ in range(3)]
    both.append(np.random.default_rng(0).integers(0, 256, both[0].shape, np.uint8))
    half = both[0].shape[1] // 2
    cut = {"left": slice(0, half), "right": slice(half, None)}
    return {
        side: [Packet(np.ascontiguousarray(b[:, cut[side]]), k * 10_000_000) for k, b in enumerate(both)]
        for side in SIDES
    }


@pytest.fixture
def eyes_stand_in(driver, monkeypatch):
    """Captures onto the CPU; from launch number `fixture[0]` on it fails."""
    captured = pytest.importorskip("rtgraph.nodes.eye.captured")
    broken_from = [10**9]

    def capture(config, weights, height, width):
        step = EyeEncoderStep(config, eye_weights.DECODE, weights, height, width)
        nan = {"features": (2, config.features), "state": (2, 7), "mirrored": (2,)}
        arrays = {name: np.full(shape, np.nan, np.float32) for name, shape in nan.items()}

        def work(a):
            for name, got in zip(nan, step(*a["images"]), strict=True):
                a[name][:] = got

        arrays["images"] = np.zeros((2, height, width), np.uint8)
        return StandIn(work, arrays, driver, broken_from[0])

    monkeypatch.setattr(captured, "capture", capture)
    return broken_from


@pytest.fixture
def avatar_stand_in(driver, monkeypatch):
    captured = pytest.importorskip("rtgraph.nodes.face.captured")

    def capture_avatar(rig, neutral, joint_pivot, tint, mesh, gaussians):
        state = decoding.DecodeState(rig)
        state.set_identity(neutral, joint_pivot)
        v, g = (rig.vertices if mesh else 0), (rig.gaussians if gaussians else 0)
        shapes = {"inputs": (rig.inputs,), "vertices": (v, 3), "normals": (v, 3), "gaussians": (g, 14)}
        arrays = {
            name: np.full(shape, np.nan, np.float32) for name, shape in shapes.items() if 0 not in shape
        }

        def work(a):
            frame = decoding.decode(state, a["inputs"])
            if mesh:
                a["vertices"][:], a["normals"][:] = frame.vertices, frame.normals
            if gaussians:
                parts = (frame.gaussian_mean, frame.gaussian_rotation, frame.gaussian_scale, tint)
                a["gaussians"][:] = np.concatenate(parts, axis=1)

        return StandIn(work, arrays, driver)

    monkeypatch.setattr(captured, "capture_avatar", capture_avatar)


@pytest.fixture
def device():
    if not pytest.importorskip("torch").cuda.is_available():
        pytest.skip("no CUDA device")


def see(pictures, **config):
    return run_node(EyeEncoder, pictures, config=config, rate_hz=100)


def frames(count=4):
    rng = np.random.default_rng(1)
    weights = rng.uniform(0, 1, (count, 52)) * (rng.uniform(size=(count, 52)) > 0.6)
    return list(np.concatenate([weights, rng.uniform(-0.6, 0.6, (count, 9))], axis=1).astype(np.float32))


def move(**config):
    return run_node(AvatarDecoder, {"frame": frames()}, config={"identity": "", "seed": 3, **config})


def assert_equal(one, other, atol):
    assert one.outputs.keys() == other.outputs.keys()
    for name, values in one.outputs.items():
        assert len(values) == len(other.outputs[name])
        for a, b in zip(values, other.outputs[name], strict=True):
            np.testing.assert_allclose(a, b, atol=atol, err_msg=name)


def test_eyes_seen_by_a_graph_launched_from_cpp(pictures, eyes_stand_in):
    assert_equal(see(pictures, device="cuda"), see(pictures), 0)


def test_a_failed_launch_ends_the_eye_encoder_in_the_words_of_the_driver(pictures, eyes_stand_in):
    eyes_stand_in[0] = 2
    with pytest.raises(NodeError, match="an illegal memory access was encountered"):
        see(pictures, device="cuda")


@pytest.mark.parametrize("output", ["mesh", "gaussians", "both"])
def test_an_avatar_moved_by_a_graph_launched_from_cpp(avatar_stand_in, output):
    assert_equal(move(device="cuda", output=output), move(output=output), 1e-6)


@pytest.mark.parametrize("node", [see, move])
def test_without_a_device_the_remedy_is_said(pictures, node):
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    with pytest.raises(AssetError, match="device: cuda: no CUDA device is available; use device: cpu"):
        node(pictures, device="cuda") if node is see else node(device="cuda")


@pytest.mark.gpu
def test_eyes_on_a_device(device, pictures):
    on_gpu, on_cpu = see(pictures, device="cuda"), see(pictures)
    np.testing.assert_allclose(on_gpu.outputs["features"], on_cpu.outputs["features"], atol=2e-2)
    np.testing.assert_allclose(on_gpu.outputs["raw_state"], on_cpu.outputs["raw_state"], atol=3e-2)


@pytest.mark.gpu
@pytest.mark.skipif(find_spec("rtgraph.kernels._cuda") is None, reason="built without nvcc")
@pytest.mark.parametrize("output", ["mesh", "gaussians", "both"])
def test_an_avatar_on_a_device(device, output):
    assert_equal(move(device="cuda", output=output), move(output=output), 1e-4)
