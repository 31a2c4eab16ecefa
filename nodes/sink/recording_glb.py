"""Recording as GLB: an animation of 52 morph weights, head and eyes, for Blender and game engines."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtgraph.models.expression import ARKIT, FRAME
from rtgraph.nodes.sink.bones import BONES, quaternions
from rtgraph.nodes.sink.face_frames import Frame
from rtgraph.nodes.sink.recording import CsvRecording, part_path

_FLOAT, _ARRAY_BUFFER = 5126, 34962
_JSON, _BIN = b"JSON", b"BIN\0"


class GlbRecording:
    """While it runs a CSV table lies beside, which a crash leaves readable; the end makes the GLB of it."""

    def __init__(self, path: Path) -> None:
        self.start_ns = 0
        self._path = path
        self._rows = path.with_name(f"{path.name}.csv")
        self._table = CsvRecording(self._rows)

    @property
    def lost(self) -> int:
        return self._table.lost

    def add_frame(self, timestamp_ns: int, frame: Frame) -> None:
        self._table.start_ns = self.start_ns
        self._table.add_frame(timestamp_ns, frame)

    def add_audio(self, timestamp_ns: int, samples: NDArray[Any]) -> bool:
        return False

    def finish(self) -> None:
        count = self._table.rows
        self._table.finish()
        rows = np.zeros((0, 1 + len(FRAME)))
        if count:
            rows = np.loadtxt(self._rows, delimiter=",", skiprows=1, ndmin=2)
        part = part_path(self._path)
        try:
            part.write_bytes(face_animation(rows[:, 0], rows[:, 1:]))
            os.replace(part, self._path)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        self._rows.unlink()

    def discard(self) -> None:
        self._table.discard()

    def remains(self) -> str:
        return str(self._rows) if self._rows.exists() else self._table.remains()


def face_animation(times_s: NDArray[np.float64], frames: NDArray[np.float64]) -> bytes:
    """A GLB (glTF 2.0) with the nodes Head, LeftEye, RightEye and Face, and their animation.

    times_s: [N], frames: [N, 61]. Face carries the 52 morph targets by name on a triangle of no use, since a
    recording has no head of its own; players copy the animation to one that has targets of the same names.
    Frames that are not later than the one before are left out, as glTF demands.
    """
    frames = frames.reshape(-1, len(FRAME))
    kept = np.ones(len(times_s), np.bool_)
    if len(times_s):
        times = times_s.astype(np.float32)
        kept[1:] = times[1:] > np.maximum.accumulate(times)[:-1]
    times_s, frames = times_s[kept], frames[kept]
    glb = _Builder()
    triangle = glb.add(
        np.array([[0, 0, 0], [1e-3, 0, 0], [0, 1e-3, 0]]), "VEC3", bounds=True, target=_ARRAY_BUFFER
    )
    still = glb.add(np.zeros((3, 3)), "VEC3", bounds=True, target=_ARRAY_BUFFER)
    nodes: list[dict[str, Any]] = [{"name": bone} for bone in BONES]
    nodes.append({"name": "Face", "mesh": 0})
    nodes[0]["children"] = [1, 2, 3]
    gltf: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "rtgraph"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": nodes,
        "meshes": [
            {
                "name": "Face",
                "primitives": [
                    {"attributes": {"POSITION": triangle}, "targets": [{"POSITION": still}] * len(ARKIT)}
                ],
                "weights": [0.0] * len(ARKIT),
                "extras": {"targetNames": list(ARKIT)},
            }
        ],
    }
    if len(times_s):
        clock = glb.add(times_s, "SCALAR", bounds=True)
        moved = [("weights", 3, glb.add(frames[:, : len(ARKIT)].reshape(-1), "SCALAR"))]
        for i, first in enumerate(BONES.values()):
            moved.append(("rotation", i, glb.add(quaternions(frames[:, first : first + 3]), "VEC4")))
        gltf["animations"] = [
            {
                "name": "Recording",
                "samplers": [
                    {"input": clock, "output": out, "interpolation": "LINEAR"} for _, _, out in moved
                ],
                "channels": [
                    {"sampler": i, "target": {"node": node, "path": path}}
                    for i, (path, node, _) in enumerate(moved)
                ],
            }
        ]
    return glb.finish(gltf)


class _Builder:
    """Collects arrays, then joins them and the JSON."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._views: list[dict[str, Any]] = []
        self._accessors: list[dict[str, Any]] = []

    def add(self, array: NDArray[Any], kind: str, *, bounds: bool = False, target: int | None = None) -> int:
        """The number of the accessor of an array [N] or [N, components], kept as float32."""
        values = np.ascontiguousarray(array, "<f4")
        view = {"buffer": 0, "byteOffset": len(self._data), "byteLength": values.nbytes}
        self._views.append(view if target is None else {**view, "target": target})
        accessor = {
            "bufferView": len(self._views) - 1, "componentType": _FLOAT, "count": len(values), "type": kind
        }  # fmt: skip
        if bounds:
            columns = values.reshape(len(values), -1)
            accessor |= {"min": columns.min(axis=0).tolist(), "max": columns.max(axis=0).tolist()}
        self._accessors.append(accessor)
        self._data += values.tobytes()
        return len(self._accessors) - 1

    def finish(self, gltf: dict[str, Any]) -> bytes:
        whole = {
            **gltf,
            "buffers": [{"byteLength": len(self._data)}],
            "bufferViews": self._views,
            "accessors": self._accessors,
        }
        text = json.dumps(whole, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        chunks = struct.pack("<I4s", len(text), _JSON) + text
        chunks += struct.pack("<I4s", len(self._data), _BIN) + bytes(self._data)
        return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
