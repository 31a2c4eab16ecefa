"""A piece of the head: its own mesh, and how it follows the body that it was made from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse

from .anny_data import Body, Floats, Ints


@dataclass(frozen=True)
class Piece:
    """One part before assembly. Its vertices move by `carrier` @ (the displacement of the body's points)."""

    name: str
    material: str
    points: Floats  # [v, 3] m, on the default head
    triangles: Ints  # [t, 3] counter-clockwise from outside
    uv: Floats  # [v, 2] glTF: v downwards
    carrier: sparse.csr_matrix  # [v, N] of the body's points
    weld: Ints  # [v] the first vertex at the same point
    joint: int = 1  # of JOINTS, that carries it
    eye_looks: bool = True  # False for eyeballs: joints turn them, so the eyeLook shapes must not


def triangulate(quads: Ints) -> Ints:
    """Quads [F, 4], of which some have their last corner twice -> triangles [T, 3]."""
    both = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]], axis=1).reshape(-1, 3)
    return both[(both[:, 0] != both[:, 2]) & (both[:, 1] != both[:, 2])]


def cut_out(body: Body, faces: np.ndarray) -> tuple[Ints, Ints, Ints]:
    """Some faces of the body as a mesh of its own, split where the UVs are.

    Returns the body's point [v] and uv [v] of each vertex, and quads [F, 4] into them.
    """
    corners = np.stack([body.quads[faces], body.quads_uv[faces]], axis=-1)  # [F, 4, 2]
    pairs, index = np.unique(corners.reshape(-1, 2), axis=0, return_inverse=True)
    return pairs[:, 0], pairs[:, 1], index.reshape(-1, 4)


def first_equal(ids: Ints) -> Ints:
    """For each vertex the first one with the same id."""
    _, first, inverse = np.unique(ids, return_index=True, return_inverse=True)
    return first[inverse.ravel()]


def selection(ids: Ints, count: int) -> sparse.csr_matrix:
    """The carrier of vertices that are points of the body: [v, count]."""
    rows = np.arange(len(ids))
    return sparse.csr_matrix((np.ones(len(ids)), (rows, ids)), shape=(len(ids), count))


def affine_follow(points: Floats, helper: Floats, helper_ids: Ints, count: int) -> sparse.csr_matrix:
    """The carrier of rigid pieces: each moves by the affine map that fits how some of the body's points move.

    points [v, 3], helper [h, 3] where the body's points `helper_ids` lie -> [v, count].
    """
    homogeneous = np.column_stack([helper, np.ones(len(helper))])
    wanted = np.column_stack([points, np.ones(len(points))])
    weights = wanted @ np.linalg.pinv(homogeneous, rcond=1e-6)  # [v, h]
    return sparse.csr_matrix(weights) @ selection(helper_ids, count)
