"""Welded vertices, which the UVs split, share their normal in the reference and in the kernel."""

from __future__ import annotations

import numpy as np

from rtgraph.benchmarks.kernels.synthetic_head import synthetic_head
from rtgraph.kernels.decode import DecodeState, Rig, decode, reference


def split(rig: Rig) -> Rig:
    """The rig with vertex 0 in two halves: the last triangles about it get a copy of it."""
    copy = rig.vertices
    about = np.flatnonzero((rig.triangles == 0).any(axis=1))[::2]
    triangles = rig.triangles.copy()
    triangles[about] = np.where(triangles[about] == 0, copy, triangles[about])
    weld = np.append(np.arange(rig.vertices), 0)
    has = [0 in rig.shape_vertex[a:b] for a, b in zip(rig.shape_start[:-1], rig.shape_start[1:], strict=True)]
    assert not any(has), "vertex 0 is moved by joints alone, so that its copy needs no shapes"
    return Rig(
        neutral=np.append(rig.neutral, rig.neutral[:1], axis=0),
        triangles=triangles,
        shape_start=rig.shape_start,
        shape_vertex=rig.shape_vertex,
        shape_delta=rig.shape_delta,
        joint_parent=rig.joint_parent,
        joint_pivot=rig.joint_pivot,
        joint_drive=rig.joint_drive,
        skin_joint=np.append(rig.skin_joint, rig.skin_joint[:1], axis=0),
        skin_weight=np.append(rig.skin_weight, rig.skin_weight[:1], axis=0),
        weld=weld,
    )


def test_a_split_vertex_has_the_normal_of_the_whole_one() -> None:
    seed = next(s for s in range(50) if not (synthetic_head(9, 13, 0, seed=s).shape_vertex == 0).any())
    whole = synthetic_head(9, 13, 0, seed=seed)
    rig = split(whole)
    expression = np.zeros(61, np.float32)
    expression[52:55] = 0.3, -0.2, 0.1
    expected = reference.decode(whole, expression).normals
    truth = reference.decode(rig, expression).normals
    np.testing.assert_allclose(truth[:-1], expected, atol=1e-12)
    np.testing.assert_array_equal(truth[-1], truth[0])
    normals = decode(DecodeState(rig), expression).normals
    np.testing.assert_allclose(normals, truth, atol=1e-5)
