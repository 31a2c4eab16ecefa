"""The avatar decoder against the same work in numpy, at the size of the default head, on one core."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np

from rtgraph.kernels.decode import DecodeState, Frame, Rig, decode

from ..report import Row, interleave
from .synthetic_head import synthetic_head

PEER = "numpy float32"
GAUSSIANS = 30_000


def rows(runs: int = 5, quick: bool = False) -> list[Row]:
    """Microseconds a frame (the median over frames), every expression different from the one before."""
    rig = synthetic_head(gaussians=GAUSSIANS)
    frames = 50 if quick else 400
    state, numpy_head = DecodeState(rig), NumpyHead(rig)
    weights = np.random.default_rng(1).uniform(0, 1, (frames, rig.inputs)).astype(np.float32)
    weights[:, rig.shapes :] -= 0.5
    meshes = "vertices", "vertices and normals"
    splats = f"vertices and {rig.gaussians:,} Gaussians", f"vertices, normals and {rig.gaussians:,} Gaussians"
    outs = {
        meshes[0]: Frame.empty(rig, normals=False, gaussians=False),
        meshes[1]: Frame.empty(rig, gaussians=False),
        splats[0]: Frame.empty(rig, normals=False),
        splats[1]: Frame.empty(rig),
    }

    def ours(out: Frame) -> float:
        return _median_us(lambda expression: decode(state, expression, out), weights)

    def theirs(normals: bool, gaussians: bool) -> float:
        def one(expression: np.ndarray) -> None:
            vertices = numpy_head.vertices(expression)
            if normals:
                numpy_head.normals(vertices)
            if gaussians:
                numpy_head.gaussians(vertices)

        return _median_us(one, weights[: frames // 8])

    medians = interleave(
        {name: lambda out=out: ours(out) for name, out in outs.items()}
        | {f"numpy {name}": lambda name=name: theirs("normals" in name, name in splats) for name in outs},
        runs,
    )
    size = f"{rig.vertices:,} vertices"
    return [
        Row.compare(f"decode, {name}, {size}", "us", medians[name], PEER, medians[f"numpy {name}"], "lower")
        for name in outs
    ]


class NumpyHead:
    """The decoder as one writes it in numpy: a matrix product for the shapes, one for the skin, bincount for
    the normals, and whole columns of Gaussians."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.deltas = np.zeros((rig.shapes, rig.vertices, 3), np.float32)
        for shape in range(rig.shapes):
            entries = slice(rig.shape_start[shape], rig.shape_start[shape + 1])
            self.deltas[shape, rig.shape_vertex[entries]] = rig.shape_delta[entries]
        self.deltas = self.deltas.reshape(rig.shapes, -1)
        self.skin = np.zeros((rig.vertices, rig.joints), np.float32)
        for influence in range(rig.skin_joint.shape[1]):
            np.add.at(
                self.skin,
                (np.arange(rig.vertices), rig.skin_joint[:, influence]),
                rig.skin_weight[:, influence],
            )

    def vertices(self, expression: np.ndarray) -> np.ndarray:
        """[V, 3]."""
        rig = self.rig
        points = rig.neutral + (expression[: rig.shapes] @ self.deltas).reshape(-1, 3)
        transforms = (self.skin @ self._transforms(expression).reshape(rig.joints, 12)).reshape(-1, 3, 4)
        return np.einsum("vab,vb->va", transforms[:, :, :3], points) + transforms[:, :, 3]

    def normals(self, vertices: np.ndarray) -> np.ndarray:
        """[V, 3] of unit length."""
        rig = self.rig
        a, b, c = (vertices[rig.triangles[:, corner]] for corner in range(3))
        faces = np.cross(b - a, c - a)
        sums = np.stack(
            [
                np.bincount(rig.triangles.ravel(), np.repeat(faces[:, axis], 3), rig.vertices)
                for axis in range(3)
            ],
            axis=1,
        )
        return sums / np.linalg.norm(sums, axis=1, keepdims=True)

    def gaussians(self, vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """mean [G, 3], rotation [G, 4] w x y z, scale [G, 3]; each triangle's frame is made once."""
        rig = self.rig
        a, b, c = (vertices[rig.triangles[:, corner]] for corner in range(3))
        edge, normal = b - a, np.cross(b - a, c - a)
        length = np.linalg.norm(edge, axis=1, keepdims=True)
        area = np.linalg.norm(normal, axis=1, keepdims=True)
        x, y = edge / length, normal / area
        frames = np.stack([x, y, np.cross(x, y)], axis=2)
        of = rig.gaussian_triangle
        size = (0.5 * (length + area / length))[of]
        mean = ((a + b + c) / 3)[of] + size * np.einsum("gab,gb->ga", frames[of], rig.gaussian_mean)
        aw, ax, ay, az = _quaternions(frames)[of].T
        bw, bx, by, bz = rig.gaussian_rotation.T
        rotation = np.stack(
            [
                aw * bw - ax * bx - ay * by - az * bz,
                aw * bx + ax * bw + ay * bz - az * by,
                aw * by - ax * bz + ay * bw + az * bx,
                aw * bz + ax * by - ay * bx + az * bw,
            ],
            axis=1,
        )
        return mean, rotation, size * rig.gaussian_scale

    def _transforms(self, expression: np.ndarray) -> np.ndarray:
        rig = self.rig
        moves = rig.joint_drive @ expression
        transforms = np.empty((rig.joints, 3, 4), np.float32)
        cosines, sines = np.cos(moves[:, :3]), np.sin(moves[:, :3])
        for joint in range(rig.joints):
            (cy, cp, cr), (sy, sp, sr) = cosines[joint], sines[joint]
            turn = np.array(
                [
                    [cy * cr + sy * sp * sr, sy * sp * cr - cy * sr, sy * cp],
                    [cp * sr, cp * cr, -sp],
                    [cy * sp * sr - sy * cr, sy * sr + cy * sp * cr, cy * cp],
                ],
                np.float32,
            )
            shift = rig.joint_pivot[joint] + moves[joint, 3:] - turn @ rig.joint_pivot[joint]
            parent = rig.joint_parent[joint]
            if parent >= 0:
                above = transforms[parent]
                turn, shift = above[:, :3] @ turn, above[:, :3] @ shift + above[:, 3]
            transforms[joint, :, :3], transforms[joint, :, 3] = turn, shift
        return transforms


def _quaternions(m: np.ndarray) -> np.ndarray:
    """Rotation matrices [T, 3, 3] -> unit quaternions [T, 4] w x y z, their signs from the differences."""
    x, y, z = m[:, 0, 0], m[:, 1, 1], m[:, 2, 2]
    squares = np.stack([1 + x + y + z, 1 + x - y - z, 1 - x + y - z, 1 - x - y + z], axis=1)
    sizes = 0.5 * np.sqrt(np.maximum(squares, 0))
    signs = m[:, 2, 1] - m[:, 1, 2], m[:, 0, 2] - m[:, 2, 0], m[:, 1, 0] - m[:, 0, 1]
    sizes[:, 1:] = np.copysign(sizes[:, 1:], np.stack(signs, axis=1))
    return sizes


def _median_us(decode_one: Callable[[np.ndarray], object], expressions: np.ndarray) -> float:
    times = []
    for expression in expressions:
        start = time.perf_counter()
        decode_one(expression)
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e6
