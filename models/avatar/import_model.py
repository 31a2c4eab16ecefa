"""Makes a head of any GLB or VRM with ARKit, viseme or VRM morph targets, and says what stands for what."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rtgraph.errors import AssetError
from rtgraph.kernels.decode import sparse_shapes
from rtgraph.models.expression import ARKIT

from .gltf import Gltf
from .head import JOINTS, NO_GAUSSIANS, Head, HeadCard, Part
from .names import Match, match_names

Array = npt.NDArray[Any]

MAX_VERTICES = 200_000
MAX_M = 10_000.0  # a coordinate that is larger is none
SIDE_M = 0.006  # over which a target for both sides is split into halves
EYES = np.array([0.0, 0.038, 0.073])  # where the default head has the middle of its eyes
_BONES = {
    "head": ("head", "j_bip_c_head"),
    "leftEye": ("lefteye", "eyeleft", "eye_l", "l_eye", "faceeye_l", "j_adj_l_faceeye"),
    "rightEye": ("righteye", "eyeright", "eye_r", "r_eye", "faceeye_r", "j_adj_r_faceeye"),
}


@dataclass
class _Model:
    """A model's meshes joined into one; targets by name, as displacements."""

    points: list[Array] = field(default_factory=list)  # [v, 3] in the world
    triangles: list[Array] = field(default_factory=list)
    uv: list[Array] = field(default_factory=list)
    bones: list[Array] = field(default_factory=list)  # [v] the node that carries most, -1: none
    parts: list[Part] = field(default_factory=list)
    moves: dict[str, list[tuple[int, Array]]] = field(default_factory=dict)  # first vertex, [v, 3]
    groups: dict[tuple[int, int], tuple[int, list[Array]]] = field(
        default_factory=dict
    )  # by mesh node, primitive

    @property
    def count(self) -> int:
        return sum(map(len, self.points))


def import_model(path: Path) -> tuple[Head, list[Match]]:
    """A head of the file, and for each of the 52 shapes what stands for it.

    Raises AssetError where the file is broken, too large, or has no morph target that a face could use.
    """
    gltf = Gltf(path)
    try:
        with np.errstate(all="ignore"):  # what is not finite is found in the end
            return _imported(gltf)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise AssetError(f"{path}: is not as glTF 2.0 has it ({error!r})") from error


def _imported(gltf: Gltf) -> tuple[Head, list[Match]]:
    model = _read(gltf)
    if not model.points:
        raise AssetError(f"{gltf.path}: holds no triangles")
    matches = match_names(list(model.moves))
    if not any(match.target for match in matches):
        names = ", ".join(sorted(model.moves)[:12]) or "none"
        raise AssetError(
            f"{gltf.path}: none of its morph targets ({names}) is known as ARKit's, a viseme or VRM's"
        )
    head = _head(gltf, model, matches)
    _check_finite(gltf, "vertices", head.neutral)
    _check_finite(gltf, "texture coordinates", head.uv)
    _check_finite(gltf, "places of head and eyes", head.joint_pivot)
    return head, matches


def _check_finite(gltf: Gltf, what: str, numbers: Array) -> None:
    if not (np.abs(numbers) < MAX_M).all():
        raise AssetError(f"{gltf.path}: its {what} hold NaN, infinite or huge numbers; export it again")


def _read(gltf: Gltf) -> _Model:
    model, world = _Model(), gltf.node_transforms()
    turn = np.eye(4)
    if "VRM" in gltf.json.get("extensions", {}):  # VRM 0 looks along -Z
        turn = np.diag([-1.0, 1.0, -1.0, 1.0])
    for index, node in enumerate(gltf.rows("nodes")):
        if "mesh" in node:
            skin = gltf.rows("skins")[node["skin"]] if "skin" in node else None
            place = turn @ (_bind(gltf, skin, world) if skin else world[index])
            _read_mesh(gltf, model, index, node["mesh"], skin, place)
    _read_expressions(gltf, model)
    return model


def _bind(gltf: Gltf, skin: dict[str, Any], world: list[Array]) -> Array:
    """What takes a skinned mesh to where its joints stand at rest (that of its first joint)."""
    if "inverseBindMatrices" not in skin:
        return np.eye(4)
    inverse = gltf.accessor(skin["inverseBindMatrices"])[0].reshape(4, 4).T
    return world[skin["joints"][0]] @ inverse


def _read_mesh(
    gltf: Gltf, model: _Model, node: int, mesh_index: int, skin: dict[str, Any] | None, place: Array
) -> None:
    mesh = gltf.rows("meshes")[mesh_index]
    for number, primitive in enumerate(mesh["primitives"]):
        if primitive.get("mode", 4) != 4 or "POSITION" not in primitive["attributes"]:
            continue
        attributes = primitive["attributes"]
        points = gltf.accessor(attributes["POSITION"]).astype(float)
        if model.count + len(points) > MAX_VERTICES:
            raise AssetError(f"{gltf.path}: more than {MAX_VERTICES} vertices; export the head alone")
        indices = gltf.accessor(primitive["indices"]) if "indices" in primitive else np.arange(len(points))
        if len(indices) % 3 or (len(indices) and indices.max() >= len(points)):
            raise AssetError(
                f"{gltf.path}: mesh {mesh_index}: its triangles name vertices that it does not have"
            )
        first, first_triangle = model.count, sum(map(len, model.triangles))
        model.points.append(points @ place[:3, :3].T + place[:3, 3])
        model.triangles.append(indices.astype(np.int64).reshape(-1, 3) + first)
        uv = (
            gltf.accessor(attributes["TEXCOORD_0"])
            if "TEXCOORD_0" in attributes
            else np.zeros((len(points), 2))
        )
        model.uv.append(uv)
        model.bones.append(_bones(gltf, attributes, skin, len(points)))
        material = gltf.rows("materials")[primitive["material"]] if "material" in primitive else {}
        model.parts.append(
            Part(
                name=f"{mesh.get('name', f'mesh{mesh_index}')}_{number}",
                material=str(material.get("name", f"material{primitive.get('material', '')}")),
                vertices=(first, first + len(points)),
                triangles=(first_triangle, first_triangle + len(indices) // 3),
            )
        )
        names = (mesh.get("extras") or {}).get("targetNames") or (primitive.get("extras") or {}).get(
            "targetNames"
        )
        moves = []
        for target, arrays in enumerate(primitive.get("targets", [])):
            name = str(names[target]) if names and target < len(names) else f"target{target}"
            move = (
                gltf.accessor(arrays["POSITION"]).astype(float)
                if "POSITION" in arrays
                else np.zeros_like(points)
            )
            move = move @ place[:3, :3].T
            moves.append(move)
            model.moves.setdefault(name, []).append((first, move))
        model.groups[node, number] = (first, moves)


def _bones(gltf: Gltf, attributes: dict[str, Any], skin: dict[str, Any] | None, count: int) -> Array:
    if skin is None or "JOINTS_0" not in attributes:
        return np.full(count, -1)
    joints, weights = gltf.accessor(attributes["JOINTS_0"]), gltf.accessor(attributes["WEIGHTS_0"])
    most = np.take_along_axis(joints, weights.argmax(axis=1)[:, None], axis=1)[:, 0]
    return np.asarray(np.array(skin["joints"])[most])


def _read_expressions(gltf: Gltf, model: _Model) -> None:
    """VRM's named expressions, each a mixture of morph targets, as targets of their own."""
    extensions = gltf.json.get("extensions", {})
    nodes = gltf.rows("nodes")
    for group in extensions.get("VRM", {}).get("blendShapeMaster", {}).get("blendShapeGroups", []):
        name = group.get("presetName", "unknown")
        name = group.get("name", "") if name == "unknown" else name
        for bind in group.get("binds", []):
            holders = [i for i, node in enumerate(nodes) if node.get("mesh") == bind["mesh"]]
            _add_bind(model, name, holders, bind["index"], bind.get("weight", 100) / 100)
    expressions = extensions.get("VRMC_vrm", {}).get("expressions", {})
    for name, expression in {**expressions.get("preset", {}), **expressions.get("custom", {})}.items():
        for bind in expression.get("morphTargetBinds", []):
            _add_bind(model, name, [bind["node"]], bind["index"], bind.get("weight", 1.0))


def _add_bind(model: _Model, name: str, nodes: list[int], index: int, weight: float) -> None:
    for (node, _), (first, moves) in model.groups.items():
        if node in nodes and index < len(moves):
            model.moves.setdefault(name, []).append((first, weight * moves[index]))


def _head(gltf: Gltf, model: _Model, matches: list[Match]) -> Head:
    points = np.concatenate(model.points)
    pivot, nodes = _pivots(gltf, points)
    shift = EYES - pivot[2:4].mean(axis=0)
    deltas = np.zeros((len(ARKIT), len(points), 3), np.float32)
    left = 0.5 + 0.5 * np.clip((points[:, 0] - pivot[2:4, 0].mean()) / SIDE_M, -1, 1)
    for row, match in enumerate(matches):
        share = {"": 1.0, "Left": left[:, None], "Right": 1 - left[:, None]}[match.side]
        for first, move in model.moves.get(match.target, []):
            deltas[row, first : first + len(move)] += match.weight * move
        deltas[row] *= share
    _check_finite(gltf, "morph targets", deltas)
    start, vertex, delta = sparse_shapes(deltas, 1e-6)
    joint, weight = _skin(gltf, np.concatenate(model.bones), nodes)
    return Head(
        card=HeadCard(
            name=gltf.path.stem,
            licence=str(gltf.json.get("asset", {}).get("copyright", "unknown: that of the imported model")),
            source=gltf.path.name,
            notes="made by rtgraph avatar import",
            parts=model.parts,
        ),
        neutral=(points + shift).astype(np.float32),
        triangles=np.concatenate(model.triangles).astype(np.int32),
        uv=np.concatenate(model.uv).astype(np.float32),
        weld=_weld(points),
        shape_start=start,
        shape_vertex=vertex,
        shape_delta=delta,
        joint_parent=np.array([-1, 0, 1, 1], np.int32),
        joint_pivot=(pivot + shift).astype(np.float32),
        skin_joint=joint,
        skin_weight=weight,
        identity_basis=np.zeros((0, len(points), 3), np.float16),
        identity_pivot=np.zeros((0, len(JOINTS), 3), np.float32),
        gaussians=NO_GAUSSIANS,
        images=_images(gltf),
    )


def _weld(points: Array) -> npt.NDArray[np.int32]:
    """The first vertex at each vertex's point: exporters split vertices at seams."""
    _, first, inverse = np.unique(np.round(points, 6), axis=0, return_index=True, return_inverse=True)
    return np.asarray(first[inverse.ravel()], np.int32)


def _pivots(gltf: Gltf, points: Array) -> tuple[Array, dict[str, int]]:
    """Where root, head and eyes turn [4, 3], and the nodes of head and eyes that the model has."""
    world, nodes = gltf.node_transforms(), _bone_nodes(gltf)
    sign = np.array([-1.0, 1, -1]) if "VRM" in gltf.json.get("extensions", {}) else np.ones(3)
    top, front = points[:, 1].max(), points[:, 2].max()
    guess = {"head": [0, top - 0.21, front - 0.11], "leftEye": [0.03, top - 0.105, front - 0.04]}
    guess["rightEye"] = [-0.03, *guess["leftEye"][1:]]
    rows = [world[nodes[n]][:3, 3] * sign if n in nodes else np.array(guess[n]) for n in JOINTS[1:]]
    return np.stack([rows[0], *rows]).astype(float), nodes


def _bone_nodes(gltf: Gltf) -> dict[str, int]:
    extensions = gltf.json.get("extensions", {})
    found: dict[str, int] = {}
    human = extensions.get("VRMC_vrm", {}).get("humanoid", {}).get("humanBones", {})
    found |= {name: bone["node"] for name, bone in human.items() if name in _BONES}
    for bone in extensions.get("VRM", {}).get("humanoid", {}).get("humanBones", []):
        if bone.get("bone") in _BONES:
            found[bone["bone"]] = bone["node"]
    for index, node in enumerate(gltf.rows("nodes")):
        name = str(node.get("name", "")).lower().replace(" ", "")
        for bone, names in _BONES.items():
            if bone not in found and name.split(":")[-1] in names and "mesh" not in node:
                found[bone] = index
    return found


def _skin(
    gltf: Gltf, bones: Array, nodes: dict[str, int]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Joints [V, 2] and weights [V, 2]: what hangs on the head turns with it, or all."""
    children = {i: node.get("children", []) for i, node in enumerate(gltf.rows("nodes"))}

    def below(node: int) -> set[int]:
        found, left = set(), [node]
        while left:
            at = left.pop()
            if at not in found:
                found.add(at)
                left += children.get(at, [])
        return found

    joint = np.zeros(len(bones), np.int32)
    if "head" in nodes and (bones >= 0).any():
        joint[np.isin(bones, list(below(nodes["head"])))] = JOINTS.index("head")
    else:
        joint[:] = JOINTS.index("head")
    for name in ("leftEye", "rightEye"):
        if name in nodes:
            joint[np.isin(bones, list(below(nodes[name])))] = JOINTS.index(name)
    weight = np.tile(np.array([1.0, 0.0], np.float32), (len(bones), 1))
    return np.stack([joint, np.zeros_like(joint)], axis=1), weight


def _images(gltf: Gltf) -> dict[str, bytes]:
    """The colour pictures by material; those that are neither JPEG nor PNG are left out."""
    images: dict[str, bytes] = {}
    for index, material in enumerate(gltf.rows("materials")):
        texture = material.get("pbrMetallicRoughness", {}).get("baseColorTexture")
        textures = gltf.rows("textures")
        if texture and texture["index"] < len(textures) and "source" in textures[texture["index"]]:
            data = gltf.image(textures[texture["index"]]["source"])
            if data and data[:3] in (b"\xff\xd8\xff", b"\x89PN"):
                images[str(material.get("name", f"material{index}"))] = data
    return images
