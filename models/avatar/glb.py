"""Writes a head as binary glTF 2.0: a mesh for each part, morph targets, a skin of joints, pictures."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rtgraph.errors import AssetError
from rtgraph.models.expression import ARKIT

from .head import Head, Part

Array = npt.NDArray[Any]

_COMPONENT = {"float32": 5126, "uint32": 5125, "uint16": 5123, "uint8": 5121}
_KIND = {(): "SCALAR", (2,): "VEC2", (3,): "VEC3", (4,): "VEC4", (4, 4): "MAT4"}
_VERTEX_DATA, _INDICES = 34962, 34963  # bufferView targets
_TURNED = 0.01  # a normal that a shape changes less is left alone by it

#: What glTF says of a material besides its pictures.
_LOOK: dict[str, dict[str, Any]] = {
    "skin": {"pbrMetallicRoughness": {"roughnessFactor": 0.5}},
    "eye": {"pbrMetallicRoughness": {"roughnessFactor": 0.08}},
    "teeth": {"pbrMetallicRoughness": {"roughnessFactor": 0.2}},
    "mouth": {"pbrMetallicRoughness": {"roughnessFactor": 0.35}},
    "hair": {"pbrMetallicRoughness": {"roughnessFactor": 0.55}, "alphaMode": "MASK", "alphaCutoff": 0.35},
    "brows": {"pbrMetallicRoughness": {"roughnessFactor": 0.7}, "alphaMode": "BLEND"},
    "lashes": {"pbrMetallicRoughness": {"roughnessFactor": 0.7}, "alphaMode": "BLEND"},
}


@dataclass(frozen=True)
class Animation:
    """What a face does over time, N moments that follow each other."""

    times_s: Array  # [N] rising
    weights: Array  # [N, 52] in the order of models.expression.ARKIT
    turns: Mapping[str, Array]  # by joint: [N, 4] unit quaternions x y z w


def write_glb(head: Head, path: Path) -> None:
    """Writes the head with its 52 morph targets, named as ARKit names them.

    The mesh "skin" has all 52 targets, every other one those that move it. Eyes turn by the joints leftEye
    and rightEye, the head by the joint head. Raises AssetError where the file cannot be written.
    """
    try:
        path.write_bytes(glb_bytes(head))
    except OSError as error:
        raise AssetError(f"{path}: cannot be written ({error})") from error


def glb_bytes(head: Head, animation: Animation | None = None) -> bytes:
    """The head as `write_glb` writes it, and what it does over time."""
    glb = _Glb()
    glb.add_materials(head)
    joints = glb.add_joints(head)
    meshes = [glb.add_part(head, part) for part in head.card.parts]
    nodes = glb.json["nodes"]
    for part, mesh in zip(head.card.parts, meshes, strict=True):
        nodes.append({"name": part.name, "mesh": mesh, "skin": 0})
    glb.json["scenes"] = [{"nodes": [joints, *range(len(nodes) - len(meshes), len(nodes))]}]
    if animation is not None and len(animation.times_s):
        glb.add_animation(animation)
    return glb.packed(head)


class _Glb:
    """The JSON and the binary chunk while they grow."""

    def __init__(self) -> None:
        self.json: dict[str, list[Any]] = {
            name: []
            for name in (
                "nodes",
                "skins",
                "meshes",
                "materials",
                "textures",
                "images",
                "accessors",
                "bufferViews",
                "animations",
            )
        }
        self._binary = bytearray()
        self._material: dict[str, int] = {}

    def packed(self, head: Head) -> bytes:
        asset = {"version": "2.0", "generator": "rtgraph", "copyright": head.card.licence}
        document: dict[str, Any] = {
            "asset": asset,
            "scene": 0,
            "buffers": [{"byteLength": len(self._binary)}],
        }
        document |= {name: rows for name, rows in self.json.items() if rows}
        text = json.dumps(document, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        self._binary += b"\0" * (-len(self._binary) % 4)
        head_chunk = struct.pack("<III", 0x46546C67, 2, 28 + len(text) + len(self._binary))
        return b"".join(
            (
                head_chunk,
                struct.pack("<II", len(text), 0x4E4F534A),
                text,
                struct.pack("<II", len(self._binary), 0x004E4942),
                bytes(self._binary),
            )
        )

    def add_materials(self, head: Head) -> None:
        for name in dict.fromkeys(part.material for part in head.card.parts):
            material = {"name": name, **json.loads(json.dumps(_LOOK.get(name, {})))}
            surface = material.setdefault("pbrMetallicRoughness", {})
            surface["metallicFactor"] = 0
            if name in head.images:
                surface["baseColorTexture"] = {"index": self._picture(head.images[name])}
                surface["baseColorFactor"] = [
                    *np.clip(head.card.tints.get(name, (1, 1, 1)), 0, 1).tolist(),
                    1,
                ]
            elif name in head.card.colours:
                surface["baseColorFactor"] = [*head.card.colours[name], 1]
            if f"{name}_normal" in head.images:
                material["normalTexture"] = {"index": self._picture(head.images[f"{name}_normal"])}
            if f"{name}_roughness" in head.images:
                surface["roughnessFactor"] = 1
                texture = {"index": self._picture(head.images[f"{name}_roughness"])}
                surface["metallicRoughnessTexture"] = texture
                material["occlusionTexture"] = texture
            if "alphaMode" in material:
                material["doubleSided"] = True
            self._material[name] = len(self.json["materials"])
            self.json["materials"].append(material)

    def add_joints(self, head: Head) -> int:
        """Adds the joints and the skin; returns the root joint's node."""
        nodes = self.json["nodes"]
        inverse = np.tile(np.eye(4, dtype=np.float32), (len(head.joint_pivot), 1, 1))
        inverse[:, 3, :3] = -head.joint_pivot  # column-major: the last row holds the translation
        for joint, (name, parent) in enumerate(zip(head.card.joints, head.joint_parent, strict=True)):
            above = head.joint_pivot[parent] if parent >= 0 else np.zeros(3)
            nodes.append(
                {"name": name, "translation": (head.joint_pivot[joint] - above).astype(float).tolist()}
            )
            if parent >= 0:
                nodes[parent].setdefault("children", []).append(joint)
        joints = list(range(len(nodes)))
        self.json["skins"].append(
            {"joints": joints, "skeleton": 0, "inverseBindMatrices": self._accessor(inverse)}
        )
        return 0

    def add_part(self, head: Head, part: Part) -> int:
        vertices, triangles = slice(*part.vertices), slice(*part.triangles)
        start, count = part.vertices[0], part.vertices[1] - part.vertices[0]
        joints = np.zeros((count, 4), np.uint8)
        joints[:, :2] = head.skin_joint[vertices]
        weights = np.zeros((count, 4), np.float32)
        weights[:, :2] = head.skin_weight[vertices]
        joints[weights == 0] = 0
        indices = head.triangles[triangles] - start
        primitive = {
            "attributes": {
                "POSITION": self._accessor(head.neutral[vertices], _VERTEX_DATA, limits=True),
                "NORMAL": self._accessor(head.normals[vertices], _VERTEX_DATA),
                "TEXCOORD_0": self._accessor(head.uv[vertices], _VERTEX_DATA),
                "JOINTS_0": self._accessor(joints, _VERTEX_DATA),
                "WEIGHTS_0": self._accessor(weights, _VERTEX_DATA),
            },
            "indices": self._accessor(
                indices.astype(np.uint16 if count < 65535 else np.uint32).ravel(), _INDICES
            ),
            "material": self._material[part.material],
        }
        mesh: dict[str, Any] = {"name": part.name, "primitives": [primitive]}
        moves, turns = head.shapes[:, vertices], head.shape_turns[:, vertices]
        names = [name for name, move in zip(ARKIT, moves, strict=True) if part.name == "skin" or move.any()]
        if names:
            primitive["targets"] = [
                {
                    "POSITION": self._sparse(moves[ARKIT.index(name)], 0.0, limits=True),
                    "NORMAL": self._sparse(turns[ARKIT.index(name)], _TURNED),
                }
                for name in names
            ]
            mesh |= {"weights": [0.0] * len(names), "extras": {"targetNames": names}}
        self.json["meshes"].append(mesh)
        return len(self.json["meshes"]) - 1

    def add_animation(self, animation: Animation) -> None:
        """Morph weights of every mesh that has targets, and turns of joints; once all nodes are there."""
        clock = self._accessor(animation.times_s.astype(np.float32), limits=True)
        moved: list[tuple[int, str, Array]] = []
        for node, values in enumerate(self.json["nodes"]):
            if values["name"] in animation.turns:
                moved.append((node, "rotation", animation.turns[values["name"]]))
            elif "mesh" in values and "weights" in self.json["meshes"][values["mesh"]]:
                names = self.json["meshes"][values["mesh"]]["extras"]["targetNames"]
                columns = [ARKIT.index(name) for name in names]
                moved.append((node, "weights", animation.weights[:, columns].ravel()))
        outputs = [self._accessor(values.astype(np.float32)) for _, _, values in moved]
        self.json["animations"].append(
            {
                "name": "face",
                "samplers": [{"input": clock, "output": o, "interpolation": "LINEAR"} for o in outputs],
                "channels": [
                    {"sampler": k, "target": {"node": node, "path": path}}
                    for k, (node, path, _) in enumerate(moved)
                ],
            }
        )

    def _picture(self, data: bytes) -> int:
        kind = "image/png" if data[:4] == b"\x89PNG" else "image/jpeg"
        self.json["images"].append({"mimeType": kind, "bufferView": self._view(data)})
        self.json["textures"].append({"source": len(self.json["images"]) - 1})
        return len(self.json["textures"]) - 1

    def _view(self, data: bytes, target: int | None = None) -> int:
        self._binary += b"\0" * (-len(self._binary) % 4)
        view = {"buffer": 0, "byteOffset": len(self._binary), "byteLength": len(data)}
        self._binary += data
        self.json["bufferViews"].append(view | ({"target": target} if target else {}))
        return len(self.json["bufferViews"]) - 1

    def _accessor(self, array: Array, target: int | None = None, limits: bool = False) -> int:
        array = np.ascontiguousarray(array)
        return self._add(array, {"bufferView": self._view(array.tobytes(), target)}, limits)

    def _sparse(self, array: Array, threshold: float, limits: bool = False) -> int:
        """Rows [v, 3] that are no larger than `threshold` are left out, and read as zero."""
        rows = np.flatnonzero(np.abs(array).max(axis=1) > threshold)
        array = np.where(np.isin(np.arange(len(array)), rows)[:, None], array, np.float32(0))
        if not len(rows):
            return self._add(array, {}, limits)
        indices = rows.astype(np.uint16 if len(array) < 65535 else np.uint32)
        sparse = {
            "count": len(rows),
            "indices": {
                "bufferView": self._view(indices.tobytes()),
                "componentType": _COMPONENT[indices.dtype.name],
            },
            "values": {"bufferView": self._view(np.ascontiguousarray(array[rows]).tobytes())},
        }
        return self._add(array, {"sparse": sparse}, limits)

    def _add(self, array: Array, where: dict[str, Any], limits: bool) -> int:
        accessor = where | {
            "componentType": _COMPONENT[array.dtype.name],
            "count": len(array),
            "type": _KIND[array.shape[1:]],
        }
        if limits:
            accessor |= {
                "min": np.atleast_1d(array.min(axis=0)).astype(float).tolist(),
                "max": np.atleast_1d(array.max(axis=0)).astype(float).tolist(),
            }
        self.json["accessors"].append(accessor)
        return len(self.json["accessors"]) - 1
