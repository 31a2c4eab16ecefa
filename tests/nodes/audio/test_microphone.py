"""audio.microphone without a sound card: devices, formats, and what becomes of blocks. The driver is
scripted."""

from __future__ import annotations

import builtins
import sys
import time

import numpy as np
import pytest

from rtgraph import DeviceError, GraphError, Input, Node, NodeError, RtGraphError, register
from rtgraph.nodes.audio import AudioChunk, capture, microphone, pyaudio_backend
from rtgraph.nodes.audio.pyaudio_backend import PyAudioBackend
from rtgraph.planner import plan_text
from rtgraph.scheduler import Runner
from rtgraph.testing import record as record_run

DEVICES = [
    (1, "HDA Intel: ALC257 (hw:0,0)", "ALSA", 2, 44100.0),
    (4, "USB Headset", "ALSA", 1, 48000.0),
    (7, "USB Camera", "ALSA", 2, 32000.0),
]


class ScriptedStream:
    """Blocks that come in real time."""

    def __init__(self, blocks, rate):
        self.overruns, self.active, self.closed = 0, True, False
        self._blocks, self._rate = iter(blocks), rate

    def start(self):
        self._due_ns = time.monotonic_ns()

    def read(self, timeout_s):
        block = next(self._blocks, None)
        if block is None:
            self.active = False
            return None
        self._due_ns += round(len(block) * 1e9 / self._rate)
        time.sleep(max(0, self._due_ns - time.monotonic_ns()) * 1e-9)
        return block, self._due_ns

    def close(self):
        self.closed = True


class ScriptedBackend:
    def __init__(self, blocks=(), refuses=()):
        self.blocks, self.refuses = list(blocks), refuses
        self.opened, self.streams = [], []

    def devices(self):
        return DEVICES

    def default_device(self):
        return 4

    def supports(self, device, channels, rate):
        return rate not in self.refuses

    def open(self, *arguments):
        self.opened.append(arguments)
        self.streams.append(ScriptedStream(self.blocks, arguments[2]))
        return self.streams[-1]

    def close(self):
        pass


@register("test.mic_collect")
class Collect(Node):
    x = Input(AudioChunk)

    def open(self, ctx):
        self.got = []

    def process(self, x, ctx):
        self.got.append((ctx.timestamp_ns, x))


@pytest.fixture
def record(monkeypatch):
    """Runs a graph on a scripted backend: ([T] audio, [chunks] stamps, counters)."""

    def run(backend, config="device: default", duration_s=None):
        monkeypatch.setattr(microphone, "open_backend", lambda name: backend)
        plan = plan_text(f"""
version: 1
nodes:
  mic: {{type: audio.microphone, config: {{{config}}}}}
  sink: {{type: test.mic_collect, inputs: {{x: mic.audio}}}}
""")
        with Runner(plan) as runner:
            runner.run(duration_s=duration_s)
            counters = runner.profile().nodes["mic"].counters
            got = plan["sink"].node.got
        return np.concatenate([x for _, x in got]), [t for t, _ in got], counters

    return run


def test_devices_are_found_by_index_name_and_part_of_a_name():
    backend = ScriptedBackend()
    assert capture.find_device(backend, "default").index == 4
    assert capture.find_device(backend, 7).index == 7
    assert capture.find_device(backend, "7").index == 7
    assert capture.find_device(backend, "usb headset").index == 4
    assert capture.find_device(backend, "ALC257").index == 1


def test_an_unknown_device_lists_what_there_is():
    for wanted, words in (
        ("USB Hedset", "did you mean 'USB Headset'"),
        (9, "there is no input device '9'"),
        ("usb", "2 input devices match"),
    ):
        with pytest.raises(DeviceError, match=words) as error:
            capture.find_device(ScriptedBackend(), wanted)
        for _, name, _, channels, rate in DEVICES:
            assert name in str(error.value)
            assert f"{channels} channel(s), {rate:.0f} Hz" in str(error.value)


def test_formats():
    headset = capture.find_device(ScriptedBackend(), "USB Headset")
    choose = capture.choose_format
    assert choose(ScriptedBackend(), headset, 16000, 10_000_000, "mix") == capture.Format(1, 16000, 160)
    assert choose(ScriptedBackend(refuses=[16000]), headset, 16000, 10_000_000, "mix") == capture.Format(
        1, 48000, 480
    )
    with pytest.raises(DeviceError, match=r"refuses every format.*1 channel\(s\) at 48000 Hz"):
        choose(ScriptedBackend(refuses=[16000, 48000]), headset, 16000, 10_000_000, "mix")
    with pytest.raises(DeviceError, match="channel 1 does not exist"):
        choose(ScriptedBackend(), headset, 16000, 10_000_000, 1)


def test_a_device_of_another_rate_is_resampled(record):
    t = np.arange(24000) / 48000
    sine = (0.5 * np.sin(2 * np.pi * 440 * t)).astype(np.float32)
    backend = ScriptedBackend(sine.reshape(-1, 480, 1), refuses=[16000])
    heard, stamps, counters = record(backend, "on_loss: error", 0.49)
    assert backend.opened == [(4, 1, 48000, 480, 0.0)]
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(len(heard)) / 16000)
    assert len(heard) >= 16000 * 0.4
    np.testing.assert_allclose(heard[100:], expected[100:], atol=2e-3)
    # Stamped with the capture of each chunk's last sample: 10 ms apart.
    np.testing.assert_allclose(np.diff(stamps), 1e7, atol=2e5)
    assert not counters


def test_gain_clipping_bad_samples_and_channels(record):
    blocks = np.random.default_rng(5).uniform(-0.3, 0.3, (20, 160, 2)).astype(np.float32)
    blocks[3, 10, 1] = np.nan
    blocks[4, 11, 1] = 0.9
    heard, _, counters = record(
        ScriptedBackend(blocks), "device: 7, channel: 1, gain_db: 6.0206, on_loss: error", 0.19
    )
    expected = np.clip(np.nan_to_num(blocks[:, :, 1].reshape(-1)) * 2, -1, 1)
    np.testing.assert_allclose(heard, expected[: len(heard)], atol=1e-5)
    assert len(heard) > 5 * 160
    assert counters["bad_samples"] == 1
    assert counters["clipped_samples"] == 1


def test_a_muted_device_is_told_once_and_again_after_sound(record, caplog, monkeypatch):
    monkeypatch.setattr(microphone, "_MUTED_S", 0.05)
    quiet, loud = np.full((10, 160, 1), 5e-5, np.float32), np.full((2, 160, 1), 0.1, np.float32)
    backend = ScriptedBackend([*quiet, *loud, *quiet, *quiet])
    heard, _, counters = record(backend, "device: 7, sample_rate: 32000, hop_ms: 5, on_loss: error", 0.14)
    assert counters["muted"] == 2
    assert caplog.text.count("nothing but silence comes") in (1, 2)  # the same words once a second at most
    assert np.abs(heard).max() == np.float32(0.1)


def test_a_quiet_room_is_not_muted(record, caplog, monkeypatch):
    monkeypatch.setattr(microphone, "_MUTED_S", 0.05)
    room = np.random.default_rng(2).normal(0, 3e-4, (20, 160, 1)).astype(np.float32)
    _, _, counters = record(ScriptedBackend(room), "device: 7, sample_rate: 32000, hop_ms: 5", 0.09)
    assert "muted" not in counters
    assert "silence" not in caplog.text


def test_xruns_are_counted(record, caplog):
    backend = ScriptedBackend(np.zeros((100, 160, 1), np.float32))

    class Losing(ScriptedStream):
        def read(self, timeout_s):
            got = super().read(timeout_s)
            self.overruns += got is not None and not got[0].any()
            return got

    backend.open = lambda *a: Losing(backend.blocks, a[2])
    _, _, counters = record(backend, "on_loss: error", 0.4)
    assert counters["xruns"] >= 5
    assert "xrun" in caplog.text


def test_a_lost_device_ends_the_run_or_is_found_again(record, caplog, monkeypatch):
    monkeypatch.setattr(microphone, "_RETRY_S", 0.05)
    with pytest.raises(NodeError, match="has vanished"):
        record(ScriptedBackend(np.zeros((5, 160, 1), np.float32)), "on_loss: error", 5.0)
    backend = ScriptedBackend(np.full((5, 160, 1), 0.1, np.float32))
    heard, stamps, counters = record(backend, "on_loss: reopen", 0.5)
    assert all(s.closed for s in backend.streams)
    assert len(heard) > 10 * 160
    assert min(np.diff(stamps)) > 0
    assert counters["reopened"] >= 1
    assert "the microphone is back" in caplog.text


def test_a_missing_pyaudio_names_what_to_install(monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name == "pyaudio":
            raise ImportError("No module named 'pyaudio'")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(RtGraphError, match=r"rtgraph\[audio\].*portaudio19-dev"):
        PyAudioBackend()


def test_without_the_native_module_pyaudio_takes_over(monkeypatch):
    monkeypatch.setitem(sys.modules, "rtgraph.nodes._portaudio", None)
    with pytest.raises(RtGraphError, match=r"backend: native is not there.*portaudio19-dev"):
        capture.open_backend("native")
    monkeypatch.setattr(pyaudio_backend, "PyAudioBackend", ScriptedBackend)
    assert isinstance(capture.open_backend("auto"), ScriptedBackend)


def test_the_drivers_are_quiet(capfd):
    import os

    with capture.quiet_drivers():
        os.write(2, b"ALSA lib pcm.c: Unknown PCM\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_a_manual_clock_asks_for_another_source(monkeypatch):
    monkeypatch.setattr(microphone, "open_backend", lambda name: ScriptedBackend())
    plan = plan_text("""
version: 1
clock: manual
nodes:
  mic: {type: audio.microphone}
  sink: {type: test.mic_collect, inputs: {x: mic.audio}}
""")
    with Runner(plan) as runner, pytest.raises(GraphError, match="cannot follow a manual clock"):
        runner.run()


FALLBACK = """
version: 1
nodes:
  mic: {type: audio.microphone, config: {device: no such device, fallback: "asset:clips/hello.flac"}}
"""


def test_without_a_device_the_fallback_plays_in_real_time_and_says_so(monkeypatch, caplog):
    monkeypatch.setattr(microphone, "open_backend", lambda name: ScriptedBackend())
    with caplog.at_level("WARNING"):
        heard = record_run(plan_text(FALLBACK), {"mic": "mic.audio"}, clock="system", duration_s=0.3)
    assert "there is no input device 'no such device'" in caplog.text
    assert "Instead of a microphone, asset:clips/hello.flac is playing" in caplog.text
    assert 20 <= len(heard.outputs["mic"]) <= 31
    assert heard.rate_hz("mic") == pytest.approx(100)


def test_on_a_manual_clock_the_fallback_plays_and_no_device_is_asked(monkeypatch):
    monkeypatch.setattr(microphone, "open_backend", lambda name: pytest.fail("a device was looked for"))
    heard = [
        record_run(plan_text(FALLBACK), {"mic": "mic.audio"}, duration_s=1.0).stacked("mic") for _ in range(2)
    ]
    assert heard[0].shape == (99, 160)  # the first chunk is heard after 10 ms
    assert np.abs(heard[0]).max() > 0.1
    np.testing.assert_array_equal(*heard)
