"""What a head is: a mesh, 52 ARKit shapes, joints, an identity basis and Gaussians, as numpy arrays.

Metres, glTF axes (+Y up, the face along +Z, +X the person's left); the origin lies between the ears.
V vertices, T triangles, S = 52 + correctives, N entries of sparse shapes, J joints, K identity numbers,
G Gaussians. A part ("skin", "eye_left", "teeth_upper", ...) is a run of vertices and one of triangles; parts
share nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from rtgraph.errors import AssetError, suggest
from rtgraph.files import bundled
from rtgraph.kernels.decode import Rig
from rtgraph.models.expression import ANGLES, ARKIT

from .tones import tones

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]

JOINTS = ("root", "head", "leftEye", "rightEye")  # in this order in every head; the root never moves
FORMAT = 1
HAIR_RATIO = 3.0  # a Gaussian so much longer than wide is a piece of hair
BROW_MARGIN_M = 0.005  # about the brows' cards, within which a hair that stands on skin is theirs

Colour = tuple[float, float, float]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Part(_Strict):
    """A run of vertices [start, stop) and of triangles [start, stop), of one material."""

    name: str
    material: str
    vertices: tuple[int, int]
    triangles: tuple[int, int]


class Corrective(_Strict):
    """A shape beyond the 52: its weight is first x second of them, or first x (1 - second) where inverted."""

    first: str
    second: str
    inverted: bool = False


class IdentityNumber(_Strict):
    """One number of the identity code: 0 is the default head; beyond the limits faces fall apart."""

    name: str
    group: str  # age, sex, ethnicity, face, eyes, nose, mouth, ears
    low: float
    high: float


class HeadCard(_Strict):
    """What a head is, where it comes from, what its runs and numbers are called."""

    format: int = FORMAT
    name: str
    licence: str
    source: str = ""
    notes: str = ""
    parts: list[Part]
    joints: list[str] = list(JOINTS)
    correctives: list[Corrective] = []
    identity: list[IdentityNumber] = []
    colours: dict[str, Colour] = Field({}, description="linear RGB by material, where it has no picture")
    tints: dict[str, Colour] = Field({}, description="factors on the pictures' linear RGB, by material")


@dataclass(frozen=True)
class Gaussians:
    """Gaussians in the frame and size of the triangle that carries them (kernels.decode.reference)."""

    triangle: Ints  # [G]
    mean: Floats  # [G, 3]
    rotation: Floats  # [G, 4] unit quaternion w x y z
    scale: Floats  # [G, 3]
    colour: Floats  # [G, 3] linear RGB 0..1, unlit: a disc's thinnest axis is its normal
    opacity: Floats  # [G] 0..1


NO_GAUSSIANS = Gaussians(
    np.zeros(0, np.int32), *(np.zeros(s, np.float32) for s in ((0, 3), (0, 4), (0, 3), (0, 3), 0))
)


@dataclass(frozen=True)
class Head:
    """A head in memory; the arrays are those of the module's docstring, checked when they are loaded."""

    card: HeadCard
    neutral: Floats  # [V, 3] m
    triangles: Ints  # [T, 3]
    uv: Floats  # [V, 2]
    weld: Ints  # [V]
    shape_start: Ints  # [S + 1]
    shape_vertex: Ints  # [N]
    shape_delta: Floats  # [N, 3] m
    joint_parent: Ints  # [J]
    joint_pivot: Floats  # [J, 3] m
    skin_joint: Ints  # [V, 2]
    skin_weight: Floats  # [V, 2]
    identity_basis: npt.NDArray[np.float16]  # [K, V, 3] m
    identity_pivot: Floats  # [K, J, 3] m
    gaussians: Gaussians
    images: dict[str, bytes] = field(default_factory=dict)  # JPEG or PNG by name

    @cached_property
    def normals(self) -> Floats:
        """Unit normals of the neutral head [V, 3], smooth across the seams of the UVs."""
        return vertex_normals(self.neutral, self.triangles, self.weld)

    @cached_property
    def shapes(self) -> Floats:
        """The 52 ARKit shapes [52, V, 3], metres, dense, in the order of models.expression.ARKIT."""
        return self._dense(0, len(ARKIT))

    @cached_property
    def shape_turns(self) -> Floats:
        """How each ARKit shape at 1 changes the normals: [52, V, 3]."""
        turned = [vertex_normals(self.neutral + move, self.triangles, self.weld) for move in self.shapes]
        return np.stack(turned) - self.normals

    @cached_property
    def correctives(self) -> Floats:
        """The shapes of `card.correctives` [C, V, 3], metres, dense."""
        return self._dense(len(ARKIT), len(self.shape_start) - 1)

    @property
    def parts(self) -> dict[str, Part]:
        """The parts by name, in the order of their vertices."""
        return {part.name: part for part in self.card.parts}

    def rig(self, gaussians: bool = True) -> Rig:
        """The head as kernels.decode takes it; its inputs [52 + C + 9] are those of drive.rig_inputs."""
        shapes = len(self.shape_start) - 1
        drive = np.zeros((len(JOINTS), 6, shapes + len(ANGLES)), np.float32)
        for joint, first in ((1, "headYaw"), (2, "leftEyeYaw"), (3, "rightEyeYaw")):
            column = shapes + ANGLES.index(first)
            drive[joint, [0, 1, 2], [column, column + 1, column + 2]] = 1.0
        g = self.gaussians if gaussians else NO_GAUSSIANS
        return Rig(
            neutral=self.neutral,
            triangles=self.triangles,
            shape_start=self.shape_start,
            shape_vertex=self.shape_vertex,
            shape_delta=self.shape_delta,
            joint_parent=self.joint_parent,
            joint_pivot=self.joint_pivot,
            joint_drive=drive,
            skin_joint=self.skin_joint,
            skin_weight=self.skin_weight,
            gaussian_triangle=g.triangle,
            gaussian_mean=g.mean,
            gaussian_rotation=g.rotation,
            gaussian_scale=g.scale,
            weld=self.weld,
        )

    def with_identity(self, code: Mapping[str, float]) -> Head:
        """The head of a person, with the tones that go with it: the numbers that are not 0, by name.

        Raises AssetError for a name that the head does not have, and for a number that is not finite; numbers
        beyond their limits are taken to them.
        """
        names = [number.name for number in self.card.identity]
        values = np.zeros(len(names), np.float32)
        for name, value in code.items():
            if name not in names:
                near = suggest(name, names)
                raise AssetError(
                    f"head '{self.card.name}' has no identity number '{name}'"
                    + (f"; did you mean '{near}'?" if near else f"; it has {', '.join(names) or 'none'}")
                )
            if not math.isfinite(value):
                raise AssetError(f"identity number '{name}': expected a finite number, got {value}")
            limits = self.card.identity[names.index(name)]
            values[names.index(name)] = min(max(value, limits.low), limits.high)
        used = np.flatnonzero(values)
        basis = self.identity_basis[used].astype(np.float32)
        tints = dict(self.card.tints)
        for material, tone in tones(code).items():
            before = tints.get(material, (1.0, 1.0, 1.0))
            tints[material] = (before[0] * tone[0], before[1] * tone[1], before[2] * tone[2])
        return replace(
            self,
            card=self.card.model_copy(update={"tints": tints}),
            neutral=self.neutral + np.einsum("k,kvc->vc", values[used], basis),
            joint_pivot=self.joint_pivot + np.einsum("k,kjc->jc", values[used], self.identity_pivot[used]),
            gaussians=replace(self.gaussians, colour=self._tinted(tones(code))),
        )

    @property
    def identity_groups(self) -> dict[str, str]:
        """The group of each identity number, by its name."""
        return {number.name: number.group for number in self.card.identity}

    def _tinted(self, tints: Mapping[str, Colour]) -> Floats:
        """The Gaussians' colours, each by the tint of its material: [G, 3]."""
        colour = self.gaussians.colour.copy()
        for material, which in self._gaussian_materials.items():
            colour[which] *= np.float32(tints.get(material, (1.0, 1.0, 1.0)))
        return np.clip(colour, 0.0, 1.0)

    @cached_property
    def _gaussian_materials(self) -> dict[str, npt.NDArray[np.bool_]]:
        """Which Gaussians are of which material: that of the part that carries them, except for hairs that
        stand on skin. These are of the brows where the brows lie, and of the hair elsewhere."""
        g = self.gaussians
        found = {part.material: np.zeros(len(g.triangle), bool) for part in self.card.parts}
        for part in self.card.parts:
            first, last = part.triangles
            found[part.material] |= (g.triangle >= first) & (g.triangle < last)
        if not {"skin", "hair", "brows"} <= found.keys():
            return found
        brows = np.concatenate(
            [self.neutral[slice(*p.vertices)] for p in self.card.parts if p.material == "brows"]
        )
        low, high = brows.min(axis=0) - BROW_MARGIN_M, brows.max(axis=0) + BROW_MARGIN_M
        root = self.neutral[self.triangles[g.triangle]].mean(axis=1)
        on_brows = ((root > low) & (root < high)).all(axis=1)
        hairs = found["skin"] & (g.scale[:, 0] > HAIR_RATIO * g.scale[:, 1:].max(axis=1))
        found["skin"] &= ~hairs
        found["brows"] |= hairs & on_brows
        found["hair"] |= hairs & ~on_brows
        return found

    def _dense(self, first: int, last: int) -> Floats:
        dense = np.zeros((last - first, len(self.neutral), 3), np.float32)
        for shape in range(first, last):
            entries = slice(self.shape_start[shape], self.shape_start[shape + 1])
            dense[shape - first, self.shape_vertex[entries]] = self.shape_delta[entries]
        return dense


def vertex_normals(points: npt.ArrayLike, triangles: Ints, weld: Ints | None = None) -> Floats:
    """Area-weighted unit normals [V, 3] of a mesh [V, 3], [T, 3]; welded vertices share theirs.

    +Z where there is none.
    """
    p = np.asarray(points, np.float64)
    a, b, c = (p[triangles[:, corner]] for corner in range(3))
    faces = np.cross(b - a, c - a)
    corners = (triangles if weld is None else weld[triangles]).ravel(order="F")
    sums = np.stack([np.bincount(corners, np.tile(faces[:, k], 3), len(p)) for k in range(3)], axis=1)
    if weld is not None:
        sums = sums[weld]
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.where(length > 1e-15, sums / np.maximum(length, 1e-15), [0.0, 0.0, 1.0]).astype(np.float32)


def head_names() -> list[str]:
    """The bundled heads."""
    return sorted(path.stem for path in (bundled("assets") / "heads").glob("*.safetensors"))


def find_head(name_or_path: str | Path) -> Path:
    """The file of a head: a bundled one's name, or a path. Raises AssetError."""
    text = str(name_or_path)
    if text in head_names():
        return bundled("assets") / "heads" / f"{text}.safetensors"
    path = Path(text)
    if path.is_file():
        return path
    near = suggest(text, head_names())
    raise AssetError(
        f"there is no head '{text}'; expected the path of a head's file or one of {', '.join(head_names())}"
        + (f"; did you mean '{near}'?" if near else "")
    )
