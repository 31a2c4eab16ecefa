"""Names of other models' morph targets, stand-ins, and VRM's expressions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from test_avatar_glb import packed

from rtgraph.errors import AssetError
from rtgraph.models.avatar.gltf import MAX_BYTES
from rtgraph.models.avatar.import_model import import_model
from rtgraph.models.avatar.names import key, match_names
from rtgraph.models.expression import ARKIT, INDEX


@pytest.mark.parametrize(
    "name",
    [
        "eyeBlinkLeft",
        "EyeBlinkLeft",
        "eyeBlink_L",
        "Face.M_F00_eyeBlinkLeft",
        "mesh|eyeBlink_Left",
        "blendShape1.eyeBlink_l",
    ],
)
def test_one_name_in_many_spellings(name: str) -> None:
    assert key(name) == "eyeblinkleft"


def test_a_perfect_sync_model_is_exact() -> None:
    matches = match_names([name[0].upper() + name[1:] for name in ARKIT])
    assert all(match.exact for match in matches)
    assert [match.target.lower() for match in matches] == [name.lower() for name in ARKIT]


def test_visemes_and_vrm_names_stand_in() -> None:
    matches = {
        m.shape: m for m in match_names(["viseme_aa", "viseme_O", "viseme_U", "Blink_L", "blink", "Joy"])
    }
    assert (matches["jawOpen"].target, matches["jawOpen"].exact) == ("viseme_aa", False)
    assert matches["mouthFunnel"].target == "viseme_O"
    assert matches["mouthPucker"].target == "viseme_U"
    assert (matches["eyeBlinkLeft"].target, matches["eyeBlinkLeft"].side) == ("Blink_L", "")
    assert (matches["eyeBlinkRight"].target, matches["eyeBlinkRight"].side) == ("blink", "Right")
    assert (matches["mouthSmileLeft"].target, matches["mouthSmileLeft"].side) == ("Joy", "Left")
    assert matches["tongueOut"].target == ""


def test_an_exact_name_wins_over_a_stand_in() -> None:
    matches = {m.shape: m for m in match_names(["aa", "jawOpen", "A"])}
    assert (matches["jawOpen"].target, matches["jawOpen"].exact) == ("jawOpen", True)


def vrm(
    path: Path, extensions: dict[str, object], names: tuple[str, ...] = (), up_m: float = 0.01, **more: object
) -> None:
    """A model of two triangles, left and right, whose two targets move every vertex up, and down."""
    points = np.array([[1, 0, 0], [2, 0, 0], [1, 1, 0], [-1, 0, 0], [-1, 1, 0], [-2, 0, 0]], np.float32) * 0.1
    up = np.tile(np.array([0, up_m, 0], np.float32), (6, 1))
    binary = points.tobytes() + up.tobytes() + (-up).tobytes()
    accessor = {"componentType": 5126, "count": 6, "type": "VEC3"}
    document = {
        "asset": {"version": "2.0"},
        "nodes": [{"mesh": 0}, {"name": "LeftEye", "translation": [0.03, 1.6, 0.05]}],
        "meshes": [
            {
                "primitives": [
                    {"attributes": {"POSITION": 0}, "targets": [{"POSITION": 1}, {"POSITION": 2}]}
                ],
                "extras": {"targetNames": list(names)},
            }
        ],
        "accessors": [accessor | {"bufferView": i} for i in range(3)],
        "bufferViews": [{"buffer": 0, "byteOffset": 72 * i, "byteLength": 72} for i in range(3)],
        "buffers": [{"byteLength": len(binary)}],
        "extensions": extensions,
    }
    path.write_bytes(packed(document | more, binary))


def test_vrm_1_expressions_are_targets(tmp_path: Path) -> None:
    path = tmp_path / "one.vrm"
    preset = {
        "blink": {"morphTargetBinds": [{"node": 0, "index": 0, "weight": 0.5}]},
        "aa": {"morphTargetBinds": [{"node": 0, "index": 1, "weight": 1.0}]},
    }
    vrm(path, {"VRMC_vrm": {"expressions": {"preset": preset}}})
    head, matches = import_model(path)
    np.testing.assert_allclose(head.shapes[INDEX["jawOpen"]], [[0, -0.01, 0]] * 6, atol=1e-7)
    blink = head.shapes[INDEX["eyeBlinkLeft"], :, 1]
    np.testing.assert_allclose(blink, [0.005] * 3 + [0.0] * 3, atol=1e-7)
    np.testing.assert_allclose(head.shapes[INDEX["eyeBlinkRight"], :, 1], blink[::-1], atol=1e-7)
    assert sum(bool(match.target) for match in matches) == 3


def test_vrm_0_groups_are_targets_and_it_is_turned_to_face_us(tmp_path: Path) -> None:
    path = tmp_path / "zero.vrm"
    group = {"presetName": "a", "name": "A", "binds": [{"mesh": 0, "index": 0, "weight": 100}]}
    vrm(path, {"VRM": {"blendShapeMaster": {"blendShapeGroups": [group]}}})
    head, _ = import_model(path)
    np.testing.assert_allclose(head.shapes[INDEX["jawOpen"]], [[0, 0.01, 0]] * 6, atol=1e-7)
    assert head.neutral[0, 0] < head.neutral[3, 0], "what was at +X is at -X"


def test_a_model_without_a_known_target_says_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "none.vrm"
    vrm(path, {})
    with pytest.raises(AssetError, match=r"none of its morph targets.*target0, target1"):
        import_model(path)


@pytest.mark.parametrize("spelling", [str.upper, str.lower, lambda name: f"Mesh.{name}"])
def test_names_in_other_case_are_the_same_shapes(tmp_path: Path, spelling) -> None:
    path = tmp_path / "case.glb"
    vrm(path, {}, names=(spelling("jawOpen"), spelling("eyeBlink_L")))
    head, matches = import_model(path)
    exact = {match.shape: match.target for match in matches if match.exact}
    assert exact == {"jawOpen": spelling("jawOpen"), "eyeBlinkLeft": spelling("eyeBlink_L")}
    np.testing.assert_allclose(head.shapes[INDEX["eyeBlinkLeft"]], [[0, -0.01, 0]] * 6, atol=1e-7)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"up_m": np.nan}, "morph targets hold NaN"),
        ({"up_m": np.inf}, "morph targets hold NaN, infinite"),
        ({"up_m": 1e30}, "morph targets hold NaN, infinite or huge"),
        ({"nodes": [{"mesh": 0, "translation": [0, np.nan, 0]}]}, "vertices hold NaN"),
        ({"nodes": [{"mesh": 0}, {"name": "LeftEye", "translation": [np.nan] * 3}]}, "vertices hold NaN"),
        ({"asset": None}, "is not as glTF 2.0 has it"),
        ({"materials": [{"pbrMetallicRoughness": 3}]}, "is not as glTF 2.0 has it"),
        ({"extensions": {"VRMC_vrm": {"humanoid": []}}}, "is not as glTF 2.0 has it"),
        ({"extensionsRequired": 3, "nodes": [{"mesh": "me"}]}, "is not as glTF 2.0 has it"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_nonsense_is_an_error_that_names_the_file(tmp_path: Path, changes, message: str) -> None:
    path = tmp_path / "odd.glb"
    vrm(path, **({"extensions": {}, "names": ("jawOpen",)} | changes))
    with pytest.raises(AssetError, match=rf"odd\.glb.*{message}"):
        import_model(path)


def test_what_is_no_glb_is_an_error(tmp_path: Path) -> None:
    text, empty, huge, folder = (tmp_path / f"{name}.glb" for name in ("text", "empty", "huge", "folder"))
    text.write_text("a long letter about a head " * 9)
    empty.touch()
    with huge.open("wb") as file:
        file.truncate(MAX_BYTES + 1)  # takes no room on the disk
    folder.mkdir()
    for path, message in (
        (text, "not a GLB"),
        (empty, "not a GLB"),
        (huge, "expected at most 300 MB"),
        (folder, "cannot be read"),
        (tmp_path / "nowhere.glb", "cannot be read"),
    ):
        with pytest.raises(AssetError, match=rf"{path.name}.*{message}"):
            import_model(path)
