"""The CUDA log-mel and decoder on a real device, captured into CUDA graphs and replayed."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from rtgraph.benchmarks.kernels.synthetic_head import synthetic_head
from rtgraph.kernels.decode import reference as decode_reference
from rtgraph.kernels.mel import MelConfig
from rtgraph.kernels.mel import reference as mel_reference

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
    pytest.mark.skipif(find_spec("rtgraph.kernels._cuda") is None, reason="built without nvcc"),
]


def test_mel_of_many_streams_by_graph_replay_equals_the_reference() -> None:
    from rtgraph.kernels.mel.cuda import MelBatchState, mel_batch

    config, streams, hops = MelConfig(), 37, 40
    clip = np.random.default_rng(0).standard_normal((streams, 160 * hops)).astype(np.float32) * np.float32(
        0.1
    )
    clip[3, 1_000] = np.nan
    state = MelBatchState(config, streams)
    audio = torch.zeros((streams, 160), device="cuda")
    reset = torch.ones(streams, dtype=torch.uint8, device="cuda")
    mel, counts = mel_batch(state, audio, reset)
    mel_batch(state, audio, reset, mel, counts)  # warm up; flagged streams forget it
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        mel_batch(state, audio, reset, mel, counts)
    rows = []
    for hop in range(hops):
        audio.copy_(torch.from_numpy(clip[:, 160 * hop : 160 * (hop + 1)]))
        mel.fill_(torch.nan)
        graph.replay()
        reset.zero_()
        rows.append(mel.cpu().numpy()[:, 0])
    out = np.stack(rows, axis=1)  # [S, H, bands]
    for stream in range(streams):
        np.testing.assert_allclose(out[stream], mel_reference.mel(clip[stream], config), rtol=0, atol=2e-5)
    assert state.replaced_samples() == [int(stream == 3) for stream in range(streams)]


@pytest.mark.parametrize("sessions", [1, 2, 9])
def test_decode_by_graph_replay_equals_the_reference(sessions: int) -> None:
    from rtgraph.kernels.decode.cuda import DecodeBatchState, decode_batch

    rig, rng = synthetic_head(33, 40, 3_000), np.random.default_rng(1)
    state = DecodeBatchState(rig, sessions)
    expression = torch.zeros((sessions, rig.inputs), device="cuda")
    frames = decode_batch(state, expression)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        decode_batch(state, expression, out=frames)
    for _ in range(3):
        given = (rng.uniform(0, 0.5, (sessions, rig.inputs))).astype(np.float32)
        expression.copy_(torch.from_numpy(given))
        for tensor in vars(frames).values():
            tensor.fill_(torch.nan)
        graph.replay()
        for session in range(sessions):
            vertices = frames.vertices[session].cpu().numpy().astype(np.float64)
            truth = decode_reference.decode(rig, given[session])
            np.testing.assert_allclose(vertices, truth.vertices, rtol=0, atol=5e-7)
            normals = decode_reference.vertex_normals(vertices, rig.triangles)
            np.testing.assert_allclose(frames.normals[session].cpu().numpy(), normals, rtol=0, atol=1e-3)
            mean, rotation, scale = decode_reference.carried_gaussians(rig, vertices)
            np.testing.assert_allclose(frames.gaussian_mean[session].cpu().numpy(), mean, rtol=0, atol=1e-5)
            np.testing.assert_allclose(frames.gaussian_scale[session].cpu().numpy(), scale, rtol=1e-3)
            turns = np.abs((frames.gaussian_rotation[session].cpu().numpy() * rotation).sum(axis=1))
            np.testing.assert_allclose(turns, 1.0, atol=1e-5)
    expression[0, 5] = torch.nan
    before = frames.vertices[0].clone()
    graph.replay()
    assert torch.equal(frames.vertices[0], before)
    assert state.replaced_frames() == [int(session == 0) for session in range(sessions)]
