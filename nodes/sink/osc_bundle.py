"""OSC 1.0 bundles whose layout is fixed: encoded once, then only their numbers are filled in."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtgraph.nodes.sink.udp import MAX_DATAGRAM

#: "#bundle", then the time tag that means: at once.
_BUNDLE = b"#bundle\0" + struct.pack(">Q", 1)


@dataclass(frozen=True)
class Message:
    """One OSC message of a bundle.

    tags: a letter an argument: `s` string and `i` int32, whose values stand in `constants` in order;
    `f` float32 and `B` boolean, which are filled in for every bundle sent.
    """

    address: str
    tags: str
    constants: tuple[str | int, ...] = ()


@dataclass
class _Bundle:
    """One datagram: its bytes, and where in them the numbers [n] and the type letters of booleans lie."""

    data: bytearray
    floats: NDArray[Any]  # big-endian float32 view of all of `data`
    letters: NDArray[np.uint8]  # view of all of `data`
    float_at: list[int] = field(default_factory=list)  # index into `floats`
    flag_at: list[int] = field(default_factory=list)  # index into `letters`


class BundleTemplate:
    """Messages spread over as few bundles as fit `limit` bytes each, in order.

    `fill` writes float32 and boolean values at their places. It allocates nothing; the datagrams it returns
    are valid until the next call. Source: the OSC 1.0 specification; everything in it is a multiple of four
    bytes, so that one array view reaches every number.
    """

    def __init__(self, messages: Sequence[Message], limit: int = MAX_DATAGRAM) -> None:
        self._bundles: list[_Bundle] = []
        encoded: list[tuple[bytes, list[int], list[int]]] = []
        size = len(_BUNDLE)
        for message in messages:
            data, float_at, flag_at = _encode(message)
            if len(_BUNDLE) + 4 + len(data) > limit:
                raise ValueError(f"OSC message {message.address} has {len(data)} bytes; a datagram {limit}")
            if size + 4 + len(data) > limit:
                self._bundles.append(_join(encoded))
                encoded, size = [], len(_BUNDLE)
            encoded.append((data, float_at, flag_at))
            size += 4 + len(data)
        if encoded:
            self._bundles.append(_join(encoded))
        self.n_floats = sum(len(b.float_at) for b in self._bundles)
        self.n_flags = sum(len(b.flag_at) for b in self._bundles)

    def fill(self, floats: NDArray[Any], flags: NDArray[np.bool_] | Sequence[bool] = ()) -> list[bytearray]:
        """The datagrams. floats: [n_floats], flags: [n_flags], in the order of messages and arguments."""
        f = b = 0
        for bundle in self._bundles:
            n, m = len(bundle.float_at), len(bundle.flag_at)
            bundle.floats[bundle.float_at] = floats[f : f + n]
            if m:
                bundle.letters[bundle.flag_at] = np.where(flags[b : b + m], ord("T"), ord("F"))
            f, b = f + n, b + m
        return [bundle.data for bundle in self._bundles]


def _encode(message: Message) -> tuple[bytes, list[int], list[int]]:
    """The message's bytes, the offsets of its floats, and those of the letters of its booleans."""
    head = _padded(message.address)
    constants = iter(message.constants)
    flag_at = [len(head) + 1 + i for i, tag in enumerate(message.tags) if tag == "B"]
    data = bytearray(head + _padded("," + message.tags.replace("B", "F")))
    float_at = []
    for tag in message.tags:
        if tag == "f":
            float_at.append(len(data))
            data += bytes(4)
        elif tag == "i":
            data += struct.pack(">i", next(constants))
        elif tag == "s":
            data += _padded(str(next(constants)))
        elif tag != "B":
            raise ValueError(f"OSC type '{tag}' in {message.address}; known: s i f B")
    return bytes(data), float_at, flag_at


def _join(encoded: Sequence[tuple[bytes, list[int], list[int]]]) -> _Bundle:
    data = bytearray(_BUNDLE)
    float_at, flag_at = [], []
    for message, floats, flags in encoded:
        data += struct.pack(">i", len(message))
        float_at += [(len(data) + at) // 4 for at in floats]
        flag_at += [len(data) + at for at in flags]
        data += message
    return _Bundle(data, np.frombuffer(data, ">f4"), np.frombuffer(data, np.uint8), float_at, flag_at)


def _padded(text: str) -> bytes:
    """An OSC string: closed by zero bytes, a multiple of four long."""
    data = text.encode() + b"\0"
    return data + bytes(-len(data) % 4)
