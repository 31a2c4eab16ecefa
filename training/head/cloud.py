"""Gaussians before a head carries them, and how they are anchored to its triangles."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from rtgraph.kernels.decode.reference import quaternion
from rtgraph.models.avatar.head import Gaussians, Head

from .anny_data import Floats, Ints


@dataclass(frozen=True)
class Cloud:
    """Gaussians before they are anchored, in the head's space; triangles are the head's."""

    triangle: Ints  # [n]
    point: Floats  # [n, 3] m
    axes: Floats  # [n, 3, 3] rotation, axes in columns
    scale: Floats  # [n, 3] m
    colour: Floats  # [n, 3] linear RGB, unlit
    opacity: Floats  # [n]


def anchored(head: Head, cloud: Cloud) -> Gaussians:
    """The cloud in the frames and sizes of its triangles: what kernels.decode carries back.

    By triangle: the decoder then reads its frames in order.
    """
    cloud = rows(cloud, np.argsort(cloud.triangle, kind="stable"))
    corners = head.neutral[head.triangles[cloud.triangle]].astype(np.float64)
    frame, size = frames(corners)
    local = np.einsum("gba,gb->ga", frame, cloud.point - corners.mean(axis=1)) / size[:, None]
    turn = np.einsum("gba,gbc->gac", frame, cloud.axes)
    return Gaussians(
        triangle=cloud.triangle.astype(np.int32),
        mean=local.astype(np.float32),
        rotation=quaternion(turn).astype(np.float32),
        scale=(cloud.scale / size[:, None]).astype(np.float32),
        colour=np.clip(cloud.colour, 0, 1).astype(np.float32),
        opacity=cloud.opacity.astype(np.float32),
    )


def frames(corners: Floats) -> tuple[Floats, Floats]:
    """Of triangles [n, 3, 3] the axes in columns [n, 3, 3] and the sizes [n], as kernels.decode has them."""
    edge, other = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    normal = np.cross(edge, other)
    length, area = np.linalg.norm(edge, axis=1), np.linalg.norm(normal, axis=1)
    first, second = edge / length[:, None], normal / area[:, None]
    return np.stack([first, second, np.cross(first, second)], axis=2), 0.5 * (length + area / length)


def facing(normal: Floats) -> Floats:
    """Rotations whose second axis is the normal: [n, 3, 3]."""
    helper = np.where(np.abs(normal[:, 1:2]) < 0.9, [[0.0, 1.0, 0.0]], [[1.0, 0.0, 0.0]])
    first = np.cross(helper, normal)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    return np.stack([first, normal, np.cross(first, normal)], axis=2)


def rows(cloud: Cloud, order: Ints) -> Cloud:
    """Some of its Gaussians, by index or by a mask."""
    return Cloud(*(getattr(cloud, item.name)[order] for item in fields(cloud)))


def joined(clouds: list[Cloud]) -> Cloud:
    """One after the other."""
    return Cloud(*(np.concatenate([getattr(c, item.name) for c in clouds]) for item in fields(Cloud)))
