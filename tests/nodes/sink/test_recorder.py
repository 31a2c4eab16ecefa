"""sink.recorder: each format read by another program's reader, crashes, and full disks."""

from __future__ import annotations

import base64
import csv
import errno
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import traceback

import numpy as np
import pytest
from faces import face, random_face
from mcap.reader import NonSeekingReader, make_reader
from pygltflib import GLTF2

from rtgraph import EndOfStream, GraphError, Output, Packet, RtGraphError, Source, register
from rtgraph.context import Context
from rtgraph.models.avatar import load_head
from rtgraph.models.expression import ARKIT, FRAME, INDEX
from rtgraph.nodes.face.types import ExpressionFrame
from rtgraph.nodes.sink import table
from rtgraph.nodes.sink.bones import quaternion
from rtgraph.nodes.sink.recorder import Recorder
from rtgraph.nodes.sink.recording_glb import face_animation
from rtgraph.nodes.sink.recording_mcap import McapRecording
from rtgraph.planner import plan_text
from rtgraph.scheduler import Runner
from rtgraph.testing import run_node


def record(path, frames, rate_hz=50.0, **config):
    return run_node(Recorder, {"frame": frames}, config={"path": str(path), **config}, rate_hz=rate_hz)


def faces_in(stream):
    """[N, 62] seconds and numbers of the readable messages of an MCAP file, complete or not."""
    rows = []
    reader = NonSeekingReader(stream)
    messages = reader.iter_messages(log_time_order=False)
    while True:
        try:
            _, channel, message = next(messages)
        except Exception:  # the end, or where the file breaks off
            return np.array(rows)
        if channel.topic == "/face":
            numbers = json.loads(message.data)
            rows.append([message.log_time * 1e-9, *(numbers[name] for name in FRAME)])


def test_csv(tmp_path):
    sent = [random_face(i) for i in range(20)]
    record(tmp_path / "new" / "a.csv", sent)
    header, *rows = csv.reader((tmp_path / "new" / "a.csv").read_text().splitlines())
    assert header == ["time_s", *FRAME]
    np.testing.assert_array_equal(np.array(rows, np.float64)[:, 1:].astype(np.float32), sent)
    np.testing.assert_allclose(np.array(rows, np.float64)[:, 0], np.arange(20) / 50, atol=1e-6)


def test_sound_and_face_keep_their_own_times(tmp_path):
    """Also where both wait at the same moment. A face is stamped when it was, a block of sound when it began."""
    frames = [Packet(face(jawOpen=0.1 * k), 20_000_000 * (k + 1)) for k in range(5)]
    sound = [Packet(np.full(160, 0.01 * k, np.float32), 10_000_000 * (k + 1)) for k in range(10)]
    config = {"path": str(tmp_path / "both.mcap")}
    run_node(Recorder, {"frame": frames, "audio": sound}, config=config, rate_hz=1000.0)
    times_ms = {"/face": [], "/audio": []}
    with open(tmp_path / "both.mcap", "rb") as stream:
        for _, channel, message in NonSeekingReader(stream).iter_messages(log_time_order=False):
            times_ms[channel.topic].append(message.log_time // 1_000_000)
            stamp = json.loads(message.data)["timestamp"]
            assert stamp["sec"] * 1_000_000_000 + stamp["nsec"] == message.log_time
    assert times_ms == {"/face": list(range(20, 101, 20)), "/audio": list(range(0, 100, 10))}


def test_time_counts_from_the_start_of_the_run(tmp_path):
    """The face of the first 20 ms of sound is at 0.02 s, as face.file plays it."""
    stamped = [Packet(face(jawOpen=0.1 * k), 20_000_000 * (k + 1)) for k in range(5)]
    record(tmp_path / "late.csv", stamped)
    times_s = [float(line.split(",")[0]) for line in (tmp_path / "late.csv").read_text().splitlines()[1:]]
    assert times_s == [0.02, 0.04, 0.06, 0.08, 0.1]


def test_live_link_csv(tmp_path):
    sent = [random_face(i) for i in range(3)]
    record(tmp_path / "a.csv", sent, table="live_link")
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert [row["Timecode"] for row in rows] == ["00:00:00:00.000", "00:00:00:01.200", "00:00:00:02.400"]
    assert [float(row["JawLeft"]) for row in rows] == [pytest.approx(f[INDEX["jawLeft"]]) for f in sent]
    assert [float(row["HeadYaw"]) for row in rows] == [pytest.approx(-f[INDEX["headYaw"]]) for f in sent]


def test_mcap_with_sound(tmp_path):
    sent = [random_face(i) for i in range(200)]
    sound = [np.random.default_rng(i).uniform(-1, 1, 160).astype(np.float32) for i in range(200)]
    config = {"path": str(tmp_path / "a.mcap")}
    run_node(Recorder, {"frame": sent, "audio": sound}, config=config)
    with open(tmp_path / "a.mcap", "rb") as stream:
        reader = make_reader(stream)
        summary = reader.get_summary()
        counts = {c.topic: summary.statistics.channel_message_counts[i] for i, c in summary.channels.items()}
        assert counts == {"/face": 200, "/audio": 200}
        faces = [(m.log_time, json.loads(m.data)) for _, _, m in reader.iter_messages("/face")]
        chunks = [json.loads(m.data) for _, _, m in reader.iter_messages("/audio")]
    assert [t for t, _ in faces] == [i * 10_000_000 for i in range(200)]
    np.testing.assert_allclose([[f[name] for name in FRAME] for _, f in faces], sent, atol=1e-7)
    heard = np.concatenate([np.frombuffer(base64.b64decode(c["data"]), "<i2") for c in chunks]) / 32767
    np.testing.assert_allclose(heard, np.concatenate(sound), atol=1e-4)
    assert {c["sample_rate"] for c in chunks} == {16000}
    assert os.listdir(tmp_path) == ["a.mcap"]


def accessor(gltf, number):
    a = gltf.accessors[number]
    view = gltf.bufferViews[a.bufferView]
    data = np.frombuffer(gltf.binary_blob(), "<f4", offset=view.byteOffset, count=view.byteLength // 4)
    return data.reshape(a.count, -1)


def test_glb(tmp_path):
    sent = [random_face(i) for i in range(30)]
    record(tmp_path / "a.glb", sent)
    gltf = GLTF2().load(str(tmp_path / "a.glb"))
    assert gltf.meshes[0].extras["targetNames"] == list(ARKIT)
    assert {"skin", "hair", "teeth_upper", "eye_left"} <= {mesh.name for mesh in gltf.meshes}
    (animation,) = gltf.animations
    found = {}
    for channel in animation.channels:
        sampler = animation.samplers[channel.sampler]
        np.testing.assert_allclose(accessor(gltf, sampler.input)[:, 0], np.arange(30) / 50, atol=1e-6)
        node = gltf.nodes[channel.target.node].name
        found[node, channel.target.path] = accessor(gltf, sampler.output)
    assert {name for name, path in found if path == "rotation"} == {"head", "leftEye", "rightEye"}
    weights = np.array(sent)[:, :52]
    np.testing.assert_allclose(found["skin", "weights"].reshape(30, 52), weights, atol=1e-6)
    for mesh in gltf.meshes[1:]:  # these have the targets that move them
        if mesh.extras:
            columns = [INDEX[name] for name in mesh.extras["targetNames"]]
            np.testing.assert_allclose(
                found[mesh.name, "weights"].reshape(30, -1), weights[:, columns], atol=1e-6
            )
    expected = np.array([quaternion(*f[52:55].tolist()) for f in sent])
    alike = np.abs(np.sum(found["head", "rotation"] * expected, axis=1))
    np.testing.assert_allclose(alike, 1, atol=1e-6)
    assert os.listdir(tmp_path) == ["a.glb"]


def test_glb_leaves_the_files_beside_it_alone(tmp_path):
    (tmp_path / "a.glb.csv").write_text("mine")
    record(tmp_path / "a.glb", [face(), face(jawOpen=1)])
    assert (tmp_path / "a.glb.csv").read_text() == "mine"
    assert sorted(os.listdir(tmp_path)) == ["a.glb", "a.glb.csv"]


def test_glb_without_frames_and_with_times_that_stand_still(tmp_path):
    record(tmp_path / "a.glb", [])
    assert not GLTF2().load(str(tmp_path / "a.glb")).animations
    times = np.array([0, 0.1, 0.1, 0.05, 0.2])
    (tmp_path / "b.glb").write_bytes(face_animation(load_head("default"), times, np.zeros((5, 61))))
    gltf = GLTF2().load(str(tmp_path / "b.glb"))
    times = accessor(gltf, gltf.animations[0].samplers[0].input)[:, 0]
    np.testing.assert_allclose(times, [0, 0.1, 0.2])


def test_bad_frames_are_left_out(tmp_path):
    broken = face(jawOpen=np.nan)
    recording = record(tmp_path / "a.csv", [face(), broken, face(jawOpen=1)])
    assert recording.profile.nodes["node"].counters["bad_frames"] == 1
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 3


def test_sound_has_no_place_in_a_table(tmp_path, caplog):
    config = {"path": str(tmp_path / "a.csv")}
    run_node(Recorder, {"frame": [face()], "audio": [np.zeros(160, np.float32)]}, config=config)
    assert "no place for sound" in caplog.text


_KILLED = """
import sys
import numpy as np
from rtgraph.nodes.sink.recorder import Recorder
from rtgraph.context import Context
from pathlib import Path

class At:
    def __init__(self, i): self.timestamp_ns = i * 20_000_000
    start_ns = 0
    def count(self, *_): pass
    def warn(self, text): print(text)

recorders = []
for path in sys.argv[1:]:
    recorder = Recorder(Recorder.Config(path=path))
    recorders.append(recorder)  # kept, so that nothing is closed before the end
    recorder.open(Context("recorder", Path(), "manual"))
    for i in range(500):
        recorder.process(np.full(61, i / 500, np.float32), None, At(i))
print("recorded", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A folder with what a process leaves that was killed while it recorded a.csv, a.mcap and a.glb."""
    folder = tmp_path_factory.mktemp("killed")
    process = subprocess.Popen(
        [sys.executable, "-c", _KILLED, *(str(folder / f"a.{suffix}") for suffix in ("csv", "mcap", "glb"))],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout.readline() == "recorded\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdin.close()
    process.stdout.close()
    return folder


@pytest.mark.parametrize("suffix", ["csv", "mcap", "glb"])
def test_what_a_killed_process_leaves_is_readable(killed, suffix):
    (part,) = killed.glob(f".a.{suffix}*")
    if suffix == "mcap":
        with open(part, "rb") as stream:
            rows = faces_in(stream)
    else:
        rows = np.loadtxt(part, delimiter=",", skiprows=1)
        assert len(rows) == 500
    assert len(rows) > 400
    np.testing.assert_allclose(rows[:, 0], np.arange(len(rows)) / 50, atol=1e-6)
    np.testing.assert_allclose(rows[:, 1:], np.repeat(np.arange(len(rows))[:, None] / 500, 61, 1), atol=1e-6)


class FullDisk(io.FileIO):
    """Takes `room` bytes; the write that would go beyond is cut short, the next fails."""

    room = 0

    def write(self, data):
        part = bytes(data[: max(0, FullDisk.room - self.tell())])
        if not part:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(part)


@pytest.fixture
def small_disk(monkeypatch):
    monkeypatch.setattr(table, "open", lambda path, mode, buffering: FullDisk(path, mode), raising=False)


@pytest.mark.parametrize(
    ("name", "config"),
    [("a.csv", {}), ("a.csv", {"table": "live_link"}), ("a.mcap", {}), ("a.glb", {})],
)
def test_a_full_disk_ends_neither_the_run_nor_the_file(tmp_path, small_disk, caplog, name, config):
    FullDisk.room = 300_000
    sent = [np.full(61, i / 1000, np.float32) for i in range(1000)]
    recording = record(tmp_path / name, sent, **config)
    lost = recording.profile.nodes["node"].counters["lost_frames"]
    assert "No space left on device" in caplog.text
    if name == "a.mcap":
        with open(tmp_path / name, "rb") as stream:
            kept = faces_in(stream)[:, 1 + INDEX["jawOpen"]]
    elif name == "a.glb":
        gltf = GLTF2().load(str(tmp_path / name))
        (weights,) = (
            accessor(gltf, gltf.animations[0].samplers[channel.sampler].output).reshape(-1, 52)
            for channel in gltf.animations[0].channels
            if gltf.nodes[channel.target.node].name == "skin"
        )
        kept = weights[:, INDEX["jawOpen"]]
    else:
        rows = list(csv.DictReader((tmp_path / name).read_text().splitlines()))
        kept = np.array([float(row.get("jawOpen") or row.get("JawOpen")) for row in rows])
    assert len(kept) + lost == 1000
    assert len(kept) > 100
    # A shorter row may still fit where a longer one did not; none is broken, none stands twice.
    np.testing.assert_allclose(kept[:100], np.arange(100) / 1000, atol=1e-6)
    assert np.abs(kept * 1000 - np.rint(kept * 1000)).max() < 1e-3
    assert (np.diff(kept) > 0).all()


def test_each_frame_that_does_not_fit_is_an_error_of_its_own(tmp_path, small_disk):
    """One exception that is raised again and again grows by its traceback each time."""
    FullDisk.room = 10_000
    recording = McapRecording(tmp_path / "a.mcap", 0, 16000)
    errors = []
    for i in range(200):
        try:
            recording.add_frame(i, face())
        except OSError as error:
            errors.append(error)
    recording.discard()
    assert recording.lost == 200
    assert len({id(error) for error in errors}) == len(errors) > 100
    assert {(error.errno, error.strerror) for error in errors} == {(errno.ENOSPC, "No space left on device")}
    assert {len(traceback.extract_tb(error.__traceback__)) for error in errors[1:]} == {3}


@register("test.room_maker")
class RoomMaker(Source):
    """A hundred faces a second for a second; half-way there is room on the disk again."""

    frame = Output(ExpressionFrame, rate_hz=100.0)

    def rate_hz(self):
        return 100.0

    def open(self, ctx):
        self.sent = 0

    def process(self, ctx):
        if self.sent == 100:
            raise EndOfStream
        self.sent += 1
        if self.sent == 50:
            FullDisk.room = 1_000_000
        return random_face(self.sent)


def test_a_table_goes_on_when_there_is_room(tmp_path, small_disk):
    FullDisk.room = 5000
    plan = plan_text(
        json.dumps(
            {
                "version": 1,
                "clock": "manual",
                "nodes": {
                    "face": {"type": "test.room_maker"},
                    "sink": {
                        "type": "sink.recorder",
                        "config": {"path": str(tmp_path / "a.csv")},
                        "inputs": {"frame": "face.frame"},
                    },
                },
            }
        )
    )
    with Runner(plan) as runner:
        runner.run()
        lost = runner.profile().nodes["sink"].counters["lost_frames"]
    rows = np.loadtxt(tmp_path / "a.csv", delimiter=",", skiprows=1)
    assert len(rows) + lost == 100
    assert rows[-1, 0] == pytest.approx(0.99)


@pytest.mark.parametrize("name", ["a.csv", "a.mcap", "a.glb"])
def test_a_recording_that_is_lost_is_an_error(tmp_path, name):
    """Somebody removes the folder while the run lasts."""
    recorder = Recorder(Recorder.Config(path=str(tmp_path / "out" / name)), "recorder")
    recorder.open(Context("recorder", tmp_path, "manual"))
    shutil.rmtree(tmp_path / "out")
    with pytest.raises(RtGraphError, match=f"node 'recorder': .*{name} cannot be completed: No such file"):
        recorder.close()


def test_places_that_cannot_be_written(tmp_path):
    (tmp_path / "folder.mcap").mkdir()
    with pytest.raises(RtGraphError, match="directory"):
        record(tmp_path / "folder.mcap", [])
    with pytest.raises(GraphError, match="path"):
        record(tmp_path / "a.fbx", [])
