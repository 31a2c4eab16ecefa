"""OSCQuery: finds VRChat on the network, where it listens, and which parameters the avatar worn has.

Source: the OSCQuery proposal, and VRChat's notes on what it implements of it.
"""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any

from rtgraph import RtGraphError
from rtgraph.nodes.sink.address import host_port

#: How VRChat announces its HTTP server, and how its name begins.
SERVICE = "_oscjson._tcp.local."
CLIENT = "VRChat-Client"

_POLL_S = 3.0  # an avatar may be changed at any time
_TIMEOUT_S = 2.0
_MAX_BYTES = 4_000_000

Place = tuple[str, int]


@dataclass(frozen=True)
class VRChat:
    """A running VRChat: where it takes OSC, and the OSC type of every parameter by address."""

    osc: Place
    types: dict[str, str] = field(default_factory=dict)


def ask(http: Place) -> VRChat:
    """What a VRChat's HTTP server says. Raises OSError or ValueError where it does not answer as one."""
    info = _get(http, "/?HOST_INFO")
    port = info.get("OSC_PORT")
    if not isinstance(port, int) or not 1 <= port <= 65535:
        raise ValueError(f"HOST_INFO names no OSC_PORT, but {port!r}")
    address = info.get("OSC_IP")
    host = address if isinstance(address, str) and address not in ("", "0.0.0.0") else http[0]
    types: dict[str, str] = {}
    _collect(_get(http, "/avatar/parameters"), types, depth=0)
    return VRChat((host, port), types)


def _get(http: Place, path: str) -> dict[str, Any]:
    url = f"http://{host_port(*http)}{path}"
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:
            data = json.loads(answer.read(_MAX_BYTES))
    except (HTTPException, RecursionError) as error:  # no HTTP; JSON that is nested without end
        raise OSError(f"{url} does not answer as OSCQuery: {type(error).__name__} {error}") from None
    if not isinstance(data, dict):
        raise ValueError(f"{path} is no JSON object")
    return data


def _collect(node: Any, types: dict[str, str], depth: int) -> None:
    """Walk the tree of methods: those with a TYPE are parameters."""
    if not isinstance(node, dict) or depth > 32:
        return
    path, kind = node.get("FULL_PATH"), node.get("TYPE")
    if isinstance(path, str) and isinstance(kind, str):
        types[path] = kind
    contents = node.get("CONTENTS")
    for child in contents.values() if isinstance(contents, dict) else ():
        _collect(child, types, depth + 1)


class VRChatFinder:
    """Looks for VRChat on a thread of its own, and asks it again and again.

    `found` is None until it answers, and again when it has gone.
    """

    def __init__(self, browse: Callable[[], tuple[Callable[[], Place | None], Callable[[], None]]]) -> None:
        """browse: begins to look; what it returns tells the HTTP server's place, and ends the search."""
        self.found: VRChat | None = None
        self._where, self._end = browse()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="oscquery", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(timeout=2 * _TIMEOUT_S)
        self._end()

    def _run(self) -> None:
        while True:
            http = self._where()
            try:
                found = ask(http) if http else None
            except (OSError, ValueError):
                found = None
            if found != self.found:
                self.found = found
            if self._stop.wait(_POLL_S if found else 0.5):
                return


def browse_network() -> tuple[Callable[[], Place | None], Callable[[], None]]:
    """Look for VRChat by multicast DNS. Raises RtGraphError where the package zeroconf is missing."""
    try:
        from zeroconf import ServiceBrowser, ServiceStateChange, Zeroconf
    except ImportError:
        raise RtGraphError(
            "`oscquery: true` needs the package zeroconf: pip install 'rtgraph[oscquery]'; or set host, port"
        ) from None
    places: dict[str, Place] = {}

    def changed(zeroconf: Any, service_type: str, name: str, state_change: Any) -> None:
        if not name.startswith(CLIENT):
            return
        if state_change is ServiceStateChange.Removed:
            places.pop(name, None)
            return
        info = zeroconf.get_service_info(service_type, name)
        if info is not None and info.port and info.parsed_addresses():
            places[name] = (info.parsed_addresses()[0], info.port)

    network = Zeroconf()
    ServiceBrowser(network, SERVICE, handlers=[changed])
    return (lambda: next(iter(tuple(places.values())), None)), network.close
