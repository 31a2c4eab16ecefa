"""The main job's graph with something broken: the face goes on, and it is said and counted what is wrong."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import threading
import time

import aiohttp
import numpy as np
import pytest
import soundfile
from pythonosc.udp_client import SimpleUDPClient

from rtgraph import EndOfStream, NodeConfig, Output, Source, register
from rtgraph.files import bundled
from rtgraph.models.expression import INDEX
from rtgraph.nodes.audio.types import AudioChunk
from rtgraph.nodes.face.face_csv import read_face_csv
from rtgraph.planner import load_plan
from rtgraph.scheduler import Runner
from rtgraph.testing import record

GRAPH = bundled("graphs") / "vr_audio_eye.yaml"
RTGRAPH = [sys.executable, "-c", "from rtgraph.cli import main; main()"]
LIPS = [INDEX[name] for name in ("jawOpen", "mouthFunnel", "mouthPucker", "tongueOut")]


@register("test.bad_sound")
class BadSound(Source):
    """Five seconds of speech, of which the second one is spoilt."""

    class Config(NodeConfig):
        spoilt: str

    audio = Output(AudioChunk, shape=(160,), rate_hz=100.0)

    def open(self, ctx):
        self.speech, _ = soundfile.read(bundled("assets") / "clips/hello.flac", dtype="float32")
        self.sent = 0

    def rate_hz(self):
        return 100.0

    def process(self, ctx):
        if self.sent == 500:
            raise EndOfStream
        chunk = self.speech[160 * self.sent : 160 * (self.sent + 1)].copy()
        if 100 <= self.sent < 200:
            match self.config.spoilt:
                case "silent":
                    chunk[:] = 0
                case "clipped":
                    chunk = np.sign(chunk)
                case "nan":
                    chunk[::7] = np.nan
                case "infinite":
                    chunk[:] = np.inf
        self.sent += 1
        return chunk


def options(swaps=None, **sets):
    """The graph without cameras of this machine and without fixed ports."""
    swaps = {"eyes": "eye.synthetic"} | (swaps or {})
    sets = {"viewer.port": "0"} | {key.replace("__", "."): str(value) for key, value in sets.items()}
    return {"swaps": swaps, "overrides": list(sets.items())}


@pytest.mark.parametrize("spoilt", ["silent", "clipped", "nan", "infinite"])
def test_a_spoilt_microphone(spoilt):
    plan = load_plan(GRAPH, **options({"mic": "test.bad_sound"}, mic__spoilt=spoilt))
    run = record(plan, {"face": "mix.frame", "vertices": "avatar.vertices"})
    faces, vertices = run.stacked("face"), run.stacked("vertices")
    assert len(faces) == 250
    assert np.isfinite(faces).all()
    assert np.isfinite(vertices).all()
    assert faces[:, :52].min() >= 0
    assert faces[:, :52].max() <= 1
    mouth = faces[:, LIPS].max(axis=1)
    assert mouth[175:].max() > 0.15, "it speaks again when the sound is good again"
    if spoilt in ("silent", "infinite"):
        assert mouth[75:100].max() < 0.02, "silence is a closed mouth"
    silenced = run.profile.nodes["mel"].counters.get("silenced_samples", 0)
    assert silenced == {"nan": 2300, "infinite": 16000}.get(spoilt, 0)


def test_sound_of_another_rate(tmp_path):
    speech, _ = soundfile.read(bundled("assets") / "clips/hello.flac", dtype="float32")
    slow = np.interp(np.arange(0, 32000, 16 / 44.1), np.arange(32000), speech[:32000])
    soundfile.write(tmp_path / "stereo.wav", np.stack([slow, slow], axis=1), 44100)
    plan = load_plan(GRAPH, **options({"mic": "audio.file"}, mic__path=tmp_path / "stereo.wav"))
    faces = record(plan, {"face": "mix.frame"}).stacked("face")
    assert 100 <= len(faces) <= 101
    usual = load_plan(GRAPH, **options({"mic": "audio.file"}))
    expected = record(usual, {"face": "mix.frame"}, duration_s=2.0).stacked("face")
    jaw = INDEX["jawOpen"]
    assert np.corrcoef(faces[:99, jaw], expected[:99, jaw])[0, 1] > 0.95


def test_a_dead_eye_stream_leaves_made_up_eyes():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}/stream"
        plan = load_plan(GRAPH, **options({"eyes": "eye.mjpeg"}, eyes__left=nobody, eyes__right=nobody))
        run = record(
            plan, {"face": "mix.frame", "share": "gaze.camera_share"}, clock="system", duration_s=2.0
        )
    faces = run.stacked("face")
    assert len(faces) > 80
    assert np.isfinite(faces).all()
    assert run.stacked("share").max() == 0
    assert np.ptp(faces[:, INDEX["leftEyeYaw"]]) > 0, "the eyes move all the same"
    assert faces[:, LIPS].max() > 0.1
    assert run.profile.nodes["eyes"].counters["warnings"] >= 1


def test_eyes_over_osc_are_followed_and_made_up_when_their_sender_has_gone():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    plan = load_plan(
        bundled("graphs") / "vr_audio_osc.yaml",
        overrides=[("viewer.port", "0"), ("eyes.port", str(port))],
    )
    stop = threading.Event()

    def send():
        client = SimpleUDPClient("127.0.0.1", port)
        for k in range(90):
            left_deg = 20 + 0.1 * (k % 7)  # VRChat's yaw is positive to the right, ours to the left
            client.send_message("/tracking/eye/LeftRightPitchYaw", [0.0, -left_deg, 0.0, -left_deg])
            if stop.wait(1 / 60):
                return

    thread = threading.Thread(target=send)
    thread.start()
    run = record(plan, {"face": "mix.frame", "share": "gaze.camera_share"}, clock="system", duration_s=5.0)
    stop.set()
    thread.join()
    share, yaw = run.stacked("share")[:, 0], run.stacked("face")[:, INDEX["leftEyeYaw"]]
    assert share.max() == 1
    assert np.degrees(yaw.max()) == pytest.approx(20.3, abs=0.5)
    assert share[-1] == 0, "the sender fell silent"
    assert np.ptp(yaw[-100:]) > 0, "no stare"


def test_nobody_receives_and_then_somebody_does():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as late:
        late.bind(("127.0.0.1", 0))
        port = late.getsockname()[1]
    with running(vmc__port=port) as runner:
        wait_for(lambda: counted(runner, "vmc", "datagrams_lost") > 0)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as late:
            late.bind(("127.0.0.1", port))
            late.settimeout(3)
            assert b"/VMC/Ext" in late.recv(2048)
            wait_for(lambda: counted(runner, "vmc", "warnings") == 2)  # does not receive; receives now
        assert runner.profile().nodes["vrchat"].errors == 0


def test_a_page_that_is_killed_and_opened_again():
    with running() as runner:
        url = runner.plan["viewer"].node.url + "socket"
        assert asyncio.run(faces_seen(url, 5, abort=True)) >= 5
        frames = runner.profile().nodes["mix"].count
        assert asyncio.run(faces_seen(url, 5)) >= 5
        assert runner.profile().nodes["mix"].count > frames
        assert runner.profile().nodes["viewer"].errors == 0


#: No file may grow beyond this; a write that would is refused by the system, as on a full disk.
DISK_BYTES = 60_000
FULL_DISK = f"""
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, ({DISK_BYTES}, {DISK_BYTES}))
from rtgraph.cli import main
main()
"""


def test_a_disk_that_is_full_while_recording(tmp_path):
    words = ["run", "vr_audio_only", "--fast", "--duration", "8", "--set", "viewer.port=0"]
    words += ["--swap", "vrchat=sink.recorder", "--set", "vrchat.path=face.csv", "--profile-json", "p.json"]
    command = [sys.executable, "-c", FULL_DISK, *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "face.csv cannot be written: File too large; frames are lost, the rest is kept" in done.stderr
    nodes = json.loads((tmp_path / "p.json").read_text())["nodes"]
    clip = read_face_csv(tmp_path / "face.csv")
    assert nodes["avatar"]["count"] > 390, "the face went on"
    assert len(clip.frames) + nodes["vrchat"]["counters"]["lost_frames"] == nodes["vrchat"]["count"]
    assert (tmp_path / "face.csv").stat().st_size > 0.9 * DISK_BYTES


def test_two_processes_on_one_port(tmp_path):
    with socket.socket() as first:
        first.bind(("127.0.0.1", 0))
        first.listen()
        port = first.getsockname()[1]
        words = ["run", "vr_audio_eye", "--duration", "1", "--set", f"viewer.port={port}"]
        second = subprocess.run([*RTGRAPH, *words], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert second.returncode == 1
    assert f"127.0.0.1:{port}: that port is in use" in second.stderr
    assert "set `port` to another number" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_typo_is_answered_with_place_and_remedy(tmp_path):
    text = GRAPH.read_text(encoding="utf-8").replace("device: default", "devise: default")
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [*RTGRAPH, "run", "mine.yaml"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    line = 1 + text[: text.index("devise")].count("\n")
    assert done.stderr.startswith(
        f"mine.yaml:{line}:14: error: the config of node 'mic' has no field 'devise'"
    )
    assert "did you mean 'device'?" in done.stderr


class running:  # noqa: N801 - it reads as a sentence
    """The graph, live, with the speech that stands in for a microphone."""

    def __init__(self, **sets):
        plan = load_plan(GRAPH, **options({"mic": "audio.file"}, mic__loop="true", **sets))
        self.runner = Runner(plan)

    def __enter__(self):
        self.runner.open()
        self.thread = threading.Thread(target=self.runner.run, kwargs={"duration_s": 30})
        self.thread.start()
        wait_for(lambda: self.runner._run is not None)
        return self.runner

    def __exit__(self, *_):
        self.runner.stop()
        self.thread.join(10)
        self.runner.close()
        assert not self.thread.is_alive()


def wait_for(there, patience_s=5.0):
    until = time.monotonic() + patience_s
    while not there():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


def counted(runner, node, what):
    return runner.profile().nodes[node].counters.get(what, 0)


async def faces_seen(url, wanted, abort=False):
    """How many binary messages come; then the page is closed, or is gone without a word."""
    async with aiohttp.ClientSession() as session:
        page = await session.ws_connect(url)
        seen = 0
        while seen < wanted:
            message = await page.receive(timeout=5)
            if message.type is aiohttp.WSMsgType.BINARY:
                seen += 1
                await page.send_str(f'{{"type":"ack","seq":{seen}}}')
        if abort:
            page._writer.transport.abort()
        else:
            await page.close()
        return seen
