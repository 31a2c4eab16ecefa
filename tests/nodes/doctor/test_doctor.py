"""`rtgraph doctor`: the report, its exit code, and what it says of senders, ports and devices."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from rtgraph import RtGraphError
from rtgraph.nodes.doctor import devices, doctor, examine, machine, network, sensors
from rtgraph.nodes.doctor.finding import Finding, as_json, as_text
from rtgraph.nodes.sink.oscquery import VRChat, ask
from rtgraph.planner import plan_text

GOOD = Finding("machine", "processor", "ok", "fast")
ABSENT = Finding("cameras", "devices", "missing", "none", "connect one")
WRONG = Finding("network", "viewer", "problem", "127.0.0.1:80: cannot listen", "choose another `port`")


def run(*args):
    app = typer.Typer()
    app.command()(doctor)
    return CliRunner().invoke(app, args)


def graph(config, kind="sink.live_link"):
    return plan_text(f"""
version: 1
nodes:
  face: {{type: face.tour}}
  sender: {{type: {kind}, config: {json.dumps(config)}, inputs: {{frame: face.frame}}}}
""")


def test_the_report_reads_well():
    assert as_text([GOOD, ABSENT, WRONG]) == (
        "machine\n"
        "  ok      processor  fast\n"
        "\n"
        "cameras\n"
        "  missing devices    none\n"
        "                     -> connect one\n"
        "\n"
        "network\n"
        "  PROBLEM viewer     127.0.0.1:80: cannot listen\n"
        "                     -> choose another `port`\n"
        "\n"
        "1 problem"
    )
    assert as_text([GOOD, ABSENT]).endswith("no problems; 1 thing missing that a graph can do without")
    assert as_text([GOOD]).endswith("no problems")


def test_json_says_the_same():
    assert json.loads(as_json([GOOD, WRONG])) == {
        "healthy": False,
        "findings": [
            {"section": "machine", "name": "processor", "status": "ok", "text": "fast", "remedy": ""},
            {
                "section": "network",
                "name": "viewer",
                "status": "problem",
                "text": "127.0.0.1:80: cannot listen",
                "remedy": "choose another `port`",
            },
        ],
    }


@pytest.mark.parametrize(("findings", "code"), [([GOOD, ABSENT], 0), ([GOOD, WRONG], 1)])
def test_the_exit_code(monkeypatch, findings, code):
    monkeypatch.setattr("rtgraph.nodes.doctor.examine", lambda plan: iter(findings))
    result = run()
    assert result.exit_code == code
    assert result.stdout == as_text(findings) + "\n"
    assert json.loads(run("--json").stdout)["healthy"] is (code == 0)


def test_on_this_machine():
    """Every section has something to say, and nothing is told twice."""
    findings = list(examine(None))
    sections = list(dict.fromkeys(f.section for f in findings))
    assert sections == [
        *("machine", "kernels", "packages", "bundled files", "microphones", "cameras", "network")
    ]
    assert len({(f.section, f.name) for f in findings}) == len(findings)
    for f in findings:
        assert f.text
        assert f.status == "ok" or f.remedy or f.name == "GPU", f
    by_name = {f.name: f for f in findings}
    assert by_name["CPU"].status == "ok"
    assert by_name["loopback"].status == "ok"
    assert by_name["clips"].status == "ok"
    assert {"sink.vrchat", "sink.vmc", "sink.live_link"} <= set(by_name)


def test_a_receiver_that_is_there_and_one_that_is_not():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        port = receiver.getsockname()[1]
        (found,) = network.targets(graph({"port": port}))
        assert (found.status, found.name) == ("ok", "sender (sink.live_link)")
        assert found.text == f"127.0.0.1:{port}: a program listens"
    (found,) = network.targets(graph({"port": port}))
    assert found.status == "missing"
    assert "nothing listens on that port" in found.text
    assert "Unreal" in found.remedy


def test_a_host_that_is_not_known():
    (found,) = network.targets(graph({"host": "no such host"}))
    assert found.status == "problem"
    assert "'no such host' is not known" in found.text


def test_the_ports_of_servers():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        (taken,) = network.servers(graph({"port": port}, "sink.websocket"))
        assert "something is there already" in taken.text
        assert taken.status == "problem"
        assert "set `port`" in taken.remedy
    (free,) = network.servers(graph({"port": port}, "sink.websocket"))
    assert (free.status, free.text) == ("ok", f"127.0.0.1:{port}: free to listen at")
    (elsewhere,) = network.servers(graph({"host": "203.0.113.7", "port": port}, "sink.websocket"))
    assert elsewhere.status == "problem"
    assert "cannot listen" in elsewhere.text


def test_the_port_of_a_server_at_an_ipv6_address():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
    (found,) = network.servers(graph({"host": "::1", "port": port}, "sink.websocket"))
    assert found.text.startswith(f"[::1]:{port}: ")
    if found.status == "problem":  # a machine without IPv6
        assert "cannot listen" in found.text
        return
    with socket.socket(socket.AF_INET6) as other:
        other.bind(("::1", port))
        other.listen()
        (taken,) = network.servers(graph({"host": "::1", "port": port}, "sink.websocket"))
    assert "something is there already" in taken.text


def test_a_server_at_what_is_no_host():
    (found,) = network.servers(graph({"host": "a..b"}, "sink.websocket"))
    assert found.status == "problem"
    assert "'a..b' is not known" in found.text


def test_another_program_on_the_port_of_a_server():
    def greet(server):
        for _ in range(2):  # the doctor connects, then asks
            client, _ = server.accept()
            with client:
                client.sendall(b"220 smtp\r\n")

    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        threading.Thread(target=greet, args=(server,), daemon=True).start()
        (found,) = network.servers(graph({"port": server.getsockname()[1]}, "sink.websocket"))
    assert found.status == "problem"
    assert "does not speak HTTP" in found.text


def test_a_vrchat_that_answers_and_others_that_do_not(monkeypatch):
    ended = []

    def browsing(http):
        monkeypatch.setattr(network, "browse_network", lambda: (lambda: http, lambda: ended.append(True)))

    def answers(http):
        types = {"/avatar/parameters/v2/JawOpen": "f", "/avatar/parameters/v2/JawX1": "T"}
        return VRChat(("192.0.2.1", 9000), types)

    monkeypatch.setattr(network, "ask", answers)
    browsing(("127.0.0.1", 1))
    (found,) = network.vrchat()
    assert (found.status, found.remedy) == ("ok", "")
    assert found.text == "answers; takes OSC at 192.0.2.1:9000; the avatar has 2 face parameters"

    monkeypatch.setattr(network, "ask", ask)
    (silent,) = network.vrchat()
    assert silent.status == "problem"
    assert "does not answer" in silent.text

    monkeypatch.setattr(network, "_SEARCH_S", 0.01)
    browsing(None)
    (absent,) = network.vrchat()
    assert absent.status == "missing"
    assert ended == [True] * 3


def of_sensor(kind, **config):
    nodes = {"s": {"type": kind, "config": config}}
    (found,) = sensors.sensors(plan_text(json.dumps({"version": 1, "nodes": nodes})))
    assert found.name == f"s ({kind})"
    return found


@pytest.mark.parametrize(
    ("kind", "wanted", "fallback"),
    [
        ("audio.microphone", {"device": "no such microphone"}, "asset:clips/hello.flac"),
        ("eye.camera_pair", {"left": "/dev/no_such_camera"}, True),
    ],
)
def test_a_sensor_that_is_not_there_and_what_plays_instead(kind, wanted, fallback):
    alone = of_sensor(kind, **wanted)
    assert alone.status == "problem"
    assert alone.remedy
    replaced = of_sensor(kind, **wanted, fallback=fallback)
    assert replaced.status == "missing"
    assert (
        replaced.text
        == f"{alone.text}; instead, {'rendered eyes' if fallback is True else fallback} will play"
    )


def test_a_camera_that_is_there(tmp_path):
    (tmp_path / "video0").touch()
    found = of_sensor("eye.camera_pair", left=str(tmp_path / "video0"), right=str(tmp_path / "video2"))
    assert found.status == "ok"
    assert found.text.startswith(f"will read {tmp_path}/video0; {tmp_path}/video2: No such file")


def test_a_stream_and_osc_that_are_there_and_not():
    with socket.socket() as web, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        web.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        stream = of_sensor("eye.mjpeg", left=f"http://127.0.0.1:{web.getsockname()[1]}/stream")
        taken = of_sensor("eye.osc", port=other.getsockname()[1])
    assert stream.status == "missing"
    assert "Connection refused" in stream.text
    assert taken.status == "problem"
    assert "in use" in taken.text
    assert of_sensor("eye.osc", port=0).text.endswith("nothing comes")
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).parents[1] / "eye_server.py"), "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        url = f"http://127.0.0.1:{int(server.stdout.readline())}/left"
        stream = of_sensor("eye.mjpeg", left=url)
    finally:
        server.kill()
        server.wait()
    assert (stream.status, stream.text) == ("ok", f"{url} sends images of 160 x 120")


def test_without_weights(monkeypatch, tmp_path):
    monkeypatch.setattr(devices, "bundled", lambda folder: tmp_path / folder)
    assert [f.status for f in devices.assets()] == ["problem"] * 3


def test_without_a_sound_driver(monkeypatch):
    def broken(name):
        raise RtGraphError("pyaudio is not installed")

    monkeypatch.setattr("rtgraph.nodes.audio.capture.open_backend", broken)
    (found,) = devices.microphones()
    assert (found.status, found.text) == ("missing", "pyaudio is not installed")


def test_a_busy_machine_is_told(monkeypatch):
    import numpy as np

    monkeypatch.setattr(machine, "timer_lateness_ms", lambda: np.full(100, 20.0))
    (timer,) = [f for f in machine.machine() if f.name == "timer"]
    assert timer.status == "problem"
    assert "20.00 ms late" in timer.text
