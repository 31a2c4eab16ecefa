"""face.file: our CSV and Live Link Face's, by name, at any rate."""

from __future__ import annotations

import numpy as np
import pytest

from rtgraph import AssetError
from rtgraph.errors import RtGraphError
from rtgraph.models.expression import ANGLES, ARKIT, FRAME, INDEX
from rtgraph.nodes.face.face_csv import read_face_csv
from rtgraph.nodes.face.file import FaceFile
from rtgraph.nodes.sink.live_link_frame import CSV_HEADER, csv_line
from rtgraph.testing import run_node


def pascal(name):
    return name[0].upper() + name[1:]


def write_ours(path, rows, names=FRAME, start_s=0.02, hop_s=0.02):
    lines = [",".join(["time_s", *names])]
    lines += [
        ",".join([f"{start_s + k * hop_s:.6f}", *(f"{v:.6g}" for v in row)]) for k, row in enumerate(rows)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_live_link(path, rows, rate_hz=60):
    """As the app does: PascalCase, JawRight before JawLeft, MouthRight before MouthLeft, timecode."""
    names = list(FRAME)
    for a, b in (("jawLeft", "jawRight"), ("mouthLeft", "mouthRight")):
        i, j = names.index(a), names.index(b)
        names[i], names[j] = b, a
    lines = [",".join(["Timecode", "BlendShapeCount", *map(pascal, names)])]
    for k, row in enumerate(rows):
        frame = 59 * rate_hz + 30 + k
        code = f"23:59:{frame // rate_hz % 60:02d}:{frame % rate_hz:02d}.250"
        if frame >= 60 * rate_hz:
            code = f"00:00:{(frame - 60 * rate_hz) // rate_hz:02d}:{frame % rate_hz:02d}.250"
        lines.append(",".join([code, "61", *(f"{row[INDEX[n]]:.8f}" for n in names)]))
    path.write_text("\n".join(lines) + "\n")
    return path


def faces(count, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 1, (count, 61)).astype(np.float32)


def test_our_file_comes_back_frame_by_frame(tmp_path):
    rows = faces(20)
    got = run_node(FaceFile, config={"path": str(write_ours(tmp_path / "a.csv", rows))})
    got.assert_like("frame", count=20, shape=(61,), dtype="float32", rate_hz=50.0)
    np.testing.assert_allclose(got.stacked("frame"), rows, atol=1e-5)
    assert got.timestamps_ns["frame"][0] == 20_000_000  # a frame's time_s is its time in the run
    np.testing.assert_array_equal(got.outputs["confidence"][0], 1)


def test_live_link_at_60_frames_a_second_over_midnight(tmp_path):
    rows = faces(120, seed=1)
    clip = read_face_csv(write_live_link(tmp_path / "b.csv", rows))
    np.testing.assert_allclose(clip.times_s, np.arange(120) / 60, atol=1e-9)
    np.testing.assert_allclose(clip.frames[:, :52], rows[:, :52], atol=1e-6)
    slow = read_face_csv(tmp_path / "b.csv", frame_rate_hz=120.0)
    assert slow.times_s[1] == pytest.approx(1 / 120)


#: A row as Live Link Face writes it: jaw and mouth to the person's left, head turned to the person's right
#: (yaw positive), nodding down, its right side raised (roll positive); the left eye looks to the left.
LIVE_LINK_ROW = {"JawLeft": 0.25, "MouthRight": 0.5, "HeadYaw": 0.3, "HeadPitch": 0.2, "HeadRoll": 0.1,
                 "LeftEyeYaw": -0.4, "RightEyePitch": -0.05}  # fmt: skip
OURS = {"jawLeft": 0.25, "mouthRight": 0.5, "headYaw": -0.3, "headPitch": 0.2, "headRoll": -0.1,
        "leftEyeYaw": 0.4, "rightEyePitch": -0.05}  # fmt: skip


def test_live_links_signs_are_undone_and_written_alike(tmp_path):
    path = tmp_path / "golden.csv"
    row = [f"{LIVE_LINK_ROW.get(name, 0):g}" for name in CSV_HEADER.split(",")[2:]]
    line = ",".join(["12:00:00:06.000", "61", *row])
    path.write_text(f"{CSV_HEADER}\n{line}\n")
    [frame] = read_face_csv(path).frames
    expected = np.zeros(61, np.float32)
    for name, value in OURS.items():
        expected[INDEX[name]] = value
    np.testing.assert_array_equal(frame, expected)
    written = csv_line(frame, 12 * 3600 + 0.1, 60).split(",")
    assert written[:2] == line.split(",")[:2]
    np.testing.assert_array_equal(np.float32(written[2:]), np.float32(row))


def test_another_rate_is_interpolated(tmp_path):
    rows = np.zeros((11, 61), np.float32)
    rows[:, INDEX["jawOpen"]] = np.linspace(0, 1, 11)
    path = write_ours(tmp_path / "c.csv", rows, start_s=0.0, hop_s=0.1)
    got = run_node(FaceFile, config={"path": str(path), "rate_hz": 100.0})
    np.testing.assert_allclose(got.stacked("frame")[:, INDEX["jawOpen"]], 0.01 * np.arange(1, 101), atol=1e-5)


def test_columns_in_any_order_and_missing_ones_are_no_confidence(tmp_path):
    rows = [(0.5, 0.25), (0.6, 0.35)]
    path = write_ours(tmp_path / "d.csv", rows, names=("HEADYAW", "jawopen"))
    got = run_node(FaceFile, config={"path": str(path)})
    frame, sure = got.outputs["frame"][0], got.outputs["confidence"][0]
    assert (frame[INDEX["headYaw"]], frame[INDEX["jawOpen"]]) == pytest.approx((0.5, 0.25))
    assert np.count_nonzero(frame) == 2
    assert sure.tolist() == [0, 0, 0, 0, 1, 1]  # jaw and head


def test_a_loop_has_no_end(tmp_path):
    path = write_ours(tmp_path / "e.csv", faces(5))
    got = run_node(FaceFile, config={"path": str(path), "loop": True}, duration_s=1.0)
    assert len(got.outputs["frame"]) >= 49


def test_holes_and_values_out_of_range_are_mended_and_counted(tmp_path):
    rows = np.full((4, 61), 0.5)
    rows[1, INDEX["jawOpen"]] = np.nan
    rows[2, INDEX["jawOpen"]] = 1.7
    rows[0, INDEX["browDownLeft"]] = np.nan
    clip = read_face_csv(write_ours(tmp_path / "f.csv", rows))
    assert clip.bad_values == 3
    assert clip.frames[:, INDEX["jawOpen"]].tolist() == [0.5, 0.5, 1.0, 0.5]
    assert clip.frames[0, INDEX["browDownLeft"]] == 0
    got = run_node(FaceFile, config={"path": str(tmp_path / "f.csv")})
    assert got.profile.nodes["node"].counters["bad_values"] == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no face"),
        ("time_s,jawOpen\n", "holds no face"),
        ("when,jawOpen\n0,1\n", r":1: no column says when"),
        ("time_s,jawOpn\n0,1\n", "did you mean 'jawOpen'"),
        ("time_s,jawOpen,JawOpen\n0,1,1\n", "jawOpen stands twice"),
        ("time_s,jawOpen\n0,1\n0.02,x\n", ":3: 'x' is not a number"),
        ("time_s,jawOpen\n0,1\n0.02\n", "has 1 values; expected 2"),
        ("time_s,jawOpen\n0.02,1\n0.02,1\n", ":3: the time does not go on"),
        ("Timecode,JawOpen\n1:2:3,1\n", ":2: '1:2:3' is no timecode"),
    ],
)
def test_mistakes_name_the_place(tmp_path, text, message):
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(AssetError, match=message):
        read_face_csv(path)


def test_a_missing_file_is_an_error_of_the_node():
    with pytest.raises(RtGraphError, match=r"nowhere\.csv"):
        run_node(FaceFile, config={"path": "nowhere.csv"})
    assert len(ARKIT) + len(ANGLES) == 61
