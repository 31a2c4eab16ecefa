"""A rig's arrays, checked by name: mesh, sparse shapes, joints, skin, Gaussians."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]

EXPRESSION_INPUTS = (
    61  # ExpressionFrame: 52 ARKit weights, then head, left eye, right eye as yaw, pitch, roll
)
JAW_LEFT, JAW_RIGHT, JAW_OPEN = 15, 16, 17  # ARKit order
HEAD, LEFT_EYE, RIGHT_EYE = 52, 55, 58  # first angle of each


@dataclass(frozen=True)
class Rig:
    """A head that an expression moves. Metres, glTF axes; V vertices, T triangles, S shapes, E inputs, J
    joints.

    Shapes are sparse: shape s moves vertices shape_vertex[shape_start[s] : shape_start[s + 1]], each once.
    joint_drive maps an expression to each joint's yaw, pitch, roll (radians) and x, y, z (metres); a parent
    comes before its children. Gaussians stand in the frame and size of their triangle.
    Where the UVs split a surface, weld names for each vertex the first one at its point: they share a normal.
    Arrays are taken as contiguous float32 and int32. Raises ValueError, naming the array, where a shape is
    off; indices and numbers are checked when a DecodeState is made.
    """

    neutral: Floats  # [V, 3]
    triangles: Ints  # [T, 3]
    shape_start: Ints  # [S + 1]
    shape_vertex: Ints  # [N]
    shape_delta: Floats  # [N, 3]
    joint_parent: Ints  # [J], -1 for a root
    joint_pivot: Floats  # [J, 3]
    joint_drive: Floats  # [J, 6, E]
    skin_joint: Ints  # [V, K]
    skin_weight: Floats  # [V, K], rows sum to 1
    gaussian_triangle: Ints = field(default_factory=lambda: np.zeros(0, np.int32))  # [G]
    gaussian_mean: Floats = field(default_factory=lambda: np.zeros((0, 3), np.float32))  # [G, 3]
    gaussian_rotation: Floats = field(
        default_factory=lambda: np.zeros((0, 4), np.float32)
    )  # [G, 4] unit quaternion w x y z
    gaussian_scale: Floats = field(default_factory=lambda: np.zeros((0, 3), np.float32))  # [G, 3]
    weld: Ints = field(default_factory=lambda: np.zeros(0, np.int32))  # [V], or [0]: no two are welded

    def __post_init__(self) -> None:
        for item in fields(self):
            dtype = np.int32 if "Ints" in str(item.type) else np.float32
            value = np.ascontiguousarray(getattr(self, item.name))
            if dtype == np.int32 and not np.issubdtype(value.dtype, np.integer):
                raise ValueError(f"rig: {item.name}: expected whole numbers, got {value.dtype}")
            object.__setattr__(self, item.name, value.astype(dtype, copy=False))
        v, n, j = len(self.neutral), len(self.shape_vertex), len(self.joint_parent)
        g, k = len(self.gaussian_triangle), self.skin_joint.shape[-1]
        self._check("neutral", (v, 3))
        self._check("triangles", (len(self.triangles), 3))
        self._check("shape_start", (len(self.shape_start),))
        self._check("shape_vertex", (n,))
        self._check("shape_delta", (n, 3))
        self._check("joint_parent", (j,))
        self._check("joint_pivot", (j, 3))
        self._check("joint_drive", (j, 6, self.joint_drive.shape[-1]))
        self._check("skin_joint", (v, k))
        self._check("skin_weight", (v, k))
        self._check("weld", (v if len(self.weld) else 0,))
        self._check("gaussian_triangle", (g,))
        self._check("gaussian_mean", (g, 3))
        self._check("gaussian_rotation", (g, 4))
        self._check("gaussian_scale", (g, 3))

    def _check(self, name: str, expected: tuple[int, ...]) -> None:
        got = getattr(self, name).shape
        if got != expected:
            raise ValueError(f"rig: {name}: expected shape {list(expected)}, got {list(got)}")

    @property
    def vertices(self) -> int:
        """V."""
        return len(self.neutral)

    @property
    def shapes(self) -> int:
        """S."""
        return len(self.shape_start) - 1

    @property
    def inputs(self) -> int:
        """E."""
        return int(self.joint_drive.shape[-1])

    @property
    def joints(self) -> int:
        """J."""
        return len(self.joint_parent)

    @property
    def gaussians(self) -> int:
        """G."""
        return len(self.gaussian_triangle)


def sparse_shapes(deltas: npt.ArrayLike, threshold: float = 0.0) -> tuple[Ints, Ints, Floats]:
    """Dense deltas [S, V, 3] -> shape_start, shape_vertex, shape_delta; moves up to `threshold` metres are
    dropped.
    """
    dense = np.asarray(deltas, np.float32)
    moved = np.linalg.norm(dense, axis=2) > threshold  # [S, V]
    start = np.concatenate([[0], np.cumsum(moved.sum(axis=1))])
    return start.astype(np.int32), np.nonzero(moved)[1].astype(np.int32), dense[moved]


def arkit_drive(jaw_open_rad: float = 0.3, jaw_side_rad: float = 0.1) -> Floats:
    """The drive of joints head, jaw, left eye, right eye by an ExpressionFrame: [4, 6, 61].

    The jaw joint carries what no shape moves, such as lower teeth and tongue: jawOpen turns it down by
    `jaw_open_rad`, jawLeft and jawRight turn it to their side by `jaw_side_rad`.
    """
    drive = np.zeros((4, 6, EXPRESSION_INPUTS), np.float32)
    for joint, first in ((0, HEAD), (2, LEFT_EYE), (3, RIGHT_EYE)):
        drive[joint, [0, 1, 2], [first, first + 1, first + 2]] = 1.0
    drive[1, 1, JAW_OPEN] = jaw_open_rad
    drive[1, 0, [JAW_LEFT, JAW_RIGHT]] = jaw_side_rad, -jaw_side_rad
    return drive
