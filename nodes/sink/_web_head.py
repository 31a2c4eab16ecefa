"""The head that sink.viewer shows: its GLB, and other people in its place."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from rtgraph import AssetError
from rtgraph.models.avatar import Head, identity_code, load_head

_HEADER = struct.Struct("<4sII")  # magic, version, length of the file
_CHUNK = struct.Struct("<I4s")  # length, type


class ShownHead:
    """A GLB, and the head that it was made from where that is known: then it can become another person."""

    def __init__(self, path: Path, identity: str, seed: int | None) -> None:
        """path: a .glb, or a head's file (.rthead, .safetensors). Raises AssetError."""
        self._made: TemporaryDirectory[str] | None = None
        self._head: Head | None = None
        if path.suffix.lower() != ".glb":
            self._head = load_head(path)
        elif path.with_suffix(".safetensors").is_file():
            self._head = load_head(path.with_suffix(".safetensors"))
        elif identity or seed is not None:
            raise AssetError(f"{path} is a GLB alone, which cannot become another person; give a .rthead")
        self.glb = path if path.suffix.lower() == ".glb" else self._write(path)
        self.shapes = shapes_of(self.glb)
        self.checksum = hashlib.sha256(self.glb.read_bytes()).hexdigest()
        groups = {} if self._head is None else {n.name: n.group for n in self._head.card.identity}
        self.identity = identity_code(identity, seed, groups)

    @property
    def numbers(self) -> list[dict[str, Any]]:
        """The identity numbers: name, group, low, high."""
        return [] if self._head is None else [n.model_dump() for n in self._head.card.identity]

    def person(self, code: Mapping[str, float]) -> tuple[bytes, dict[str, Any]]:
        """Vertices [V, 3], normals [V, 3] and joint pivots [J, 3], float32, one after the other; and factors
        on the materials' colours. Raises AssetError for what the head does not have."""
        if self._head is None:
            raise AssetError("this head is a GLB alone, which cannot become another person")
        person = self._head.with_identity(code)
        arrays = (person.neutral, person.normals, person.joint_pivot)
        data = b"".join(np.ascontiguousarray(array, np.float32).tobytes() for array in arrays)
        return data, dict(person.card.tints)

    def close(self) -> None:
        if self._made is not None:
            self._made.cleanup()

    def _write(self, path: Path) -> Path:
        from rtgraph.models.avatar.glb import write_glb

        assert self._head is not None
        self._made = TemporaryDirectory(prefix="rtgraph_viewer_")
        glb = Path(self._made.name) / f"{path.stem}.glb"
        write_glb(self._head, glb)
        return glb


def shapes_of(path: Path) -> set[str]:
    """The names of a GLB's morph targets. Raises AssetError where it is not whole (glTF 2.0, section 4.4)."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEADER.size + _CHUNK.size)
        if len(head) < _HEADER.size + _CHUNK.size or head[:4] != b"glTF":
            raise AssetError(f"{path} is not a GLB file; expected a binary glTF 2.0 with ARKit morph targets")
        _, version, length = _HEADER.unpack_from(head)
        json_length, kind = _CHUNK.unpack_from(head, _HEADER.size)
        if version != 2 or kind != b"JSON":
            raise AssetError(f"{path} is a GLB of version {version}; expected version 2")
        if length > size or json_length > size:
            raise AssetError(f"{path} is cut short: it says {length} bytes and has {size}; copy it again")
        try:
            meshes = json.loads(file.read(json_length)).get("meshes", [])
            return {name for mesh in meshes for name in mesh.get("extras", {}).get("targetNames", [])}
        except (ValueError, AttributeError, TypeError) as error:
            raise AssetError(f"{path} is damaged: {error}") from None
