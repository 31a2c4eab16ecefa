"""A UDP target: datagrams that never wait, and a count of those that had nobody to receive them."""

from __future__ import annotations

import errno
import socket
import time

from rtgraph import DeviceError
from rtgraph.context import Context
from rtgraph.nodes.sink.address import host_port, resolve

#: Payload that fits an Ethernet frame (1500 bytes) behind the headers of IPv4 and UDP.
MAX_DATAGRAM = 1472

#: So long after the last refusal a target counts as there again.
_FORGET_S = 2.0


class UdpTarget:
    """Sends to one address. `send` may be called from any one thread; `report` from the node's.

    The socket is connected, so that a machine that has no receiver on the port answers, and the next `send`
    learns of it. A machine that is silent about it (most firewalls, other networks) cannot be told from one
    that listens: UDP has no acknowledgement.
    """

    def __init__(self, host: str, port: int) -> None:
        """Raises DeviceError where the host's name means nothing, or nothing can be sent to its kind."""
        self.sent = 0  # datagrams handed to the network
        self.lost = 0  # datagrams known to have reached nobody: refused there, or not taken here
        self.reason = ""  # of the last loss, in words
        self._refused_at = 0.0
        self._reported = [0, 0]
        self._said = ""
        self._open(host, port)

    def move(self, host: str, port: int) -> None:
        """Send to another address from now on; counts go on. A host that is not known changes nothing."""
        old = self._socket
        try:
            self._open(host, port)
        except DeviceError as error:
            self.reason = str(error)
            return
        old.close()

    def _open(self, host: str, port: int) -> None:
        family, kind, protocol, _, address = resolve(host, port, socket.SOCK_DGRAM)
        try:
            self._socket = socket.socket(family, kind, protocol)
        except OSError as error:  # an IPv6 address where IPv6 is switched off
            raise DeviceError(f"nothing can be sent to {host_port(host, port)}: {error.strerror}") from None
        self._place, self._address = host_port(host, port), address
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        try:
            self._socket.connect(address)
        except OSError as error:
            # A network that is down now may come up later; each datagram tries again.
            self._note(error)

    def send(self, datagram: bytes | bytearray | memoryview) -> bool:
        """Hand one datagram to the network. False: it is lost, and counted. Never blocks, never raises."""
        for _ in range(2):
            try:
                self._socket.send(datagram)
                self.sent += 1
                return True
            except ConnectionRefusedError as error:
                # What was refused is an earlier datagram; this one has not been sent yet.
                self.lost += 1
                self._note(error)
            except OSError as error:
                self._note(error)
                if error.errno in (errno.ENOTCONN, errno.EDESTADDRREQ):
                    self._connect_again()
                self.lost += 1
                return False
        return False

    def report(self, ctx: Context) -> None:
        """Count what happened since the last time, and say once when the target is gone or back."""
        for i, (name, total) in enumerate((("datagrams", self.sent), ("datagrams_lost", self.lost))):
            if total > self._reported[i]:
                ctx.count(name, total - self._reported[i])
                self._reported[i] = total
        refused = self._refused_at and time.monotonic() - self._refused_at < _FORGET_S
        state = self.reason if refused else ""
        if state == self._said:
            return
        if state:
            ctx.warn(f"{self._place} does not receive: {state}; sending goes on")
        else:
            ctx.warn(f"{self._place} receives now")
        self._said = state

    def close(self) -> None:
        self._socket.close()

    def _note(self, error: OSError) -> None:
        self._refused_at = time.monotonic()
        if isinstance(error, ConnectionRefusedError):
            self.reason = "nothing listens on that port"
        elif isinstance(error, BlockingIOError) or error.errno == errno.ENOBUFS:
            self.reason = "the network takes no more at the moment"
        else:
            self.reason = error.strerror or str(error)

    def _connect_again(self) -> None:
        try:
            self._socket.connect(self._address)
        except OSError as error:
            self._note(error)
