"""audio.file: decoding, resampling, mixing, chunking, times, and files that are wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
import yaml

from rtgraph import AssetError, EndOfStream, GraphError, NodeError
from rtgraph.context import Context
from rtgraph.nodes.audio.file import AudioFile
from rtgraph.testing import run_node


def play(config: str, duration_s: float | None = None):
    """([chunks, hop] audio, [chunks] timestamps, counters) of one run on a manual clock."""
    got = run_node(AudioFile, config=yaml.safe_load("{" + config + "}"), duration_s=duration_s)
    return np.array(got.outputs["audio"]), got.timestamps_ns["audio"], got.profile.nodes["node"].counters


def write(path: Path, samples: np.ndarray, rate: int, **options) -> str:
    soundfile.write(path, samples, rate, **options)
    return f'path: "{path}"'


def noise(*shape: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.9, 0.9, shape).astype(np.float32)


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg"])
def test_samples_arrive_as_they_are(tmp_path, suffix):
    t = np.arange(2500) / 16000
    samples = (0.5 * np.sin(2 * np.pi * 300 * t)).astype(np.float32)
    chunks, stamps, counters = play(write(tmp_path / f"a.{suffix}", samples, 16000))
    assert chunks.shape == (16, 160)
    assert stamps == [10_000_000 * (k + 1) for k in range(16)]  # of each chunk's last sample
    assert not counters
    heard = chunks.reshape(-1)
    assert np.all(heard[2500:] == 0)
    if suffix == "ogg":  # lossy
        assert np.corrcoef(heard[200:2300], samples[200:2300])[0, 1] > 0.99
    else:
        np.testing.assert_allclose(heard[:2500], samples, atol=1 / 32768)


def test_no_chunk_of_silence_follows_a_whole_number_of_hops(tmp_path):
    chunks, _, _ = play(write(tmp_path / "a.wav", noise(320, seed=1), 16000))
    assert chunks.shape == (2, 160)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_streamed_resampling_equals_that_of_the_whole(tmp_path, rate):
    samples = noise(rate // 2, seed=rate) * np.float32(0.5)
    chunks, _, _ = play(write(tmp_path / "a.wav", samples, rate, subtype="FLOAT"))
    whole = soxr.resample(samples, rate, 16000, quality="HQ")
    assert chunks.size - 160 < whole.size <= chunks.size
    np.testing.assert_allclose(chunks.reshape(-1)[: whole.size], np.clip(whole, -1, 1), atol=2e-5)


def test_channels_are_mixed_or_chosen(tmp_path):
    samples = noise(1600, 3, seed=2)
    path = write(tmp_path / "a.wav", samples, 16000, subtype="FLOAT")
    np.testing.assert_allclose(play(path)[0].reshape(-1), samples.mean(axis=1), atol=1e-6)
    np.testing.assert_array_equal(play(path + ", channel: 2")[0].reshape(-1), samples[:, 2])
    with pytest.raises(AssetError, match=r"3 channel\(s\); channel 3 does not exist"):
        play(path + ", channel: 3")


def test_a_loop_has_no_seam(tmp_path):
    samples = noise(250, seed=3)
    chunks, _, _ = play(
        write(tmp_path / "a.wav", samples, 16000, subtype="FLOAT") + ", loop: true", duration_s=0.1
    )
    heard = chunks.reshape(-1)
    np.testing.assert_array_equal(heard, np.resize(samples, heard.size))
    assert heard.size >= 1280


def test_broken_samples_become_silence_and_are_counted(tmp_path, caplog):
    samples = noise(1600, seed=4)
    samples[[5, 700, 701]] = [np.nan, np.inf, -np.inf]
    samples[9] = 7.0
    chunks, _, counters = play(write(tmp_path / "a.wav", samples, 16000, subtype="FLOAT"))
    heard = chunks.reshape(-1)
    assert counters["bad_samples"] == 3
    assert heard[[5, 700, 701]].tolist() == [0, 0, 0]
    assert heard[9] == 1.0
    assert "NaN" in caplog.text


def test_any_hop_of_whole_samples(tmp_path):
    path = write(tmp_path / "a.wav", noise(44100, seed=5), 44100)
    chunks, stamps, _ = play(path + ", sample_rate: 44100, hop_ms: 20")
    assert chunks.shape == (50, 882)
    assert stamps[1] == 40_000_000
    with pytest.raises(GraphError, match=r"220\.5 samples"):
        play(path + ", sample_rate: 22050")


def test_reset_begins_again(tmp_path):
    node = AudioFile(AudioFile.Config(path=str(tmp_path / "a.wav")))
    write(tmp_path / "a.wav", noise(1000, seed=6), 44100)
    context = Context("mic", tmp_path, "manual")
    node.open(context)
    first = [node.process(context)["audio"] for _ in range(2)]
    node.reset()
    again = [node.process(context)["audio"] for _ in range(3)]
    with pytest.raises(EndOfStream):
        node.process(context)
    node.close()
    np.testing.assert_array_equal(first, again[:2])


def test_files_that_are_wrong(tmp_path):
    (tmp_path / "text.wav").write_text("this is no sound")
    with pytest.raises(AssetError, match=r"text\.wav cannot be read as sound"):
        play(f'path: "{tmp_path / "text.wav"}"')
    with pytest.raises(
        GraphError, match=r"there is no file '.*test\.wav'\n(.*\n)*did you mean '.*text\.wav'"
    ):
        play(f'path: "{tmp_path / "test.wav"}"')
    with pytest.raises(AssetError, match="holds no sound"):
        play(write(tmp_path / "empty.wav", np.zeros(0, np.float32), 16000))


def test_a_damaged_file_names_itself(tmp_path):
    path = tmp_path / "a.flac"
    soundfile.write(path, noise(160000, seed=7), 16000)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 4000] = bytes(4000)
    path.write_bytes(bytes(data))
    with pytest.raises(NodeError, match=r"a\.flac is damaged .* after \d+ samples"):
        play(f'path: "{path}"')


def test_the_bundled_clip(tmp_path):
    chunks, _, _ = play('path: "asset:clips/hello.flac"')
    assert 600 <= len(chunks) <= 1000
    assert 0.3 < np.abs(chunks).max() <= 1.0
