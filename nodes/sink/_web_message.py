"""The binary message of sink.viewer, version 1: a header and a list of arrays (docs/viewer-messages.md)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

VERSION = 1
MAGIC = b"RTGV"

#: magic, version, number of sections, seq, messages skipped, sent_ns.
_HEADER = struct.Struct("<4sHHIIq")
#: kind, element type, rows, columns, bytes of the data, timestamp_ns.
_SECTION = struct.Struct("<HHIIIq")
_ALIGNMENT = 8  # so that a browser can look at the data in place


class Kind(IntEnum):
    """What a section holds."""

    FRAME = 1  # [61] float32
    CONFIDENCE = 2  # [6] float32
    VERTICES = 3  # [V, 3] float32, metres
    NORMALS = 4  # [V, 3] float32
    GAUSSIANS = 5  # [G, columns] float32
    AUDIO = 6  # [samples] float32, 16 kHz
    LEFT_EYE = 7  # [height, width] uint8
    RIGHT_EYE = 8  # [height, width] uint8
    EYE_STATE = 9  # [14] float32
    TIMING = 10  # [bytes] uint8: JSON text


#: A megabyte or more a frame: a page gets them while it draws them.
LARGE = frozenset({Kind.VERTICES, Kind.NORMALS, Kind.GAUSSIANS})

_FLOAT32, _UINT8 = 1, 2
_ELEMENTS = {np.dtype(np.float32): _FLOAT32, np.dtype(np.uint8): _UINT8}


@dataclass(frozen=True, slots=True)
class Section:
    """One array and the time of its capture, ns on the graph's clock."""

    kind: Kind
    timestamp_ns: int
    data: NDArray[Any]


def encode(sections: Sequence[Section], *, seq: int, skipped: int, sent_ns: int) -> bytes:
    """The message that carries these arrays, each float32 or uint8 of one or two dimensions."""
    parts = [_HEADER.pack(MAGIC, VERSION, len(sections), seq & 0xFFFFFFFF, skipped & 0xFFFFFFFF, sent_ns)]
    for section in sections:
        rows, columns = section.data.shape if section.data.ndim == 2 else (section.data.size, 1)
        data = section.data.tobytes()
        parts.append(
            _SECTION.pack(
                section.kind, _ELEMENTS[section.data.dtype], rows, columns, len(data), section.timestamp_ns
            )
        )
        parts.append(data)
        parts.append(bytes(-len(data) % _ALIGNMENT))
    return b"".join(parts)
