"""The plain truth of the avatar decoder, in float64 numpy: blend, pose, skin, normals, Gaussians."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .rig import Rig

Array = npt.NDArray[np.float64]


class Decoded(NamedTuple):
    """One decoded frame, metres."""

    vertices: Array  # [V, 3]
    normals: Array  # [V, 3] unit
    gaussian_mean: Array  # [G, 3]
    gaussian_rotation: Array  # [G, 4] unit quaternion w x y z
    gaussian_scale: Array  # [G, 3]


def decode(rig: Rig, expression: npt.ArrayLike) -> Decoded:
    """Expression [E] -> the posed head."""
    inputs = np.asarray(expression, np.float64)
    vertices = skin(rig, blend(rig, inputs), joint_transforms(rig, inputs))
    normals = vertex_normals(vertices, rig.triangles, rig.weld)
    return Decoded(vertices, normals, *carried_gaussians(rig, vertices))


def blend(rig: Rig, inputs: Array) -> Array:
    """neutral + sum over shapes of weight x delta: [V, 3]."""
    vertices = rig.neutral.astype(np.float64)
    for shape in range(rig.shapes):
        entries = slice(rig.shape_start[shape], rig.shape_start[shape + 1])
        vertices[rig.shape_vertex[entries]] += inputs[shape] * rig.shape_delta[entries].astype(np.float64)
    return vertices


def joint_transforms(rig: Rig, inputs: Array) -> Array:
    """Each joint's move from the neutral pose, parents included: [J, 3, 4].

    A joint turns about its pivot by Ry(yaw) Rx(pitch) Rz(roll), then shifts.
    """
    moves = rig.joint_drive.astype(np.float64) @ inputs  # [J, 6]
    transforms = np.empty((rig.joints, 3, 4))
    for joint, (yaw, pitch, roll, *shift) in enumerate(moves):
        rotation = _turn(1, yaw) @ _turn(0, pitch) @ _turn(2, roll)
        pivot = rig.joint_pivot[joint].astype(np.float64)
        local = np.column_stack([rotation, pivot + shift - rotation @ pivot])
        parent = rig.joint_parent[joint]
        if parent >= 0:
            above = transforms[parent]
            local = np.column_stack([above[:, :3] @ local[:, :3], above[:, :3] @ local[:, 3] + above[:, 3]])
        transforms[joint] = local
    return transforms


def skin(rig: Rig, vertices: Array, transforms: Array) -> Array:
    """Linear blend skinning: [V, 3] -> [V, 3]."""
    moved = np.einsum("jab,vb->jva", transforms[:, :, :3], vertices) + transforms[:, None, :, 3]  # [J, V, 3]
    weights = np.zeros((rig.joints, len(vertices)))
    for influence in range(rig.skin_joint.shape[1]):
        np.add.at(
            weights, (rig.skin_joint[:, influence], np.arange(len(vertices))), rig.skin_weight[:, influence]
        )
    return np.asarray(np.einsum("jv,jva->va", weights, moved))


def vertex_normals(
    vertices: Array, triangles: npt.NDArray[np.int32], weld: npt.NDArray[np.int32] | None = None
) -> Array:
    """Sum of the surrounding triangles' normals by area, at unit length; +Z where it vanishes: [V, 3].

    Welded vertices share their triangles.
    """
    a, b, c = (vertices[triangles[:, corner]] for corner in range(3))
    faces = np.cross(b - a, c - a)
    owner = weld if weld is not None and len(weld) else np.arange(len(vertices))
    sums = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(sums, owner[triangles[:, corner]], faces)
    sums = sums[owner]
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.where(lengths > 1e-15, sums / np.maximum(lengths, 1e-15), [0.0, 0.0, 1.0])


def carried_gaussians(rig: Rig, vertices: Array) -> tuple[Array, Array, Array]:
    """Gaussians in their triangles' frames: mean [G, 3], rotation [G, 4] w x y z, scale [G, 3].

    As in GaussianAvatars (Qian et al. 2024, arXiv 2312.02069): the origin is the triangle's centre, the axes
    are its first edge, its normal and their cross product, its size is the mean of that edge and the height
    on it. A triangle without area has the world's axes.
    """
    corners = vertices[rig.triangles[rig.gaussian_triangle]]  # [G, 3 corners, 3]
    edge, other = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    normal = np.cross(edge, other)
    length, area = np.linalg.norm(edge, axis=1), np.linalg.norm(normal, axis=1)
    flat = area <= 1e-15
    first = edge / np.where(flat, 1.0, length)[:, None]
    second = normal / np.where(flat, 1.0, area)[:, None]
    frames = np.stack([first, second, np.cross(first, second)], axis=2)  # [G, 3, 3], axes in columns
    frames[flat] = np.eye(3)
    size = 0.5 * (length + np.where(flat, 0.0, area / np.where(flat, 1.0, length)))
    mean = corners.mean(axis=1) + size[:, None] * np.einsum("gab,gb->ga", frames, rig.gaussian_mean)
    rotation = quaternion_product(quaternion(frames), rig.gaussian_rotation.astype(np.float64))
    return mean, rotation, size[:, None] * rig.gaussian_scale


def quaternion(rotations: Array) -> Array:
    """Rotation matrices [G, 3, 3] -> unit quaternions [G, 4] w x y z, by eigenvector (Bar-Itzhack 2000)."""
    m = rotations
    k = np.empty((len(m), 4, 4))
    k[:, 0, 0] = m[:, 0, 0] + m[:, 1, 1] + m[:, 2, 2]
    k[:, 0, 1] = k[:, 1, 0] = m[:, 2, 1] - m[:, 1, 2]
    k[:, 0, 2] = k[:, 2, 0] = m[:, 0, 2] - m[:, 2, 0]
    k[:, 0, 3] = k[:, 3, 0] = m[:, 1, 0] - m[:, 0, 1]
    for i in range(3):
        for j in range(3):
            k[:, i + 1, j + 1] = m[:, i, j] + m[:, j, i]
        k[:, i + 1, i + 1] = 2 * m[:, i, i] - k[:, 0, 0]
    return np.asarray(np.linalg.eigh(k).eigenvectors[:, :, -1])


def quaternion_product(a: Array, b: Array) -> Array:
    """Hamilton product of quaternions w x y z: [G, 4] x [G, 4] -> [G, 4]."""
    aw, ax, ay, az = a.T
    bw, bx, by, bz = b.T
    return np.stack(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ],
        axis=1,
    )


def _turn(axis: int, angle: float) -> Array:
    """Right-hand rotation by `angle` radians about axis 0 (x), 1 (y) or 2 (z): [3, 3]."""
    i, j = (axis + 1) % 3, (axis + 2) % 3
    turn = np.eye(3)
    turn[i, i] = turn[j, j] = np.cos(angle)
    turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
    return turn
