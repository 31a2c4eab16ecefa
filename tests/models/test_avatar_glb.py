"""Heads as GLB: what is written can be read, by our reader and by others, and anything broken is told of."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from rtgraph.errors import AssetError
from rtgraph.models.avatar import Head, load_head
from rtgraph.models.avatar.glb import write_glb
from rtgraph.models.avatar.gltf import Gltf
from rtgraph.models.avatar.import_model import import_model
from rtgraph.models.expression import ARKIT


@pytest.fixture(scope="module")
def head() -> Head:
    return load_head("default")


@pytest.fixture(scope="module")
def glb(head: Head, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("glb") / "head.glb"
    write_glb(head, path)
    return path


def test_meshes_hold_the_head(head: Head, glb: Path) -> None:
    gltf = Gltf(glb)
    meshes = {mesh["name"]: mesh for mesh in gltf.rows("meshes")}
    assert list(meshes) == list(head.parts)
    assert meshes["skin"]["extras"]["targetNames"] == list(ARKIT)
    for name, part in head.parts.items():
        primitive = meshes[name]["primitives"][0]
        vertices = slice(*part.vertices)
        np.testing.assert_array_equal(
            gltf.accessor(primitive["attributes"]["POSITION"]), head.neutral[vertices]
        )
        triangles = head.triangles[slice(*part.triangles)] - part.vertices[0]
        np.testing.assert_array_equal(gltf.accessor(primitive["indices"]).reshape(-1, 3), triangles)
        for target, shape in zip(
            primitive.get("targets", []), meshes[name].get("extras", {}).get("targetNames", []), strict=True
        ):
            moves = head.shapes[ARKIT.index(shape), vertices]
            np.testing.assert_array_equal(gltf.accessor(target["POSITION"]), moves)


def test_joints_stand_at_their_pivots(head: Head, glb: Path) -> None:
    gltf = Gltf(glb)
    world = gltf.node_transforms()
    inverse = gltf.accessor(gltf.rows("skins")[0]["inverseBindMatrices"]).reshape(-1, 4, 4).transpose(0, 2, 1)
    for joint, node in enumerate(gltf.rows("skins")[0]["joints"]):
        assert gltf.rows("nodes")[node]["name"] == head.card.joints[joint]
        np.testing.assert_allclose(world[node][:3, 3], head.joint_pivot[joint], atol=1e-6)
        np.testing.assert_allclose(world[node] @ inverse[joint], np.eye(4), atol=1e-6)


def test_another_reader_agrees(head: Head, glb: Path) -> None:
    import pygltflib

    other = pygltflib.GLTF2().load(str(glb))
    skin = next(mesh for mesh in other.meshes if mesh.name == "skin")
    assert len(skin.primitives[0].targets) == 52
    accessor = other.accessors[skin.primitives[0].attributes.POSITION]
    view = other.bufferViews[accessor.bufferView]
    data = other.binary_blob()[view.byteOffset : view.byteOffset + view.byteLength]
    first, last = head.parts["skin"].vertices
    np.testing.assert_array_equal(np.frombuffer(data, np.float32).reshape(-1, 3), head.neutral[first:last])


def test_import_gives_back_what_was_exported(head: Head, glb: Path) -> None:
    back, matches = import_model(glb)
    assert all(match.exact and match.target == match.shape for match in matches)
    shift = back.neutral[0] - head.neutral[0]
    np.testing.assert_allclose(back.neutral, head.neutral + shift, atol=1e-6)
    np.testing.assert_array_equal(back.triangles, head.triangles)
    np.testing.assert_allclose(back.shapes, head.shapes, atol=2e-6)
    np.testing.assert_allclose(back.joint_pivot[1:], head.joint_pivot[1:] + shift, atol=1e-6)
    eye = slice(*head.parts["eye_left"].vertices)
    assert (back.skin_joint[eye, 0] == 2).all()
    assert back.images["skin"] == head.images["skin"]


def test_a_file_cut_anywhere_is_an_error_and_no_crash(glb: Path, tmp_path: Path) -> None:
    whole = glb.read_bytes()
    cut = tmp_path / "cut.glb"
    for keep in [0, 3, 12, 19, 20, 500, *np.linspace(1000, len(whole) - 1, 12).astype(int)]:
        cut.write_bytes(whole[:keep])
        with pytest.raises(AssetError, match=r"cut\.glb"):
            import_model(cut)


def test_nonsense_in_the_json_is_an_error_and_no_crash(tmp_path: Path) -> None:
    path = tmp_path / "odd.glb"
    point = {"componentType": 5126, "count": 3, "type": "VEC3", "bufferView": 0}
    mesh = {"primitives": [{"attributes": {"POSITION": 0}, "targets": [{"POSITION": 0}]}]}
    good = {
        "asset": {"version": "2.0"},
        "nodes": [{"mesh": 0}],
        "meshes": [mesh | {"extras": {"targetNames": ["jawOpen"]}}],
        "accessors": [point],
        "bufferViews": [{"buffer": 0, "byteLength": 36}],
        "buffers": [{"byteLength": 36}],
    }
    binary = np.arange(9, dtype=np.float32).tobytes()
    path.write_bytes(packed(good, binary))
    import_model(path)
    for change in (
        {"accessors": [point | {"count": 10**9}]},
        {"accessors": [point | {"count": -3}]},
        {"accessors": [point | {"count": "many"}]},
        {"accessors": [point | {"type": "VEC9"}]},
        {"accessors": []},
        {"bufferViews": [{"buffer": 7, "byteLength": 36}]},
        {"bufferViews": [{"buffer": 0, "byteLength": 10**12}]},
        {"bufferViews": [{"buffer": 0, "byteOffset": -8, "byteLength": 36}]},
        {"buffers": [{"byteLength": 36, "uri": "elsewhere.bin"}]},
        {"nodes": [{"mesh": 5}]},
        {"nodes": [{"mesh": 0, "children": [0]}]},
        {"meshes": [{"primitives": 3}]},
        {"meshes": [mesh | {"extras": {"targetNames": ["wiggle"]}}]},
        {"extensionsRequired": ["KHR_draco_mesh_compression"]},
        {"nodes": []},
    ):
        path.write_bytes(packed(good | change, binary))
        with pytest.raises(AssetError, match=r"odd\.glb"):
            import_model(path)
    path.write_bytes(packed(good, np.full(9, np.nan, np.float32).tobytes()))
    with pytest.raises(AssetError, match="NaN"):
        import_model(path)


@pytest.mark.parametrize(
    ("place", "change"),
    [
        ("accessor", {"byteOffset": -16}),
        ("accessor", {"byteOffset": -1_000_000, "count": 20_000}),
        ("view", {"byteStride": -12}),
        ("view", {"byteStride": 4}),
        ("indices", {"byteOffset": -4}),
        ("values", {"byteOffset": -16}),
    ],
)
def test_nothing_outside_a_buffer_is_read(tmp_path: Path, place: str, change: dict[str, int]) -> None:
    """Below zero, an offset or a stride leads out of the buffer; a stride under an element makes more of it."""
    path = tmp_path / "odd.glb"
    points = np.arange(9, dtype=np.float32)
    parts: dict[str, dict[str, object]] = {
        "accessor": {"componentType": 5126, "count": 3, "type": "VEC3", "bufferView": 0},
        "view": {"buffer": 0, "byteLength": 36},
        "indices": {"bufferView": 1, "componentType": 5123},
        "values": {"bufferView": 0},
    }

    def accessor() -> np.ndarray:
        sparse = {"count": 3, "indices": parts["indices"], "values": parts["values"]}
        document = {
            "accessors": [parts["accessor"] | {"sparse": sparse}],
            "bufferViews": [parts["view"], {"buffer": 0, "byteOffset": 36, "byteLength": 6}],
            "buffers": [{"byteLength": 44}],
        }
        path.write_bytes(packed(document, points.tobytes() + np.arange(4, dtype=np.uint16).tobytes()))
        return Gltf(path).accessor(0)

    np.testing.assert_array_equal(accessor(), points.reshape(3, 3))
    parts[place] |= change
    with pytest.raises(AssetError, match=r"odd\.glb: accessor 0 is broken.*from"):
        accessor()


def packed(document: dict[str, object], binary: bytes) -> bytes:
    """A GLB of a JSON document and a binary chunk."""
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    chunks = (
        struct.pack("<II", len(text), 0x4E4F534A)
        + text
        + struct.pack("<II", len(binary), 0x004E4942)
        + binary
    )
    return struct.pack("<III", 0x46546C67, 2, 12 + len(chunks)) + chunks
