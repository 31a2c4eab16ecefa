"""audio.mel: equal to the reference whatever the chunks, stamped with what was heard, finite on broken sound."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest

from rtgraph import GraphError, Input, Node, Packet, Runner, register
from rtgraph.kernels.mel import LevelConfig, MelConfig
from rtgraph.kernels.mel.reference import mel as reference
from rtgraph.nodes.audio.mel import AudioMel
from rtgraph.nodes.audio.types import Mel
from rtgraph.planner import plan_text
from rtgraph.testing import run_node


def sound(samples: int, seed: int = 0) -> np.ndarray:
    """Noise that swells and fades, so that the running level has something to follow."""
    rng = np.random.default_rng(seed)
    swell = 0.2 * (1.01 + np.sin(np.arange(samples) / 3000))
    return (swell * rng.standard_normal(samples)).clip(-1, 1).astype(np.float32)


def chunks(audio: np.ndarray, size: int) -> list[Packet]:
    """Whole chunks, each stamped with the capture of its last sample."""
    return [Packet(audio[end - size : end], round(end * 62_500)) for end in range(size, len(audio) + 1, size)]


@pytest.mark.parametrize("size", [160, 320, 100, 37, 1000, 4000])
def test_equals_the_reference_for_every_chunk_size(size):
    audio = sound(16_000)
    got = run_node(AudioMel, {"audio": chunks(audio, size)}, rate_hz=16_000 / size)
    expected = reference(audio[: len(audio) // size * size], MelConfig())
    np.testing.assert_allclose(got.stacked("mel"), expected, atol=2e-4)
    heard = [160 * (k + 1) * 62_500 for k in range(len(expected))]
    np.testing.assert_allclose(got.timestamps_ns["mel"], heard, atol=1)


def test_options_reach_the_kernel():
    audio = sound(8_000, seed=1)
    config = {"bands": 40, "window_samples": 512, "hop_samples": 80, "scale": "htk", "normalise": False}
    got = run_node(AudioMel, {"audio": chunks(audio, 160)}, config=config)
    wanted = MelConfig(bands=40, window_samples=512, hop_samples=80, scale="htk", level=None)
    np.testing.assert_allclose(got.stacked("mel"), reference(audio, wanted), atol=2e-4)
    assert got.rate_hz("mel") == pytest.approx(200)
    assert MelConfig().level == LevelConfig()  # what `normalise` stands for


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
def test_broken_samples_are_silence_and_counted(bad):
    audio = sound(16_000, seed=2)
    broken = audio.copy()
    broken[4000:4100] = bad
    audio[4000:4100] = 0
    got = run_node(AudioMel, {"audio": chunks(broken, 160)})
    np.testing.assert_array_equal(
        got.stacked("mel"), run_node(AudioMel, {"audio": chunks(audio, 160)}).stacked("mel")
    )
    assert got.profile.nodes["node"].counters == {"silenced_samples": 100}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("fft_size: 500", "fft_size: expected a power of two"),
        ("window_samples: 600", "window_samples: expected 1 to fft_size"),
        ("high_hz: 9000", "high_hz: expected at most half the sample rate"),
        ("scale: bark", "slaney"),
    ],
)
def test_mistakes_are_found_before_the_run(config, message):
    graph = f"""
version: 1
nodes:
  mic: {{type: audio.file}}
  mel: {{type: audio.mel, config: {{{config}}}, inputs: {{audio: mic.audio}}}}
"""
    with pytest.raises(GraphError, match=message):
        plan_text(graph)


@register("test.mel_keep")
class Keep(Node):
    """Keeps what comes, over several runs."""

    x = Input(Mel)
    kept: ClassVar[list[np.ndarray]] = []

    def process(self, x, ctx):
        self.kept.append(x)


def test_reset_equals_new():
    Keep.kept.clear()
    graph = """
version: 1
clock: manual
nodes:
  mic: {type: audio.file, config: {hop_ms: 15}}
  mel: {type: audio.mel, inputs: {audio: mic.audio}}
  keep: {type: test.mel_keep, inputs: {x: mel.mel}}
"""
    with Runner(plan_text(graph)) as runner:
        for _ in range(2):
            runner.run(duration_s=2)
            runner.reset()
    first, second = np.split(np.stack(Keep.kept), 2)
    np.testing.assert_array_equal(first, second)
