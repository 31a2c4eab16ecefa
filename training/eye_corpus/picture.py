"""One picture: skin, eyeball, lights' glints and lashes put together, seen by the rig."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import eyeball, lashes, sensor, skin
from .eyeball import Eyeball
from .lids import Lids, lids_at
from .look import FloatArray, Look
from .rig import SIDE_PX, Rig
from .wearer import Wearer


def render(
    wearer: Wearer,
    rig: Rig,
    look: Look,
    rng: np.random.Generator,
    slip_mm: FloatArray | None = None,
    motion_px: tuple[float, float] = (0.0, 0.0),
) -> NDArray[np.uint8]:
    """A left eye as the rig's camera sends it, [128, 128] uint8, upright.

    slip_mm [3]: how far the head has moved in the headset. motion_px: smear during the exposure, (columns,
    rows). `rng` draws the noise; the same one gives the same picture.
    """
    slip = np.zeros(3, np.float32) if slip_mm is None else np.asarray(slip_mm, np.float32)
    origin = rig.camera - slip
    lids = lids_at(wearer, look)
    ground = skin.meet(wearer, origin, rig.rays)
    light, seen = skin.shade(wearer, look, lids, ground, rig)

    ball = eyeball.turn(wearer, look)
    behind = np.flatnonzero(seen > 0)
    if len(behind):
        x, y = ground.x[behind], ground.y[behind]
        upper, lower, s = lids.margins(x)
        eye = eyeball.shade(ball, origin, rig.rays[:, behind], rig)
        # The lids shade the eye beneath them; towards the nose the caruncle fills the corner.
        eye *= (
            1 - 0.45 * np.exp(-np.maximum(upper - y, 0) * 0.9) - 0.12 * np.exp(-np.maximum(y - lower, 0) * 2)
        )
        corner = np.clip((-0.72 - s) * 8, 0, 1)
        eye += corner * (0.8 * wearer.skin - eye)
        light[behind] += seen[behind] * (eye - light[behind])
    hairs = lashes.cover(rig, lids, slip, np.random.default_rng(wearer.shift[0] * 256 + wearer.shift[1]))
    light *= 0.12 + 0.88 * hairs
    image = light.reshape(SIDE_PX, SIDE_PX)
    if look.lid > 0:
        _add_glints(image, rig, ball, lids, slip, hairs)
    return sensor.expose(image, rig, motion_px, rng)


def pupil_seen(wearer: Wearer, rig: Rig, look: Look, slip_mm: FloatArray | None = None) -> float:
    """The share 0..1 of the pupil (its centre and rim) that neither lids nor the edge of the picture hide."""
    slip = np.zeros(3, np.float32) if slip_mm is None else np.asarray(slip_mm, np.float32)
    ball, lids, camera = eyeball.turn(wearer, look), lids_at(wearer, look), rig.camera - slip
    turn = np.arange(16) * (np.pi / 8)
    radius = np.repeat([look.pupil_mm / 2, look.pupil_mm / 4], 16)[:, None]
    angle = np.tile(turn, 2)[:, None]
    across = wearer.pupil_offset[0] + radius * np.cos(angle)
    over = wearer.pupil_offset[1] + radius * np.sin(angle)
    depth = ball.limbus_depth + 1.0  # about where the cornea lifts it to
    points = depth * ball.axis + across * ball.right + over * ball.up
    towards = camera - points
    # To where the line of sight leaves through the plane of the lids.
    out = points + towards * np.clip((wearer.eye_radius + 0.7 - points[:, 2:]) / towards[:, 2:], 0, 0.5)
    upper, lower, _ = lids.margins(out[:, 0].astype(np.float32))
    at = rig.project((points + slip).astype(np.float32))
    inside = (at >= 0).all(1) & (at <= SIDE_PX - 1).all(1)
    return float((inside & (out[:, 1] < upper) & (out[:, 1] > lower)).mean())


def _add_glints(
    image: FloatArray, rig: Rig, ball: Eyeball, lids: Lids, slip: FloatArray, hairs: FloatArray
) -> None:
    """Adds each light's mirror image in the cornea, or in the wet sclera beside it, where lids are open."""
    w = ball.wearer
    lights, camera = rig.lights - slip, rig.camera - slip
    for centre, radius, strength, on_cornea in (
        (ball.cornea, w.cornea_radius, 2.2, True),
        (np.zeros(3, np.float32), w.eye_radius, 0.8, False),
    ):
        points = _mirror_points(np.asarray(centre), radius, lights, camera)
        if on_cornea:
            valid = points @ ball.axis > ball.limbus_depth
        else:
            valid = (points @ ball.axis < ball.limbus_depth) & (points[:, 2] > 0)
        # Where the line from the point to the camera leaves through the opening.
        out = points + (camera - points) * 0.03
        upper, lower, _ = lids.margins(out[:, 0].astype(np.float32))
        valid &= (out[:, 1] < upper) & (out[:, 1] > lower)
        for column, row in rig.project((points + slip)[valid]):
            if 0 <= column < SIDE_PX and 0 <= row < SIDE_PX:
                through = hairs[int(row) * SIDE_PX + int(column)]
                sensor.add_spot(image, column, row, 0.8 if on_cornea else 1.3, strength * through)


def _mirror_points(centre: FloatArray, radius: float, lights: FloatArray, camera: FloatArray) -> FloatArray:
    """[L, 3] where a sphere mirrors each light into the camera, by steps of the half vector."""
    points = np.broadcast_to(centre + radius * _unit(camera - centre), lights.shape)
    for _ in range(4):
        points = centre + radius * _unit(_unit(lights - points) + _unit(camera - points))
    return points


def _unit(v: FloatArray) -> FloatArray:
    length: FloatArray = np.linalg.norm(v, axis=-1, keepdims=True)
    return v / length
