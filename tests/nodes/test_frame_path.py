"""mel -> encoder -> denoiser as native nodes: torch's numbers, one segment, no GIL, nothing that poisons."""

from __future__ import annotations

import subprocess
import sys
from typing import ClassVar

import numpy as np
import pytest
import torch
from frame_path_graphs import TAPS, frame_noise, graph, make_weights, offline, philox

from rtgraph import (
    AssetError,
    EndOfStream,
    GraphError,
    Input,
    Node,
    NodeConfig,
    NodeError,
    Output,
    Runner,
    Source,
    register,
)
from rtgraph.kernels.linear import instruction_sets
from rtgraph.models.expression import INDEX
from rtgraph.nodes.audio.speech_gate import Speech
from rtgraph.nodes.face.network import best_precision
from rtgraph.nodes.face.one_step_denoiser import ARTICULATION
from rtgraph.nodes.face.types import Emotion, ExpressionFrame, EyeFeatures
from rtgraph.planner import plan_text
from rtgraph.testing import Recording, record


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return make_weights(tmp_path_factory.mktemp("weights"))


def run(text: str, duration_s: float = 2.0) -> Recording:
    # A run ends before the packet that is due at its end.
    return record(plan_text(text), TAPS, duration_s=duration_s + 0.005)


class Steady(Source):
    """Sends the same packet again and again, for `seconds`."""

    class Config(NodeConfig):
        value: float = 0.5
        broken_from: int = 10**9  # packets from here on are NaN
        seconds: float = 10.0

    endless = True

    def rate_hz(self):
        return 100.0

    def open(self, ctx):
        self.sent = 0

    def process(self, ctx):
        self.sent += 1
        if self.sent > self.config.seconds * 100:
            raise EndOfStream
        (port,) = self.outputs.values()
        fill = np.nan if self.sent > self.config.broken_from else self.config.value
        return np.full(port.type.shape, fill, np.float32)


@register("test.steady_eyes")
class SteadyEyes(Steady):
    out = Output(EyeFeatures, rate_hz=100.0)


@register("test.steady_emotion")
class SteadyEmotion(Steady):
    out = Output(Emotion, rate_hz=100.0)


@register("test.steady_speech")
class SteadySpeech(Steady):
    out = Output(Speech, rate_hz=100.0)


@register("test.frame_keep")
class Keep(Node):
    """Keeps what comes, over several runs."""

    x = Input(ExpressionFrame)
    kept: ClassVar[list[np.ndarray]] = []

    def process(self, x, ctx):
        self.kept.append(x)


@register("test.broken_sound")
class BrokenSound(Source):
    """Noise in 10 ms chunks, of which every tenth is NaN."""

    from rtgraph.nodes.audio import AudioChunk as _Chunk

    audio = Output(_Chunk, shape=(160,), rate_hz=100.0)

    def rate_hz(self):
        return 100.0

    def open(self, ctx):
        self.rng, self.sent = np.random.default_rng(0), 0

    def process(self, ctx):
        self.sent += 1
        if self.sent > 200:
            raise EndOfStream
        chunk = 0.1 * self.rng.standard_normal(160).astype(np.float32)
        return np.full_like(chunk, np.nan) if self.sent % 10 == 0 else chunk


def test_philox_gives_the_published_numbers():
    # Known answers of Random123, the authors' library.
    assert philox([0] * 4, [0] * 2) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    assert philox([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2) == [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]


@pytest.mark.parametrize("size", ["tiny", "base"])
def test_equals_torch(size, tmp_path):
    path = make_weights(tmp_path, size)
    got = run(graph(path), duration_s=9 if size == "tiny" else 4)
    assert len(got.outputs["frame"]) == (450 if size == "tiny" else 200)
    for name, expected in offline(path, got, seed=7).items():
        np.testing.assert_allclose(got.stacked(name), expected, atol=1e-4, err_msg=name)
    got.assert_like("frame", shape=(61,), dtype="float32", rate_hz=50)
    # A frame is stamped with the last sample that it heard.
    assert got.timestamps_ns["frame"][:3] == [20_000_000, 40_000_000, 60_000_000]


def test_eyes_and_emotion_reach_the_networks(weights):
    text = graph(
        weights,
        encoder=", eyes: eyes.out, emotion: mood.out",
        denoiser=", emotion: mood.out",
        more="""  eyes: {type: test.steady_eyes, config: {value: 0.4}}
  mood: {type: test.steady_emotion, config: {value: 0.3}}
""",
    )
    got = run(text)
    frames = len(got.outputs["frame"])
    eyes, emotion = torch.full((1, frames, 160), 0.4).double(), torch.full((1, frames, 8), 0.3).double()
    expected = offline(weights, got, seed=7, eyes=eyes, emotion=emotion)
    np.testing.assert_allclose(got.stacked("frame"), expected["frame"], atol=1e-4)


def test_eyes_that_stop_are_no_longer_seen(weights):
    more = "  eyes: {type: test.steady_eyes, config: {seconds: 1.0}}\n"
    got = run(graph(weights, encoder=", eyes: eyes.out", more=more))
    frames = len(got.outputs["frame"])
    eyes = torch.full((1, frames, 160), 0.5).double()
    # The last features are of 0.99 s: up to 1.24 s they count.
    present = torch.arange(1, frames + 1)[None] / 50 <= 0.99 + 0.25
    expected = offline(weights, got, seed=7, eyes=eyes, eyes_present=present)
    np.testing.assert_allclose(got.stacked("frame"), expected["frame"], atol=1e-4)


@pytest.mark.parametrize("hop_ms", [20, 30, 5, 12.5])
def test_chunks_of_any_size_give_the_same_face(weights, hop_ms):
    one, other = run(graph(weights)), run(graph(weights, hop_ms=hop_ms))
    frames = min(len(one.outputs["frame"]), len(other.outputs["frame"]))
    assert frames >= 98
    for name in ("latent", "frame", "confidence"):
        np.testing.assert_array_equal(other.stacked(name)[:frames], one.stacked(name)[:frames])
    assert other.timestamps_ns["frame"][:frames] == one.timestamps_ns["frame"][:frames]


def test_runs_native_in_one_segment_without_the_gil(weights):
    # No recorder, which would be a Python node in the segment.
    avatar = (
        "  avatar: {type: face.avatar_decoder, config: {output: mesh}, inputs: {frame: denoiser.frame}}\n"
    )
    with Runner(plan_text(graph(weights, more=avatar))) as runner:
        runner.run(duration_s=2.005)
        profile = runner.profile()
    path = [profile.nodes[name] for name in ("mel", "encoder", "denoiser", "avatar", "previous")]
    assert {node.segment for node in path} == {"face"}
    assert all(node.native for node in path)
    assert all(node.gil_wait_us.max == 0 for node in path)
    assert [node.count for node in path] == [200, 200, 100, 100, 100]
    inline = ("mel.mel -> encoder.mel", "encoder.hidden -> denoiser.hidden", "denoiser.frame -> avatar.frame")
    assert all(profile.edges[edge].inline for edge in inline)
    assert profile.deadline.frames == 100


def test_auto_takes_a_precision_that_the_machine_is_fast_at(weights):
    chosen = best_precision()
    assert chosen == ("bfloat16" if "avx2" in instruction_sets() else "float32")
    np.testing.assert_array_equal(
        run(graph(weights, precision="auto"), 0.5).stacked("frame"),
        run(graph(weights, precision=chosen), 0.5).stacked("frame"),
    )


def test_needs_no_torch(weights):
    code = f"""
import sys
from rtgraph import Runner
from rtgraph.planner import plan_text
with Runner(plan_text({graph(weights)!r})) as runner:
    runner.run(duration_s=0.505)
    assert runner.profile().nodes["denoiser"].count == 25
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_reset_equals_new(weights):
    Keep.kept.clear()
    text = graph(weights, more="  keep: {type: test.frame_keep, inputs: {x: denoiser.frame}}\n")
    with Runner(plan_text(text)) as runner:
        for _ in range(2):
            runner.run(duration_s=1.015)  # an odd number of hops: half a frame is left over
            runner.reset()
    first, second = np.split(np.stack(Keep.kept), 2)
    np.testing.assert_array_equal(first, second)


def test_noise_is_repeatable_and_as_asked_for(weights):
    def frames(noise: str) -> np.ndarray:
        return run(graph(weights, noise=noise), duration_s=1).stacked("frame")

    fresh, fixed = frames("seed: 7"), frames("seed: 7, noise: fixed")
    np.testing.assert_array_equal(fresh, frames("seed: 7, noise: fresh"))
    assert np.abs(fresh - frames("seed: 8")).max() > 1e-3
    np.testing.assert_array_equal(fresh[0], fixed[0])  # the first draw is the same
    assert np.abs(fresh[1:] - fixed[1:]).max() > 1e-3
    assert np.abs(np.diff(fixed, axis=0)).mean() < np.abs(np.diff(fresh, axis=0)).mean()


def test_noise_is_normal():
    drawn = np.concatenate([frame_noise(2**40 + 3, t, 64) for t in range(200)])
    assert abs(drawn.mean()) < 0.03
    assert abs(drawn.std() - 1) < 0.03
    assert abs(np.corrcoef(drawn[:-64], drawn[64:])[0, 1]) < 0.03


@pytest.mark.parametrize(("precision", "tolerance"), [("bfloat16", 0.02), ("int8", 0.03)])
def test_packed_precisions_stay_near_float32(weights, precision, tolerance):
    exact, packed = run(graph(weights)), run(graph(weights, precision=precision))
    assert np.abs(packed.stacked("frame") - exact.stacked("frame")).max() < tolerance


def test_broken_sound_never_reaches_the_face(weights):
    text = graph(weights).replace(
        "mic: {type: audio.file, config: {hop_ms: 10}}", "mic: {type: test.broken_sound}"
    )
    got = run(text)
    for name in TAPS:
        got.assert_like(name)
    assert got.profile.nodes["mel"].counters == {"silenced_samples": 20 * 160}
    for name, expected in offline(weights, got, seed=7).items():
        np.testing.assert_allclose(got.stacked(name), expected, atol=1e-4, err_msg=name)


def test_broken_conditions_keep_their_last_good_value(weights):
    def face(config: str) -> Recording:
        return run(
            graph(
                weights,
                encoder=", eyes: eyes.out, emotion: mood.out",
                denoiser=", emotion: mood.out",
                more=f"""  eyes: {{type: test.steady_eyes, config: {config}}}
  mood: {{type: test.steady_emotion, config: {config}}}
""",
            )
        )

    broken = face("{broken_from: 50}")
    np.testing.assert_array_equal(broken.stacked("frame"), face("{}").stacked("frame"))
    # Eyes and emotion of the encoder, emotion of the denoiser, from 0.5 s on.
    counters = [broken.profile.nodes[name].counters["replaced_inputs"] for name in ("encoder", "denoiser")]
    assert counters[0] == 2 * counters[1] >= 2 * 74


@pytest.mark.parametrize("speech", [0.0, 0.25, 1.0, float("nan"), -1.0, 2.0])
def test_the_speech_gate_closes_the_mouth_and_nothing_else(weights, speech):
    config = "broken_from: 0" if np.isnan(speech) else f"value: {speech}"
    more = f"  gate: {{type: test.steady_speech, config: {{{config}}}}}\n"
    open_mouth, gated = run(graph(weights)), run(graph(weights, denoiser=", speech: gate.out", more=more))
    kept = np.ones(61, np.float32)
    kept[[INDEX[name] for name in ARTICULATION]] = 1.0 if np.isnan(speech) else np.clip(speech, 0, 1)
    np.testing.assert_allclose(gated.stacked("frame"), open_mouth.stacked("frame") * kept, atol=1e-6)
    np.testing.assert_array_equal(gated.stacked("latent"), open_mouth.stacked("latent"))
    assert kept[INDEX["mouthSmileLeft"]] == kept[INDEX["eyeBlinkLeft"]] == kept[INDEX["headYaw"]] == 1


def test_missing_or_wrong_weights_are_named(weights, tmp_path):
    with pytest.raises(GraphError, match=r"there are no weights 'huge'; bundled are .*tiny"):
        run(graph(weights).replace(str(weights), "huge"))
    with pytest.raises(AssetError, match=r"no file 'nowhere\.safetensors'"):
        run(graph(weights).replace(str(weights), "nowhere.safetensors"))
    alone = tmp_path / "alone.safetensors"
    alone.write_bytes(weights.read_bytes())
    with pytest.raises(AssetError, match=r"alone.json: no such file; expected the weights' card here"):
        run(graph(alone))
    alone.with_suffix(".json").write_bytes(weights.with_suffix(".json").read_bytes())
    alone.write_bytes(b"no tensors")
    with pytest.raises(AssetError, match="not a safetensors file"):
        run(graph(alone))
    other = make_weights(tmp_path, "base")
    other.with_suffix(".json").write_bytes(weights.with_suffix(".json").read_bytes())
    with pytest.raises(NodeError, match=r"weights: '.*': expected .* by the config, got"):
        run(graph(other))
