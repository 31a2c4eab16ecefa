"""What the tests of senders share: faces by name, and a receiver of OSC in a process of its own."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from contextlib import contextmanager

import numpy as np

from rtgraph.models.expression import FRAME, INDEX

#: python-osc's server, which knows nothing of us: a line of JSON for each message.
_RECEIVER = """
import json, sys
from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_server import BlockingOSCUDPServer

dispatcher = Dispatcher()
dispatcher.set_default_handler(lambda address, *args: print(json.dumps([address, *args]), flush=True))
server = BlockingOSCUDPServer(("127.0.0.1", 0), dispatcher)
print(server.server_address[1], flush=True)
server.serve_forever()
"""


def face(**numbers):
    """A frame [61] with these numbers, all others 0."""
    out = np.zeros(len(FRAME), np.float32)
    for name, value in numbers.items():
        out[INDEX[name]] = value
    return out


def random_face(seed):
    """A face that is nowhere 0: weights 0..1, angles within 0.5."""
    out = np.random.default_rng(seed).uniform(0.01, 1.0, len(FRAME)).astype(np.float32)
    out[52:] -= 0.5
    return out


class OscReceiver:
    def __init__(self, process, port):
        self._process, self.port = process, port

    def messages(self, until):
        """[address, arguments...] in order of arrival, up to the one for which `until` is true."""
        found = []
        for line in self._process.stdout:
            found.append(json.loads(line))
            if until(found[-1]):
                return found
        raise AssertionError(f"the receiver ended; it had {found}")


@contextmanager
def osc_receiver():
    process = subprocess.Popen([sys.executable, "-c", _RECEIVER], stdout=subprocess.PIPE, text=True)
    try:
        yield OscReceiver(process, int(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@contextmanager
def udp_socket():
    """A bound socket that gives up after two seconds."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(2.0)
        yield receiver


def free_port(kind=socket.SOCK_DGRAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]
