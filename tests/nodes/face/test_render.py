"""`rtgraph render`: pictures of the default head, and videos of them, without a display."""

from __future__ import annotations

import json
import shutil
import subprocess

import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip("moderngl")
pytest.importorskip("PIL")

from rtgraph import AssetError
from rtgraph.cli.app import app
from rtgraph.kernels.decode import DecodeState, decode
from rtgraph.models.avatar import find_head, load_head, rig_inputs
from rtgraph.models.expression import FRAME, INDEX
from rtgraph.nodes.face.render import command
from rtgraph.nodes.face.render.camera import Camera
from rtgraph.nodes.face.render.scene import Scene
from rtgraph.nodes.face.render.video import write_video

run = CliRunner().invoke


@pytest.fixture
def face_csv(tmp_path):
    """A second at 50 Hz in which the jaw falls and the eyes close."""
    rows = [f"time_s,{','.join(FRAME)}"]
    for k in range(51):
        frame = np.zeros(len(FRAME))
        frame[INDEX["jawOpen"]] = k / 50
        frame[[INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]] = k / 50
        rows.append(f"{k / 50:.3f}," + ",".join(f"{x:g}" for x in frame))
    path = tmp_path / "face.csv"
    path.write_text("\n".join(rows))
    return path


def still(head, gaussians=False):
    """The head at rest, decoded."""
    state = DecodeState(head.rig(gaussians=gaussians))
    return decode(state, rig_inputs(np.zeros(len(FRAME)), head.card.correctives))


def test_no_light_from_behind_shines_on_closed_lips():
    """The rim light would, were it not for the head between: a white line, brighter than any lip."""
    head = load_head("default")
    lips = Camera(target=(0.0, -0.03, 0.09), distance_m=0.2, yaw=np.radians(12))
    scene = Scene(head, find_head("default").with_suffix(".glb"), 240, 240, lips)
    picture = scene.draw_mesh(still(head))
    scene.close()
    assert picture[110:130, 46:193].min(axis=2).max() < 195  # without the rim's shadow 230


def test_a_head_fills_the_middle_and_the_background_the_corners():
    head = load_head("default")
    scene = Scene(head, None, 160, 160, Camera())
    picture = scene.draw_mesh(still(head))
    scene.close()
    assert picture.shape == (160, 160, 3)
    assert picture[:8, :8].max() < 40
    assert picture[:8, -8:].max() < 40
    assert picture[60:100, 60:100].mean() > 80
    left, right = picture[:, :80].mean(), picture[:, 80:].mean()
    assert right > left  # the key light stands on the person's left, which is the picture's right


def test_gaussians_are_lit_as_the_mesh_is():
    head = load_head("default")
    scene = Scene(head, find_head("default").with_suffix(".glb"), 160, 160, Camera())
    mesh, splats = scene.draw_mesh(still(head)), scene.draw_gaussians(still(head, gaussians=True))
    scene.close()
    cheeks = (slice(72, 84), slice(60, 72)), (slice(72, 84), slice(88, 100))
    for place in cheeks:
        expected, got = (picture[place].mean(axis=(0, 1)) for picture in (mesh, splats))
        np.testing.assert_allclose(got, expected, atol=30)
        assert got[0] > got[1] > got[2]
    assert splats[cheeks[1]].mean() > splats[cheeks[0]].mean() + 3  # the key light, and the nose's shadow
    for picture in (mesh, splats):  # the chin's shadow lies on one side of the neck
        assert picture[115:120, 64:70].mean() < 0.85 * picture[115:120, 92:97].mean()
    assert splats[:8, :8].max() < 40


def test_the_picture_follows_the_face(face_csv, tmp_path):
    from PIL import Image

    pictures = []
    for at in ("0", "1"):
        out = tmp_path / f"{at}.png"
        done = run(app, ["render", str(face_csv), "-o", str(out), "--size", "200x200", "--at", at])
        assert done.exit_code == 0, done.output
        pictures.append(np.asarray(Image.open(out)).astype(int))
    changed = np.abs(pictures[1] - pictures[0]).max(axis=2) > 24
    rows = np.flatnonzero(changed.any(axis=1))
    assert 0.02 < changed.mean() < 0.2  # lids and mouth, not the whole head
    assert rows.max() - rows.min() > 40


def test_a_part_of_the_time_from_a_camera_that_sways(face_csv, tmp_path):
    seen = []

    def note(path, pictures, rate_hz, audio, start_s):
        seen.append((list(pictures), start_s))

    for sway in ("0", "20"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(command, "write_video", note)
            arguments = ["--size", "64x64", "--fps", "10", "--at", "0.2", "--duration", "0.4", "--sway", sway]
            done = run(app, ["render", str(face_csv), "-o", str(tmp_path / "a.mp4"), *arguments])
            assert done.exit_code == 0, done.output
    (firm, start_s), (swaying, _) = seen
    assert (len(firm), len(swaying), start_s) == (5, 5, 0.2)
    change = [np.abs(a.astype(int) - b).mean() for a, b in zip(firm, swaying, strict=True)]
    assert change[1] > 3
    assert change[4] < 0.5  # where it began
    done = run(app, ["render", str(face_csv), "-o", str(tmp_path / "a.png"), "--at", "9"])
    assert "ends at 1 s" in done.output


def test_a_mark_is_written_into_the_corner(face_csv, tmp_path):
    from PIL import Image

    pictures = []
    for words in ("", "synthetic"):
        out = tmp_path / "face.png"
        done = run(app, ["render", str(face_csv), "-o", str(out), "--size", "200x200", "--mark", words])
        assert done.exit_code == 0, done.output
        pictures.append(np.asarray(Image.open(out)).astype(int))
    changed = np.abs(pictures[1] - pictures[0]).max(axis=2)
    assert changed[-30:, -80:].max() > 100
    assert changed[:150].max() == 0


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_a_video_has_every_picture_and_the_sound(face_csv, tmp_path):
    import soundfile

    sound, out = tmp_path / "talk.wav", tmp_path / "out.mp4"
    soundfile.write(sound, np.sin(np.arange(16000) * 0.2) * 0.3, 16000)
    arguments = [
        "render",
        str(face_csv),
        "-o",
        str(out),
        "--size",
        "128x96",
        "--fps",
        "25",
        "--audio",
        str(sound),
    ]
    done = run(app, arguments)
    assert done.exit_code == 0, done.output
    ask = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json", str(out)]
    streams = json.loads(subprocess.run(ask, capture_output=True, check=True).stdout)["streams"]
    video, audio = sorted(streams, key=lambda s: s["codec_type"] == "audio")
    assert (video["width"], video["height"], video["r_frame_rate"]) == (128, 96, "25/1")
    assert int(video["nb_read_frames"]) in (25, 26)  # cut to the sound's second
    assert audio["codec_type"] == "audio"


def test_what_is_wrong_is_said(face_csv, tmp_path, monkeypatch):
    assert "no size" in run(app, ["render", str(face_csv), "--size", "big"]).output
    assert "even" in run(app, ["render", str(face_csv), "--size", "101x100"]).output
    picture = np.zeros((16, 16, 3), np.uint8)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AssetError, match="needs the program ffmpeg"):
        write_video(tmp_path / "out.mp4", iter([picture]), 30)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_a_video_that_cannot_be_written_leaves_nothing(tmp_path):
    out = tmp_path / "out.strange"
    with pytest.raises(AssetError, match=r"ffmpeg refused: (?!.*\.part)"):
        write_video(out, iter([np.zeros((16, 16, 3), np.uint8)] * 3), 30)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_an_earlier_video_stays_until_the_next_one_is_complete(tmp_path):
    out = tmp_path / "out.mp4"
    out.write_bytes(b"my earlier video")
    pictures = [np.zeros((16, 16, 3), np.uint8)] * 3

    def interrupted():
        yield pictures[0]
        raise KeyboardInterrupt

    with pytest.raises(AssetError, match="ffmpeg refused"):
        write_video(out, pictures, 30, audio=tmp_path / "missing.wav")
    with pytest.raises(KeyboardInterrupt):
        write_video(out, interrupted(), 30)
    assert out.read_bytes() == b"my earlier video"
    assert list(tmp_path.iterdir()) == [out]
    write_video(out, pictures, 30)
    assert out.read_bytes()[4:8] == b"ftyp"
    assert list(tmp_path.iterdir()) == [out]
