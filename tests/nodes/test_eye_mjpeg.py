"""eye.mjpeg against a real server process on loopback, killed and restarted; and the parser alone."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("cv2")

from rtgraph.nodes.eye.mjpeg import Mjpeg
from rtgraph.nodes.eye.mjpeg_stream import decode_jpeg
from rtgraph.nodes.eye.multipart import MultipartError, MultipartReader
from rtgraph.planner import plan_text
from rtgraph.testing import record

SERVER = Path(__file__).with_name("eye_server.py")


@contextlib.contextmanager
def launched(port=0, style="length"):
    """The server's process; with a port it listens once it is sent a line."""
    command = [sys.executable, str(SERVER), str(port), style]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def server(style="length"):
    """A server that listens, and its port."""
    with launched(style=style) as process:
        yield process, int(process.stdout.readline())


def run(config, duration_s):
    body = ", ".join(f"{key}: {value}" for key, value in config.items())
    plan = plan_text(
        f"version: 1\nnodes:\n  eyes: {{type: eye.mjpeg, config: {{{body}}}}}\n"
        "  end: {type: debug.discard, inputs: {x: eyes.left}}\n",
        "<mjpeg>",
    )
    got = record(plan, {"left": "eyes.left", "right": "eyes.right"}, clock="system", duration_s=duration_s)
    return got, got.profile.nodes["eyes"].counters


@pytest.mark.parametrize("style", ["length", "bare"])
def test_two_streams_become_pairs(style):
    with server(style) as (_, port):
        url = f"http://127.0.0.1:{port}"
        got, counters = run({"left": f"{url}/left", "right": f"{url}/right", "height": 64, "width": 96}, 1.5)
    got.assert_like("left", shape=(64, 96), dtype="uint8")
    assert len(got.outputs["left"]) == len(got.outputs["right"]) > 10
    assert got.timestamps_ns["left"] == got.timestamps_ns["right"]
    assert (np.diff(got.timestamps_ns["left"]) > 0).all()
    both = range(5, len(got.outputs["left"]))
    assert all(abs(int(got.outputs["left"][k][40, 40]) - 64) < 4 for k in both)
    assert sum(abs(int(got.outputs["right"][k][40, 40]) - 192) < 4 for k in both) > 0.9 * len(both)
    assert "damaged_images" not in counters
    # Exposed 30 ms before it arrived, by default: no packet is younger.
    ages = np.array(got.recorded_ns["left"]) - np.array(got.timestamps_ns["left"])
    assert ages.min() >= 30_000_000


def test_damaged_pictures_are_left_out_and_counted():
    with server("damaged") as (_, port):
        got, counters = run({"left": f"http://127.0.0.1:{port}/left"}, 1.2)
    assert counters["damaged_images"] >= 5
    assert len(got.outputs["left"]) >= 10
    assert all(abs(int(image[100, 64]) - 64) < 4 for image in got.outputs["left"])
    # There is no right camera: black, which an eye encoder has no confidence in.
    assert not np.any(got.stacked("right"))
    assert counters["right_missing"] == len(got.outputs["right"])


@pytest.mark.slow
def test_a_killed_server_is_found_again_when_it_is_back():
    def act():
        for _ in ("left", "right"):
            assert first.stdout.readline() == "streaming\n"
        first.kill()
        first.wait()
        time.sleep(0.5)
        second.stdin.write("go\n")
        second.stdin.flush()

    with server() as (first, port), launched(port) as second:
        thread = threading.Thread(target=act)
        thread.start()
        url = f"http://127.0.0.1:{port}"
        got, counters = run({"left": f"{url}/left", "right": f"{url}/right", "timeout_s": 0.5}, 5.0)
        thread.join()
    stamps = np.array(got.timestamps_ns["left"])
    assert counters["reopened"] >= 2
    assert np.diff(stamps).max() > 400_000_000  # it was away
    assert (np.diff(stamps) > 0).all()
    assert len(stamps) - int(np.argmax(np.diff(stamps))) > 15  # and went on


def test_a_server_that_is_not_there_or_no_camera_is_told_and_not_the_end(caplog):
    with server() as (_, port):
        pass
    got, counters = run({"left": f"http://127.0.0.1:{port}/left"}, 0.5)
    assert got.outputs["left"] == []
    assert counters["warnings"] >= 1
    assert "is not there" in caplog.text
    with server() as (_, port):
        run({"left": f"http://127.0.0.1:{port}/nothing"}, 0.6)
    assert "Not Found" in caplog.text


def reader(data, content_type="multipart/x-mixed-replace; boundary=b", step=7):
    """A reader that gets its bytes in small pieces."""
    pieces = [data[k : k + step] for k in range(0, len(data), step)]
    return MultipartReader(content_type, lambda n: pieces.pop(0) if pieces else b"")


@pytest.mark.parametrize("step", [1, 2, 7, 1000])
@pytest.mark.parametrize("newline", [b"\r\n", b"\n"])
@pytest.mark.parametrize("header", ["boundary=b", "boundary=--b", 'boundary="b"'])
def test_parts_are_cut_wherever_the_bytes_are(step, newline, header):
    bodies = [b"\xff\xd8first\xff\xd9", b"\xff\xd8" + bytes(range(14, 256)) + b"\xff\xd9"]
    data = b"".join(
        b"--b" + newline + b"Content-Type: image/jpeg" + newline + newline + body + newline for body in bodies
    )
    parts = reader(data + b"--b--", f"multipart/x-mixed-replace; {header}", step)
    assert [parts.next(), parts.next()] == bodies
    with pytest.raises(MultipartError, match="ended"):
        parts.next()


def test_a_wrong_length_costs_a_picture_and_not_the_stream():
    good = b"\xff\xd8good\xff\xd9"
    data = (
        b"--b\r\nContent-Length: 3\r\n\r\n"
        + good
        + b"\r\n--b\r\nContent-Length: 8\r\n\r\n"
        + good
        + b"\r\n--b--"
    )
    parts = reader(data)
    assert parts.next() == good[:3]
    assert parts.next() == good


def test_no_stream_at_all_is_said():
    with pytest.raises(MultipartError, match=r"answers with 'text/html'.*check the path"):
        reader(b"", "text/html")
    with pytest.raises(MultipartError, match="without the mark"):
        reader(b"x" * 9_000_000, step=1 << 20).next()
    with pytest.raises(MultipartError, match="claims to be"):
        reader(b"--b\r\nContent-Length: 99999999\r\n\r\n").next()


def test_half_a_jpeg_is_no_image():
    import cv2

    whole = cv2.imencode(".jpg", np.full((40, 60), 90, np.uint8))[1].tobytes()
    assert decode_jpeg(cv2, whole).shape == (40, 60)
    assert decode_jpeg(cv2, whole[: len(whole) // 2]) is None
    assert decode_jpeg(cv2, b"\xff\xd8nonsense\xff\xd9") is None
    assert decode_jpeg(cv2, b"") is None


def test_config_says_what_is_missing():
    with pytest.raises(ValueError, match="give `left` and `right`"):
        Mjpeg.Config()
    with pytest.raises(ValueError, match="'ftp://x' is no URL"):
        Mjpeg.Config(left="ftp://x")
