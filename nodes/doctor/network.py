"""What the doctor says of the network: the loopback, receivers on senders' ports, ports of servers."""

from __future__ import annotations

import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException
from typing import Any

import numpy as np

from rtgraph import DeviceError, RtGraphError, registry
from rtgraph.graph import Plan
from rtgraph.nodes.doctor.finding import Finding
from rtgraph.nodes.sink.address import host_port, resolve
from rtgraph.nodes.sink.face_sender import UdpConfig
from rtgraph.nodes.sink.osc_bundle import BundleTemplate, Message
from rtgraph.nodes.sink.oscquery import ask, browse_network
from rtgraph.nodes.sink.udp import UdpTarget
from rtgraph.nodes.sink.unified_expressions import PARAMETERS
from rtgraph.nodes.sink.vrchat_layout import layout_by_avatar

_SECTION = "network"
_WAIT_S = 0.5
_SEARCH_S = 1.5  # programs on the network answer a search within a second

#: Senders that are looked at where no graph says which it has, and who listens there.
_SENDERS = {
    "sink.vrchat": "VRChat: switch OSC on in its radial menu, Options, OSC",
    "sink.vmc": "VSeeFace, Warudo and others: switch their VMC receiver on",
    "sink.live_link": "Unreal: add the Live Link source, or start the program that receives it",
}


def loopback() -> Finding:
    """A bundle of our own goes out through a sender's socket and must come back the same."""
    packet = bytes(BundleTemplate([Message("/rtgraph/doctor", "f")]).fill(np.array([0.5]))[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(_WAIT_S)
        target = UdpTarget("127.0.0.1", receiver.getsockname()[1])
        start = time.perf_counter()
        target.send(packet)
        try:
            came = receiver.recv(2048)
        except TimeoutError:
            came = b""
        took_us = (time.perf_counter() - start) * 1e6
        target.close()
    if came == packet:
        return Finding(
            _SECTION, "loopback", "ok", f"a UDP packet goes out and comes back in {took_us:.0f} us"
        )
    return Finding(
        _SECTION, "loopback", "problem", "a UDP packet to this machine itself does not arrive",
        "a firewall blocks 127.0.0.1",
    )  # fmt: skip


def targets(plan: Plan | None) -> Iterator[Finding]:
    """Who listens where the graph's senders send, or where they would by default."""
    if plan is None:
        for name, listener in _SENDERS.items():
            cls = registry.find(name)
            if cls is not None:
                yield _listening(name, cls.Config(), listener)
        return
    for node in plan.nodes:
        if isinstance(node.node.config, UdpConfig):
            kind = type(node.node).type_name
            listener = _SENDERS.get(kind, "start the program that receives it, or change host and port")
            yield _listening(f"{node.name} ({kind})", node.node.config, listener)


def vrchat() -> Iterator[Finding]:
    """Whether a VRChat on the network answers, and what it says; nothing where zeroconf is not installed."""
    try:
        where, end = browse_network()
    except (RtGraphError, OSError):
        return
    try:
        until = time.monotonic() + _SEARCH_S
        while (http := where()) is None and time.monotonic() < until:
            time.sleep(0.05)
    finally:
        end()
    if http is None:
        yield Finding(
            _SECTION,
            "VRChat",
            "missing",
            f"none announced itself in {_SEARCH_S:g} s",
            _SENDERS["sink.vrchat"],
        )
        return
    try:
        found = ask(http)
    except (OSError, ValueError) as error:
        yield Finding(
            _SECTION, "VRChat", "problem",
            f"announced at {host_port(*http)}, but does not answer: {error}",
            "a firewall may block it; allow rtgraph and VRChat in the private network",
        )  # fmt: skip
        return
    layout = layout_by_avatar(found.types, tuple(PARAMETERS))
    count = len({name for _, name in layout.floats} | {flag.parameter for flag in layout.flags})
    text = f"answers; takes OSC at {host_port(*found.osc)}; the avatar has {count} face parameters"
    yield Finding(_SECTION, "VRChat", "ok", text, "" if count else "wear an avatar with face tracking")


def servers(plan: Plan | None) -> Iterator[Finding]:
    """Whether the ports that servers of the graph listen at are free, or who has them."""
    for name, config in _servers(plan):
        yield _port(name, config.host, config.port, wanted=plan is not None)


def _servers(plan: Plan | None) -> Iterator[tuple[str, Any]]:
    kinds = ("sink.viewer", "sink.websocket")
    if plan is None:
        for kind in kinds:
            cls = registry.find(kind)
            if cls is not None:
                yield kind, cls.Config()
    else:
        for node in plan.nodes:
            if type(node.node).type_name in kinds:
                yield f"{node.name} ({type(node.node).type_name})", node.node.config


def _listening(name: str, config: Any, remedy: str) -> Finding:
    place = host_port(config.host, config.port)
    try:
        target = UdpTarget(config.host, config.port)
    except DeviceError as error:
        return Finding(_SECTION, name, "problem", str(error))
    probe = bytes(BundleTemplate([Message("/rtgraph/doctor", "f")]).fill(np.array([0.0]))[0])
    for _ in range(3):
        target.send(probe)
        time.sleep(0.02)
    lost, reason = target.lost, target.reason
    target.close()
    if lost:
        # Nobody listening is no fault of this machine's: a sender sends on, and the program may come later.
        return Finding(_SECTION, name, "missing", f"{place}: {reason}", remedy)
    local = config.host in ("127.0.0.1", "::1", "localhost")
    text = "a program listens" if local else "packets go out; UDP does not tell whether anyone listens"
    return Finding(_SECTION, name, "ok", f"{place}: {text}")


def _port(name: str, host: str, port: int, *, wanted: bool) -> Finding:
    """wanted: a graph is to listen there, so that a program that has the port is in its way."""
    place = host_port(host, port)
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    try:
        socket.create_connection((reachable, port), timeout=_WAIT_S).close()
    except (OSError, ValueError):  # nobody is there, or the host is none, which the next step tells
        return _can_listen(name, host, port)
    try:
        with urllib.request.urlopen(f"http://{host_port(reachable, port)}/", timeout=_WAIT_S) as answer:
            said = f"answers HTTP {answer.status}"
    except urllib.error.HTTPError as error:
        said = f"answers HTTP {error.code}"
    except (OSError, ValueError, HTTPException) as error:
        said = f"does not speak HTTP ({error})"
    return Finding(
        _SECTION, name, "problem" if wanted else "ok", f"{place}: something is there already and {said}",
        "another rtgraph runs, or another program has the port: set `port` of the node to another",
    )  # fmt: skip


def _can_listen(name: str, host: str, port: int) -> Finding:
    place = host_port(host, port)
    try:
        family, kind, protocol, _, address = resolve(host, port, socket.SOCK_STREAM)
        with socket.socket(family, kind, protocol) as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind(address)
    except DeviceError as error:
        return Finding(_SECTION, name, "problem", str(error))
    except OSError as error:
        return Finding(
            _SECTION, name, "problem", f"{place}: cannot listen: {error.strerror}",
            "choose another `host` or `port` for the node",
        )  # fmt: skip
    return Finding(_SECTION, name, "ok", f"{place}: free to listen at")
