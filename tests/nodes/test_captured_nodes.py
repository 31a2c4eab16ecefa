"""The face networks' nodes on `device: cuda`: what C++ does around the captured graphs, and on a device all of it."""

from __future__ import annotations

import numpy as np
import pytest
from captured_stand_in import StandIn, build_driver
from frame_path_graphs import TAPS, graph, make_weights

from rtgraph import AssetError, NodeError
from rtgraph.kernels.denoiser_step import DenoiserStep
from rtgraph.kernels.encoder_step import EncoderStep
from rtgraph.planner import plan_text
from rtgraph.testing import record

ON_CUDA = [("encoder.device", "cuda"), ("denoiser.device", "cuda")]


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return make_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    return build_driver(tmp_path_factory.mktemp("driver"))


def on_the_cpu(part, config, tensors, driver, broken_from):
    """A captured step whose kernels are the CPU's."""
    one, c = (lambda n: np.full((1, n), np.nan, np.float32)), config
    flag = np.ones(1, np.bool_)
    if part == "encoder":
        step = EncoderStep(config, tensors)
        step(np.ones((1, c.hops_per_frame, c.mel_bands), np.float32))  # capturing runs the kernels, too
        mel = np.full((1, c.hops_per_frame, c.mel_bands), np.nan, np.float32)
        arrays = {"mel": mel, "previous": one(c.latent_width), "eyes": one(c.eye_features),
                  "eyes_present": flag.copy(), "emotion": one(c.emotions), "hidden": one(c.hidden_width)}  # fmt: skip
    else:
        step = DenoiserStep(config, tensors)
        arrays = {"noise": one(c.latent_width), "hidden": one(c.hidden_width), "previous": one(c.latent_width),
                  "emotion": one(c.emotions), "latent": one(c.latent_width),
                  "frame": one(c.weights + c.angles), "confidence": one(c.regions)}  # fmt: skip

    def work(a):
        if a["reset"][0]:
            step.reset(0)
        if "mel" in a:
            step(a["mel"], a["previous"], eyes=a["eyes"], eyes_present=a["eyes_present"],
                 emotion=a["emotion"], out=a["hidden"])  # fmt: skip
        else:
            got = step(a["noise"], a["hidden"], a["previous"], emotion=a["emotion"])
            for name in ("latent", "frame", "confidence"):
                a[name][:] = getattr(got, name)
        a["replaced"][:] = step.replaced_inputs

    return StandIn(work, arrays | {"reset": flag, "replaced": np.zeros(1, np.int32)}, driver, broken_from)


@pytest.fixture
def stand_in(driver, monkeypatch):
    """Captures onto the CPU; the fixture's value sets from which frame on the graphs fail."""
    captured = pytest.importorskip("rtgraph.nodes.face.captured")
    limits = {"encoder": 10**9, "denoiser": 10**9}
    monkeypatch.setattr(
        captured, "capture", lambda part, c, t, _: on_the_cpu(part, c, t, driver, limits[part])
    )
    return limits


def run(text, overrides=(), duration_s=1.0):
    return record(plan_text(text, overrides=list(overrides)), TAPS, duration_s=duration_s + 0.005)


def test_a_graph_launched_from_cpp_gives_what_the_cpu_gives(weights, stand_in):
    text = graph(weights)
    cpu, cuda = run(text), run(text, ON_CUDA)
    assert len(cuda.outputs["frame"]) == len(cpu.outputs["frame"]) > 40
    for name in ("hidden", "latent", "frame", "confidence"):
        np.testing.assert_array_equal(cuda.stacked(name), cpu.stacked(name))
    for node in ("encoder", "denoiser"):
        assert cuda.profile.nodes[node].native


def test_a_failed_launch_ends_the_node_in_the_words_of_the_driver(weights, stand_in):
    stand_in["denoiser"] = 5
    with pytest.raises(NodeError, match=r"(?s)denoiser.*an illegal memory access was encountered"):
        run(graph(weights), ON_CUDA)


def test_without_a_device_the_remedy_is_said(weights):
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    with pytest.raises(
        AssetError, match=r"encoder.device: cuda: no CUDA device is available; use device: cpu"
    ):
        run(graph(weights), ON_CUDA)


def test_int8_is_the_cpus(weights, stand_in):
    with pytest.raises(AssetError, match="int8 runs on a CPU alone; give bfloat16 or float32"):
        run(graph(weights, precision="int8"), ON_CUDA)


@pytest.mark.gpu
@pytest.mark.parametrize(("precision", "limit"), [("float32", 1e-3), ("bfloat16", 2e-2)])
def test_on_a_device(weights, precision, limit):
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    cpu, cuda = run(graph(weights)), run(graph(weights, precision=precision), ON_CUDA)
    assert len(cuda.outputs["frame"]) == len(cpu.outputs["frame"])
    assert np.abs(cuda.stacked("frame") - cpu.stacked("frame")).max() < limit
