"""Reads binary glTF 2.0: the JSON, checked access to its arrays and pictures, and where its nodes stand."""

from __future__ import annotations

import base64
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rtgraph.errors import AssetError

Array = npt.NDArray[Any]

MAX_BYTES = 300_000_000
MAX_ELEMENTS = 20_000_000  # of one accessor
_TYPES = {5120: np.int8, 5121: np.uint8, 5122: np.int16, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
_REFUSED = ("KHR_draco_mesh_compression", "EXT_meshopt_compression")


class Gltf:
    """A GLB or VRM file. Whatever is broken in it raises AssetError, naming the file and the place."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            size = path.stat().st_size
            if size > MAX_BYTES:
                raise AssetError(f"{path}: {size / 1e6:.0f} MB; expected at most {MAX_BYTES / 1e6:.0f} MB")
            data = path.read_bytes()
        except OSError as error:
            raise AssetError(f"{path}: cannot be read ({error.strerror})") from error
        self.json, self._binary = self._chunks(data)
        for extension in self.rows("extensionsRequired"):
            if extension in _REFUSED:
                raise AssetError(f"{path}: is compressed with {extension}; export it without compression")

    def _chunks(self, data: bytes) -> tuple[dict[str, Any], bytes]:
        if len(data) < 20 or data[:4] != b"glTF":
            raise AssetError(f"{self.path}: not a GLB or VRM file; expected binary glTF 2.0")
        version, length = struct.unpack_from("<II", data, 4)
        if version != 2 or length > len(data):
            what = f"version {version}" if version != 2 else f"{len(data)} of {length} bytes"
            raise AssetError(f"{self.path}: expected a whole glTF 2.0 file, got {what}")
        json_size = struct.unpack_from("<I", data, 12)[0]
        try:
            document = json.loads(data[20 : 20 + json_size])
        except (ValueError, RecursionError) as error:
            raise AssetError(f"{self.path}: its JSON cannot be read ({error})") from error
        if not isinstance(document, dict):
            raise AssetError(f"{self.path}: its JSON is no object")
        return document, data[28 + json_size :]

    def rows(self, name: str) -> list[dict[str, Any]]:
        """A top-level array such as "meshes"; empty where there is none."""
        rows = self.json.get(name, [])
        return rows if isinstance(rows, list) else []

    def accessor(self, index: int) -> Array:
        """An accessor as float32 or as its own integers: [count] or [count, width]; sparse ones filled in."""
        where = f"accessor {index}"
        try:
            accessor = self.rows("accessors")[index]
            count, width = int(accessor["count"]), _WIDTHS[accessor["type"]]
            if not 0 <= count * width <= MAX_ELEMENTS:
                raise AssetError(f"{self.path}: {where}: {count} elements are too many")
            dtype = _TYPES[accessor["componentType"]]
            array = np.zeros((count, width), dtype)
            if "bufferView" in accessor:
                array = self._strided(
                    accessor["bufferView"], accessor.get("byteOffset", 0), count, width, dtype
                )
            if "sparse" in accessor:
                array = self._filled(array, accessor["sparse"], width, dtype)
        except (KeyError, IndexError, TypeError, ValueError, OverflowError, struct.error) as error:
            raise AssetError(f"{self.path}: {where} is broken or cut off ({error})") from error
        if accessor.get("normalized"):
            array = np.maximum(array.astype(np.float32) / np.iinfo(dtype).max, -1.0)
        return array[:, 0] if width == 1 else array

    def image(self, index: int) -> bytes | None:
        """A picture's bytes; None where it lies outside the file."""
        try:
            image = self.rows("images")[index]
            if "bufferView" in image:
                return self._view(image["bufferView"])[0]
            uri = image.get("uri", "")
            return base64.b64decode(uri.partition(",")[2]) if uri.startswith("data:") else None
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise AssetError(f"{self.path}: image {index} is broken ({error})") from error

    def node_transforms(self) -> list[Array]:
        """Each node's place in the world, [4, 4], as the file has it at rest."""
        nodes = self.rows("nodes")
        local = [_local(node) for node in nodes]
        parent = {child: i for i, node in enumerate(nodes) for child in node.get("children", [])}
        world: list[Array] = []
        for i in range(len(nodes)):
            total, at, steps = local[i], parent.get(i), 0
            while at is not None:
                total, at, steps = local[at] @ total, parent.get(at), steps + 1
                if steps > len(nodes):
                    raise AssetError(f"{self.path}: node {i} is its own ancestor")
            world.append(total)
        return world

    def _view(self, index: int) -> tuple[bytes, int]:
        view = self.rows("bufferViews")[index]
        start, length = view.get("byteOffset", 0), view["byteLength"]
        buffer = self._buffer(view.get("buffer", 0))
        if start < 0 or length < 0 or start + length > len(buffer):
            raise ValueError(f"bufferView {index} ends beyond its buffer")
        return buffer[start : start + length], int(view.get("byteStride", 0))

    def _buffer(self, index: int) -> bytes:
        uri = self.rows("buffers")[index].get("uri")
        if uri is None:
            return self._binary
        if not uri.startswith("data:"):
            raise ValueError("its data lie in another file; export it as one GLB")
        return base64.b64decode(uri.partition(",")[2])

    def _strided(self, view: int, offset: int, count: int, width: int, dtype: Any) -> Array:
        data, stride = self._view(view)
        item = width * np.dtype(dtype).itemsize
        stride = stride or item
        if count < 0 or offset < 0 or stride < item:
            raise ValueError(f"{count} elements of {item} bytes cannot stand {stride} apart from {offset} on")
        if count and offset + (count - 1) * stride + item > len(data):
            raise ValueError(f"bufferView {view} is too short")
        if not count:
            return np.zeros((0, width), dtype)
        raw = np.lib.stride_tricks.as_strided(
            np.frombuffer(data, np.uint8)[offset:], (count, item), (stride, 1), writeable=False
        )
        return np.ascontiguousarray(raw).view(dtype).reshape(count, width)

    def _filled(self, array: Array, sparse: dict[str, Any], width: int, dtype: Any) -> Array:
        count, indices, values = sparse["count"], sparse["indices"], sparse["values"]
        at = self._strided(
            indices["bufferView"], indices.get("byteOffset", 0), count, 1, _TYPES[indices["componentType"]]
        )[:, 0]
        array = array.copy()
        array[at] = self._strided(values["bufferView"], values.get("byteOffset", 0), count, width, dtype)
        return array


def _local(node: dict[str, Any]) -> Array:
    if "matrix" in node:
        return np.array(node["matrix"], float).reshape(4, 4).T
    x, y, z, w = np.array(node.get("rotation", (0, 0, 0, 1)), float)
    turn = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
    local = np.eye(4)
    local[:3, :3] = turn * np.array(node.get("scale", (1, 1, 1)), float)
    local[:3, 3] = node.get("translation", (0, 0, 0))
    return local
