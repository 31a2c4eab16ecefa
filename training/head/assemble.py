"""Puts the pieces together: one mesh, 52 shapes, identity basis, joints and skin weights."""

from __future__ import annotations

import numpy as np

from rtgraph.kernels.decode import sparse_shapes
from rtgraph.models.avatar.head import JOINTS, NO_GAUSSIANS, Head, HeadCard, IdentityNumber, Part
from rtgraph.models.expression import ARKIT

from .anny_data import AnnyData, Floats
from .identity import NUMBERS
from .piece import Piece
from .repairs import sealed_lips, shape, squint_room

STILL_M = 2e-5  # a vertex that a shape moves less is left alone by it


def assemble(anny: AnnyData, body: Floats, pieces: list[Piece], card: HeadCard) -> Head:
    """The head of the pieces, without Gaussians. `body` [N, 3] are the points of the default body, metres."""
    origin = body[anny.body.vertices("joint-head")].mean(axis=0)
    starts = np.cumsum([0, *(len(piece.points) for piece in pieces)])
    triangle_starts = np.cumsum([0, *(len(piece.triangles) for piece in pieces)])
    parts = [
        Part(
            name=piece.name,
            material=piece.material,
            vertices=(int(starts[i]), int(starts[i + 1])),
            triangles=(int(triangle_starts[i]), int(triangle_starts[i + 1])),
        )
        for i, piece in enumerate(pieces)
    ]

    def moved(moves: Floats, look: bool = False) -> Floats:
        rows = [p.carrier @ moves if p.eye_looks or not look else np.zeros_like(p.points) for p in pieces]
        return np.concatenate(rows)

    seal, room = sealed_lips(anny, body), squint_room(anny, body)
    neutral = np.concatenate([piece.points for piece in pieces]) - origin
    shapes = np.stack(
        [moved(shape(anny, name, seal) + room.get(name, 0.0), name.startswith("eyeLook")) for name in ARKIT]
    )
    shape_start, shape_vertex, shape_delta = sparse_shapes(shapes, STILL_M)

    joints = _joint_points(anny)
    pivot = np.stack([weights @ body for weights in joints]) - origin
    basis, basis_pivot = [], []
    for number in NUMBERS:
        moves = number.moves(anny)
        # The head stays where it is: an older or a heavier person is not taller.
        moves = moves - moves[anny.body.vertices("joint-head")].mean(axis=0)
        basis.append(moved(moves))
        basis_pivot.append([weights @ moves for weights in joints])

    skin_joint, skin_weight = _skin(pieces, neutral, pivot)
    return Head(
        card=card.model_copy(
            update={
                "parts": parts,
                "identity": [
                    IdentityNumber(name=n.name, group=n.group, low=n.low, high=n.high) for n in NUMBERS
                ],
            }
        ),
        neutral=neutral.astype(np.float32),
        triangles=np.concatenate(
            [piece.triangles + start for piece, start in zip(pieces, starts, strict=False)]
        ).astype(np.int32),
        uv=np.concatenate([piece.uv for piece in pieces]).astype(np.float32),
        weld=np.concatenate([p.weld + start for p, start in zip(pieces, starts, strict=False)]).astype(
            np.int32
        ),
        shape_start=shape_start,
        shape_vertex=shape_vertex,
        shape_delta=shape_delta,
        joint_parent=np.array([-1, 0, 1, 1], np.int32),
        joint_pivot=pivot.astype(np.float32),
        skin_joint=skin_joint,
        skin_weight=skin_weight,
        identity_basis=np.stack(basis).astype(np.float16),
        identity_pivot=np.array(basis_pivot, np.float32),
        gaussians=NO_GAUSSIANS,
    )


def _joint_points(anny: AnnyData) -> Floats:
    """Each of JOINTS as a mean of the body's points: [J, N]."""

    def mean(group: str) -> Floats:
        weights = np.zeros(len(anny.body.points))
        ids = anny.body.vertices(group)
        weights[ids] = 1 / len(ids)
        return weights

    neck, head = mean("joint-neck"), mean("joint-head")
    # One joint stands for the whole neck: it turns about the upper part of it.
    return np.stack([neck, 0.4 * neck + 0.6 * head, mean("helper-l-eye"), mean("helper-r-eye")])


def _skin(pieces: list[Piece], neutral: Floats, pivot: Floats) -> tuple[np.ndarray, np.ndarray]:
    """The shoulders stay, the head turns, the neck is blended between: joints [V, 2], weights [V, 2]."""
    carrier = np.concatenate([np.full(len(p.points), p.joint) for p in pieces])
    joint = np.stack([carrier, np.zeros_like(carrier)], axis=1)
    low, high = pivot[0, 1] - 0.01, pivot[1, 1] + 0.025
    # The nape leaves the shoulders higher up than the throat does the chest.
    height = neutral[:, 1] + 0.15 * neutral[:, 2]
    t = np.clip((height - low) / (high - low), 0.0, 1.0)
    share = np.where(carrier == JOINTS.index("head"), t * t * (3 - 2 * t), 1.0)
    return joint.astype(np.int32), np.stack([share, 1 - share], axis=1).astype(np.float32)
