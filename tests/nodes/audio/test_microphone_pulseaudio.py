"""audio.microphone against a real sound server: what is played into a null sink is recorded from its
monitor."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from rtgraph.files import bundled

CLIP = bundled("assets") / "clips" / "hello.flac"
RATE = 16000
PROGRAMS = ("pulseaudio", "pacat", "pactl")
MISSING = [p for p in PROGRAMS if shutil.which(p) is None]

pytestmark = [
    pytest.mark.pulseaudio,
    pytest.mark.skipif(
        bool(MISSING), reason=f"not installed: {', '.join(MISSING)} (Debian: pulseaudio, libasound2-plugins)"
    ),
]


@dataclass
class Server:
    env: dict[str, str]
    process: subprocess.Popen[bytes]

    def play(self, samples: np.ndarray) -> subprocess.Popen[bytes]:
        """samples: [T] float32 at 16 kHz."""
        player = subprocess.Popen(
            ["pacat", "--playback", "--format=float32le", f"--rate={RATE}", "--channels=1"],
            env=self.env,
            stdin=subprocess.PIPE,
        )
        assert player.stdin is not None
        player.stdin.write(samples.astype("<f4").tobytes())
        player.stdin.close()
        return player

    def record(self, result: Path, backend: str, clock: str = "system") -> subprocess.Popen[str]:
        """A recorder to which sound comes already. It stops when its input is closed."""
        script = Path(__file__).with_name("record.py")
        child = subprocess.Popen(
            [sys.executable, str(script), str(result), backend, clock],
            env=self.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        if child.stdout.readline() != "ready\n":
            pytest.fail(f"the recorder did not start: {child.communicate()[1]}")
        return child


@pytest.fixture
def server(tmp_path):
    """A private PulseAudio daemon with one null sink, and the environment in which ALSA's default leads to
    it."""
    socket = tmp_path / "native"
    alsa = tmp_path / "asound.conf"
    alsa.write_text("</usr/share/alsa/alsa.conf>\npcm.!default { type pulse }\nctl.!default { type pulse }\n")
    env = dict(
        os.environ,
        HOME=str(tmp_path),
        XDG_RUNTIME_DIR=str(tmp_path),
        PULSE_SERVER=f"unix:{socket}",
        ALSA_CONFIG_PATH=str(alsa),
    )
    process = subprocess.Popen(
        [
            "pulseaudio",
            "-n",
            "--daemonize=no",
            "--exit-idle-time=-1",
            "--disable-shm=yes",
            "--use-pid-file=no",
            "-L",
            f"module-native-protocol-unix socket={socket} auth-anonymous=1",
            "-L",
            f"module-null-sink sink_name=test rate={RATE} channels=1 format=float32le",
        ],
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            if subprocess.run(["pactl", "info"], env=env, capture_output=True, check=False).returncode == 0:
                break
            time.sleep(0.05)
        else:
            pytest.fail("pulseaudio does not answer")
        yield Server(env, process)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.terminate()
        process.wait(10)


def clip_samples(seconds: float) -> np.ndarray:
    import soundfile

    samples, rate = soundfile.read(CLIP, dtype="float32")
    assert rate == RATE
    return samples[: int(seconds * RATE)]


def best_correlation(heard: np.ndarray, played: np.ndarray) -> tuple[float, int]:
    """The normalised correlation at the offset where it is greatest, and that offset."""
    size = 1 << (len(heard) + len(played)).bit_length()
    cross = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(played, size)))[
        : len(heard) - len(played) + 1
    ]
    at = int(np.argmax(cross))
    part = heard[at : at + len(played)]
    return float(np.dot(part, played) / (np.linalg.norm(part) * np.linalg.norm(played))), at


@pytest.mark.parametrize("backend", ["native", "pyaudio"])
def test_what_is_played_is_recorded(server, tmp_path, backend):
    if backend == "native":
        pytest.importorskip("rtgraph.nodes._portaudio", reason="built without PortAudio's headers")
    played = clip_samples(3.0)
    recorder = server.record(tmp_path / "heard.npz", backend)
    time.sleep(0.3)
    server.play(played).wait(10)
    time.sleep(0.3)
    errors = recorder.communicate(timeout=20)[1]
    assert recorder.returncode == 0, errors
    assert errors == ""  # neither warnings nor the drivers' chatter

    heard = np.load(tmp_path / "heard.npz")
    assert not [c for c in heard["counters"] if c.startswith("xruns")]
    correlation, _ = best_correlation(heard["audio"], played)
    assert correlation > 0.9
    steps = np.diff(heard["stamps"])
    assert steps.min() > 0
    assert np.median(steps) == pytest.approx(10e6, rel=0.01)
    # Nothing arrives before it was captured, nor long after.
    assert heard["ages"].min() >= 0
    assert np.median(heard["ages"]) < 250e6


def test_the_device_may_drive_the_clock(server, tmp_path):
    recorder = server.record(tmp_path / "heard.npz", "auto", clock="audio")
    time.sleep(5.0)
    errors = recorder.communicate(timeout=20)[1]
    assert recorder.returncode == 0, errors
    heard = np.load(tmp_path / "heard.npz")
    assert np.diff(heard["stamps"]).min() > 0
    assert len(heard["stamps"]) > 400
    assert heard["ages"].min() >= -1e6
    assert np.median(heard["ages"]) < 250e6
    assert 0 < abs(heard["drift_ppm"]) < 2000


def test_a_server_that_dies_ends_nothing(server, tmp_path):
    recorder = server.record(tmp_path / "heard.npz", "auto")
    server.process.terminate()
    time.sleep(2.5)
    errors = recorder.communicate(timeout=20)[1]
    assert recorder.returncode == 0, errors
    assert "the microphone has vanished" in errors
