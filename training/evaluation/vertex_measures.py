"""How far the points of a face are from where they should be: LVE and FDD.

LVE: Richard et al. 2021 (MeshTalk). FDD: Xing et al. 2023 (CodeTalker). The points are the default head's at
MediaPipe's landmarks, so that figures do not depend on how dense a mesh is; in millimetres of a head
with 90 mm between the outer eye corners.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rtgraph.models.expression import ARKIT
from rtgraph.models.lips import IOD_MM
from rtgraph.nodes.face.face_csv import FaceClip

from ..real import landmarks
from .lip_measures import Measures

Array = NDArray[np.float64]


def vertex_measures(reference: FaceClip, prediction: FaceClip) -> Measures:
    """lve_mm2, fdd_mm and fdd_abs_mm of one clip, at the reference's times; the head's pose is left out."""
    weights = [
        np.stack(
            [np.interp(reference.times_s, clip.times_s, column) for column in clip.frames.T[: len(ARKIT)]], 1
        )
        for clip in (reference, prediction)
    ]
    head = landmarks.default()
    lip_points, upper = head.rows(landmarks.LIPS), head.rows(landmarks.BROWS + landmarks.LIDS)
    truth, guess = (np.tensordot(w, head.shapes, axes=1) * IOD_MM for w in weights)  # [T, L, 3] from neutral
    fdd = upper_face_dynamics_deviation(truth[:, upper], guess[:, upper])
    return {
        "lve_mm2": lip_vertex_error(truth[:, lip_points], guess[:, lip_points]),
        "fdd_mm2": float(fdd.mean()),
        "fdd_abs_mm2": float(np.abs(fdd).mean()),
    }


def lip_vertex_error(reference: Array, prediction: Array) -> float:
    """Mean over frames of the largest squared distance over lip vertices; [T, V, 3] each."""
    return float(((reference - prediction) ** 2).sum(-1).max(-1).mean())


def upper_face_dynamics_deviation(reference: Array, prediction: Array) -> Array:
    """[V] the standard deviation over time of the squared displacement, reference minus prediction; [T, V, 3]
    displacements from neutral each.
    """
    spread = [(motion**2).sum(-1).std(0) for motion in (reference, prediction)]
    return np.asarray(spread[0] - spread[1])
