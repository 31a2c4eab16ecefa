"""OSCQuery: a VRChat of the test's own answers over HTTP, and sink.vrchat sends what its avatar has."""

from __future__ import annotations

import io
import json
import socketserver
import threading
import time
import uuid
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from faces import face, udp_socket
from pythonosc.osc_bundle import OscBundle

from rtgraph import RtGraphError
from rtgraph.nodes.sink import oscquery, vrchat
from rtgraph.nodes.sink.unified_expressions import PARAMETERS
from rtgraph.nodes.sink.vrchat import VRChatSender
from rtgraph.nodes.sink.vrchat_layout import Flag, layout_by_avatar

ROOT = "/avatar/parameters/"


def tree(types):
    """The JSON that VRChat answers with: nested CONTENTS."""
    top = {"FULL_PATH": "/avatar/parameters", "ACCESS": 0, "CONTENTS": {}}
    for address, kind in types.items():
        node, path = top, "/avatar/parameters"
        for part in address.removeprefix(ROOT).split("/"):
            path += f"/{part}"
            node = node["CONTENTS"].setdefault(part, {"FULL_PATH": path, "ACCESS": 0})
            node.setdefault("CONTENTS", {})
        node.update(ACCESS=3, TYPE=kind, VALUE=[0])
    return top


@contextmanager
def a_vrchat(host_info, types):
    answers = {"/?HOST_INFO": host_info, "/avatar/parameters": tree(types)}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(answers[self.path]).encode())

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield server.server_address
    finally:
        server.shutdown()
        server.server_close()


def test_it_is_asked_where_it_listens_and_what_the_avatar_has():
    types = {f"{ROOT}FT/v2/JawOpen": "f", f"{ROOT}Grounded": "T", f"{ROOT}VRCEmote": "i"}
    with a_vrchat({"NAME": "VRChat-Client-A1", "OSC_IP": "127.0.0.1", "OSC_PORT": 9123}, types) as http:
        assert oscquery.ask(http) == oscquery.VRChat(("127.0.0.1", 9123), types)
    with a_vrchat({"OSC_IP": "0.0.0.0", "OSC_PORT": 9000}, {}) as http:
        assert oscquery.ask(http).osc == ("127.0.0.1", 9000)
    with a_vrchat({"NAME": "another program"}, {}) as http, pytest.raises(ValueError, match="no OSC_PORT"):
        oscquery.ask(http)


@contextmanager
def a_program_that_says(words):
    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(1000)
            self.request.sendall(words)

    server = socketserver.TCPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield server.server_address
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("words", [b"220 smtp\r\n", b"HTTP/1.0 200 OK\r\n\r\n" + b"[" * 100_000])
def test_another_program_is_no_vrchat_and_the_search_goes_on(words):
    with a_program_that_says(words) as place:
        with pytest.raises(OSError, match="does not answer as OSCQuery"):
            oscquery.ask(place)
        asked = threading.Event()
        finder = oscquery.VRChatFinder(lambda: (lambda: asked.is_set() or asked.set() or place, lambda: None))
        asked.wait(5)
        finder._thread.join(0.3)
        assert finder._thread.is_alive()
        finder.close()


def test_an_ipv6_address_stands_in_brackets(monkeypatch):
    asked = []

    def urlopen(url, timeout):
        asked.append(url)
        return io.BytesIO(b'{"OSC_PORT": 9000}')

    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    assert oscquery.ask(("fe80::1", 8060)).osc == ("fe80::1", 9000)
    assert asked == [f"http://[fe80::1]:8060{path}" for path in ("/?HOST_INFO", "/avatar/parameters")]


def test_the_avatar_decides_the_form():
    layout = layout_by_avatar(
        {
            f"{ROOT}v2/JawOpen": "f",
            f"{ROOT}FT/v2/Head/Yaw": "f",
            f"{ROOT}FT/v2/JawX1": "T",
            f"{ROOT}FT/v2/JawX2": "T",
            f"{ROOT}FT/v2/JawXNegative": "F",
            f"{ROOT}v2/TongueOut1": "T",
            f"{ROOT}v2/NotOurs": "f",
            f"{ROOT}JawOpen": "f",
            "/elsewhere/v2/JawOpen": "f",
        },
        tuple(PARAMETERS),
    )
    assert layout.floats == ((f"{ROOT}v2/JawOpen", "JawOpen"), (f"{ROOT}FT/v2/Head/Yaw", "Head/Yaw"))
    assert layout.flags == (
        Flag(f"{ROOT}FT/v2/JawX1", "JawX", 1, 3, True),
        Flag(f"{ROOT}FT/v2/JawX2", "JawX", 2, 3, True),
        Flag(f"{ROOT}FT/v2/JawXNegative", "JawX", 0, 3, True),
        Flag(f"{ROOT}v2/TongueOut1", "TongueOut", 1, 1, False),
    )


def test_the_sender_follows(monkeypatch):
    types = {f"{ROOT}v2/JawOpen": "f", f"{ROOT}v2/JawX1": "T", f"{ROOT}v2/SmileSad1": "T"}
    with udp_socket() as receiver, a_vrchat({"OSC_PORT": receiver.getsockname()[1]}, types) as http:
        ended = []
        monkeypatch.setattr(vrchat, "browse_network", lambda: (lambda: http, lambda: ended.append(True)))
        sender = VRChatSender(VRChatSender.Config(oscquery=True, eyes="none"))
        sender.connect(None)
        until = time.monotonic() + 5
        while sender._finder.found is None and time.monotonic() < until:
            time.sleep(0.01)
        sender.send(face(jawOpen=0.5, jawLeft=1, mouthFrownLeft=1), 0)
        received = {m.address: m.params for m in OscBundle(receiver.recv(2048))}
        sender.disconnect()
    assert ended == [True]
    assert received == {
        f"{ROOT}EyeTrackingActive": [True],
        f"{ROOT}ExpressionTrackingActive": [True],
        f"{ROOT}LipTrackingActive": [True],
        f"{ROOT}v2/JawOpen": [0.5],
        f"{ROOT}v2/JawX1": [False],  # to the left, and the avatar has no sign for it
        f"{ROOT}v2/SmileSad1": [False],
    }


def test_when_it_has_gone_the_config_holds_again(monkeypatch):
    """The server ends: after the next question what is found is nothing."""
    monkeypatch.setattr(oscquery, "_POLL_S", 0.02)
    with a_vrchat({"OSC_PORT": 9000}, {}) as http:
        finder = oscquery.VRChatFinder(lambda: (lambda: http, lambda: None))
        until = time.monotonic() + 5
        while finder.found is None and time.monotonic() < until:
            time.sleep(0.01)
        assert finder.found is not None
    while finder.found is not None and time.monotonic() < until:
        time.sleep(0.01)
    assert finder.found is None
    finder.close()


def test_an_announcement_on_the_network_is_found_and_its_end_noticed():
    zeroconf = pytest.importorskip("zeroconf")
    name = f"{oscquery.CLIENT}-{uuid.uuid4().hex[:6]}.{oscquery.SERVICE}"
    info = zeroconf.ServiceInfo(
        oscquery.SERVICE, name, addresses=[bytes([127, 0, 0, 1])], port=40001, server="rtgraph-test.local."
    )
    where, end = oscquery.browse_network()
    announcer = zeroconf.Zeroconf()
    try:
        announcer.register_service(info)
        until = time.monotonic() + 5
        while where() != ("127.0.0.1", 40001) and time.monotonic() < until:
            time.sleep(0.02)
        assert where() == ("127.0.0.1", 40001)
        announcer.unregister_service(info)
        while where() is not None and time.monotonic() < until:
            time.sleep(0.02)
        assert where() is None
    finally:
        announcer.close()
        end()


def test_without_zeroconf(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "zeroconf", None)
    with pytest.raises(RtGraphError, match=r"pip install 'rtgraph\[oscquery\]'"):
        oscquery.browse_network()
