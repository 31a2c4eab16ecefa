"""Hosts: where their names lead, how they are written, and which lead to this machine alone."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

from rtgraph import DeviceError

#: One answer of socket.getaddrinfo: family, kind, protocol, canonical name, address.
AddressInfo = tuple[int, int, int, str, Any]


def resolve(host: str, port: int, kind: socket.SocketKind) -> AddressInfo:
    """Where a host's name or address leads, the first answer. Raises DeviceError where it means nothing."""
    try:
        return socket.getaddrinfo(host, port, type=kind)[0]
    except (OSError, ValueError) as error:  # ValueError: of what cannot be a name, such as "a..b"
        reason = error.strerror if isinstance(error, OSError) else "no name is written so"
        raise DeviceError(
            f"the host '{host}' is not known ({reason}); give its name or address, such as 127.0.0.1"
        ) from None


def host_port(host: str, port: int) -> str:
    """As in a URL: an IPv6 address stands in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
