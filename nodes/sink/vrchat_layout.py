"""Which OSC messages an avatar gets for which Unified Expressions, as floats or as bits."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rtgraph.nodes.sink.face_frames import Frame
from rtgraph.nodes.sink.osc_bundle import Message
from rtgraph.nodes.sink.unified_expressions import UnifiedExpressions

ROOT = "/avatar/parameters/"
_BIT_OR_SIGN = re.compile(r"(.+?)(1|2|4|8|16|32|64|Negative)")


@dataclass(frozen=True)
class Flag:
    """A boolean of a binary parameter: the bit of this value, or its sign (bit 0).

    top: what the magnitude 1 is as a whole number. signed: whether the avatar has the sign; without it what
    is negative is 0.
    """

    address: str
    parameter: str
    bit: int
    top: int
    signed: bool


@dataclass(frozen=True)
class Layout:
    """What is sent: floats as (address, parameter), and booleans."""

    floats: tuple[tuple[str, str], ...] = ()
    flags: tuple[Flag, ...] = ()

    def messages(self) -> list[Message]:
        return [
            *(Message(address, "f") for address, _ in self.floats),
            *(Message(flag.address, "B") for flag in self.flags),
        ]


def layout_by_config(names: Sequence[str], prefix: str, form: str, bits: int) -> Layout:
    """All names, as float, binary or both."""
    floats, flags = [], []
    for name in names:
        address = f"{ROOT}{prefix}v2/{name}"
        floats.append((address, name))
        flags += _flags(address, name, {str(1 << i) for i in range(bits)} | {"Negative"})
    return Layout(tuple(floats) if form != "binary" else (), tuple(flags) if form != "float" else ())


def layout_by_avatar(types: Mapping[str, str], names: Sequence[str]) -> Layout:
    """Those of the names that the avatar has, in the form in which it has them.

    types: OSC type by address, of all parameters, as VRChat tells them through OSCQuery.
    """
    floats: list[tuple[str, str]] = []
    bits: dict[tuple[str, str], set[str]] = {}
    for address, kind in types.items():
        path, _, last = address.rpartition("v2/")
        if not address.startswith(ROOT) or not path.endswith("/"):
            continue
        part = _BIT_OR_SIGN.fullmatch(last)
        if kind == "f" and last in names:
            floats.append((address, last))
        elif kind in ("T", "F") and part and part[1] in names:
            bits.setdefault((f"{path}v2/{part[1]}", part[1]), set()).add(part[2])
    flags = [flag for (address, name), parts in bits.items() for flag in _flags(address, name, parts)]
    return Layout(tuple(floats), tuple(flags))


def _flags(address: str, name: str, parts: set[str]) -> list[Flag]:
    signed = "Negative" in parts
    values = sorted(int(part) for part in parts - {"Negative"})
    top = (1 << len(values)) - 1
    flags = [Flag(f"{address}{bit}", name, bit, top, signed) for bit in values]
    return flags + ([Flag(f"{address}Negative", name, 0, top, True)] if signed else [])


class LayoutValues:
    """A layout made ready: the numbers and booleans of a face, in the order of its messages."""

    def __init__(self, layout: Layout) -> None:
        names = list(dict.fromkeys([n for _, n in layout.floats] + [f.parameter for f in layout.flags]))
        self._parameters = UnifiedExpressions(names)
        self._float_rows = [names.index(name) for _, name in layout.floats]
        self._flag_rows = [names.index(flag.parameter) for flag in layout.flags]
        self._bit = np.array([flag.bit for flag in layout.flags], np.int64)
        self._top = np.array([flag.top for flag in layout.flags], np.int64)
        self._least = np.array([-1.0 if flag.signed else 0.0 for flag in layout.flags])

    def __call__(self, frame: Frame) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        values = self._parameters(frame)
        each = np.maximum(values[self._flag_rows], self._least)
        # Rounded, not cut: 1.0 and what lies nearest to it are all bits, and so is what float32 makes of it.
        whole = np.rint(np.abs(each) * self._top).astype(np.int64)
        flags = np.where(self._bit > 0, (whole & self._bit) > 0, (each < 0) & (whole > 0))
        return values[self._float_rows], flags
