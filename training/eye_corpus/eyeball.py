"""The eyeball behind the lids: sclera, the iris and pupil as the cornea bends the view of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .look import FloatArray, Look
from .rig import Rig
from .skin import light_on
from .texture import SIDE, look_up, tiles
from .wearer import Wearer

#: Of the aqueous humour against air.
_REFRACTION = 1.336


@dataclass(frozen=True)
class Eyeball:
    """A turned eyeball about the origin, mm."""

    wearer: Wearer
    pupil_mm: float
    axis: FloatArray  # [3] unit, the optical axis
    right: FloatArray  # [3] across the iris, towards the person's left
    up: FloatArray  # [3]

    @property
    def cornea(self) -> FloatArray:
        """[3] the centre of the cornea's sphere."""
        centre: FloatArray = self.axis * np.float32(self.wearer.cornea_offset)
        return centre

    @property
    def limbus_depth(self) -> float:
        """Along the axis, where the two spheres meet."""
        w = self.wearer
        return (w.eye_radius**2 - w.cornea_radius**2 + w.cornea_offset**2) / (2 * w.cornea_offset)

    @property
    def pupil_depth(self) -> float:
        """Along the axis, where the plane of iris and pupil lies."""
        return self.limbus_depth - 0.25

    @property
    def limbus_radius(self) -> float:
        return math.sqrt(self.wearer.eye_radius**2 - self.limbus_depth**2)


def turn(wearer: Wearer, look: Look) -> Eyeball:
    """The eyeball at a look; the iris rolls by the wearer's torsion."""
    sy, cy, sp, cp = math.sin(look.yaw), math.cos(look.yaw), math.sin(look.pitch), math.cos(look.pitch)
    axis = np.array([sy * cp, -sp, cy * cp], np.float32)
    level = np.array([cy, 0, -sy], np.float32)
    over = np.cross(axis, level)
    c, s = math.cos(wearer.torsion), math.sin(wearer.torsion)
    right, up = c * level + s * over, c * over - s * level
    return Eyeball(wearer, look.pupil_mm, axis, right.astype(np.float32), up.astype(np.float32))


def shade(ball: Eyeball, origin: FloatArray, rays: FloatArray, rig: Rig) -> FloatArray:
    """Brightness [N] along rays [3, N] from `origin` [3]; a ray that misses sees the dark of the corner."""
    w = ball.wearer
    along = origin @ rays
    beyond = along * along - (origin @ origin - w.eye_radius**2)
    hit = beyond > 0
    t = -along - np.sqrt(np.maximum(beyond, 0))
    x, y, z = (origin[k] + t * rays[k] for k in range(3))
    inverse = np.float32(1 / w.eye_radius)
    lit = light_on((x, y, z), (x * inverse, y * inverse, z * inverse), rig)
    right = x * ball.right[0] + y * ball.right[1] + z * ball.right[2]
    up = x * ball.up[0] + y * ball.up[1] + z * ball.up[2]
    depth = x * ball.axis[0] + y * ball.axis[1] + z * ball.axis[2]

    outwards = np.maximum(ball.limbus_depth - depth, 0)  # 0 at the limbus, grows towards the corners
    vessels = look_up(tiles()["vessels"][w.textures[2]], up * 8 + w.shift[0], right * 8 + w.shift[1])
    white = w.sclera * (1 - w.vessels * vessels * np.minimum(outwards * 0.4, 1))
    bright: FloatArray = np.where(hit, white * lit, np.float32(0.25 * w.skin))

    sees_cornea = np.flatnonzero(hit & (depth > ball.limbus_depth - 0.6))
    if len(sees_cornea):
        inner, cover = _iris(ball, origin, rays[:, sees_cornea], rig)
        # The limbus is a soft ring: the sclera grows over the iris.
        soft = np.clip((depth[sees_cornea] - ball.limbus_depth) / w.limbus_width + 0.5, 0, 1) * cover
        bright[sees_cornea] += soft * (inner - bright[sees_cornea])
    return bright


@dataclass(frozen=True)
class Refracted:
    """Rays that the cornea has bent."""

    ends: FloatArray  # [3, M] in the plane of the iris
    enters: FloatArray  # [3, M] on the cornea
    cosine: FloatArray  # [M] of the angle to the cornea's normal
    meets: NDArray[np.bool_]  # [M] whether the cornea is met at all


def look_through(ball: Eyeball, origin: FloatArray, rays: FloatArray) -> Refracted:
    """Follows rays [3, M] from `origin` [3] through the cornea."""
    from_cornea = origin - ball.cornea
    along = from_cornea @ rays
    beyond = along * along - (from_cornea @ from_cornea - ball.wearer.cornea_radius**2)
    t = -along - np.sqrt(np.maximum(beyond, 0))
    point = origin[:, None] + t * rays
    normal = (point - ball.cornea[:, None]) / np.float32(ball.wearer.cornea_radius)
    # Snell's law in vectors.
    ratio = 1 / _REFRACTION
    cosine = -(normal * rays).sum(0)
    bent = ratio * rays + (ratio * cosine - np.sqrt(1 - ratio**2 * (1 - cosine**2))) * normal
    s = (ball.pupil_depth - ball.axis @ point) / np.minimum(ball.axis @ bent, -0.05)
    return Refracted(point + s * bent, point, cosine, beyond > 0)


def _iris(ball: Eyeball, origin: FloatArray, rays: FloatArray, rig: Rig) -> tuple[FloatArray, FloatArray]:
    """Brightness [M] through the cornea, and where [M] the ray meets it at all."""
    w = ball.wearer
    through = look_through(ball, origin, rays)
    inside, point = through.ends, through.enters
    across, over = ball.right @ inside, ball.up @ inside
    radius = np.hypot(across, over)
    a, b = across - np.float32(w.pupil_offset[0]), over - np.float32(w.pupil_offset[1])
    from_pupil = np.hypot(a, b)
    pupil = ball.pupil_mm / 2
    reach = np.clip((from_pupil - pupil) / (ball.limbus_radius - pupil), 0, 1)  # 0 pupil .. 1 limbus
    angle = np.arctan2(b, a)
    fibres = look_up(
        tiles()["iris"][w.textures[3]], angle * (SIDE / (2 * np.pi)) + w.shift[0], reach * 90 + w.shift[1]
    )
    collarette = np.exp(-((reach - 0.3) ** 2) * 60)
    iris = w.iris * (1 + w.iris_contrast * (fibres * 0.6 + 0.5 * collarette))
    iris *= 1 - 0.45 * np.clip((radius - ball.limbus_radius * 0.86) / 0.9, 0, 1)
    lit = light_on(tuple(point), tuple(np.broadcast_to(ball.axis[:, None], point.shape)), rig)
    hole = w.pupil * 0.5 + rig.bright_pupil * (0.75 + 0.25 * through.cosine)
    edge = np.clip((from_pupil - pupil) / 0.22 + 0.5, 0, 1)
    return hole + edge * (np.maximum(iris, 0.02) * lit - hole), through.meets.astype(np.float32)
