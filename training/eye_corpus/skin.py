"""The skin around the eye: a height field that the rays meet, and how bright it is there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .lids import Lids
from .look import FloatArray, Look
from .rig import Rig
from .texture import look_up, tiles
from .wearer import Wearer


@dataclass(frozen=True)
class Ground:
    """Where each ray meets the face."""

    x: FloatArray  # [N] mm
    y: FloatArray
    z: FloatArray
    bulge: FloatArray  # [N] mm, the eyeball's share of z


def _height(w: Wearer, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """z [N] of the face over (x, y), and the eyeball's share of it."""
    bulge = np.exp((x * x + 1.15 * y * y) * (-0.5 / w.bulge_width**2))
    bulge *= w.eye_radius + 0.75 - w.socket_z
    z = bulge + w.socket_z
    nose = np.maximum(-11.0 - x, 0)
    z += nose * nose * w.nose_slope
    brow = np.maximum(y - 9.0, 0)
    z += brow * w.brow_ridge * 0.5
    z += np.maximum(-9.0 - y, 0) * 0.15
    return z, bulge


def meet(w: Wearer, origin: FloatArray, rays: FloatArray) -> Ground:
    """Fixed-point steps from the face's mean plane; the face is nearly flat against the rays."""
    dx, dy, dz = rays
    dz = np.minimum(dz, -0.25)  # a fish-eye's outermost rays may pass the face by: they get its far end
    slope_x, slope_y = dx / dz, dy / dz
    z: FloatArray = np.full_like(dx, 9.0)
    for _ in range(4):
        depth = z - origin[2]
        x, y = origin[0] + depth * slope_x, origin[1] + depth * slope_y
        new, bulge = _height(w, x, y)
        z = 0.4 * z + 0.6 * np.minimum(new, 25)
    return Ground(x, y, z, bulge)


def light_on(points: tuple[FloatArray, ...], normal: tuple[FloatArray, ...], rig: Rig) -> FloatArray:
    """[N] Lambert's law for the lights' middle, 1 where skin at the usual distance faces it."""
    middle = rig.lights.mean(0)
    to = [middle[k] - points[k] for k in range(3)]
    square = to[0] * to[0] + to[1] * to[1] + to[2] * to[2]
    facing = normal[0] * to[0] + normal[1] * to[1] + normal[2] * to[2]
    usual = float(((middle - [0, 0, 11]) ** 2).sum())
    lit: FloatArray = np.maximum(facing, 0) / np.sqrt(square) * (usual / square)
    np.minimum(lit, 2.5, out=lit)
    return lit * (1 - rig.ambient) + rig.ambient


def shade(w: Wearer, look: Look, lids: Lids, ground: Ground, rig: Rig) -> tuple[FloatArray, FloatArray]:
    """Brightness [N] of the skin, and how far [N] 0..1 the opening lets one see the eye behind it."""
    x, y = ground.x, ground.y
    upper, lower, s = lids.margins(x)
    steep = ground.bulge / w.bulge_width**2
    gx, gy = -x * steep, -1.15 * y * steep
    nose = np.maximum(-11.0 - x, 0)
    gx -= 2 * nose * w.nose_slope
    gy += (y > 9.0) * np.float32(0.5 * w.brow_ridge)
    gy -= (y < -9.0) * np.float32(0.15)
    over, under = y - upper, lower - y
    length = 1 / np.sqrt(gx * gx + gy * gy + 1)
    lit = light_on((x, y, ground.z), (-gx * length, -gy * length, length), rig)

    texture = look_up(tiles()["skin"][w.textures[0]], y * 7 + w.shift[0], x * 7 + w.shift[1])
    albedo = w.skin * (1 + w.skin_contrast * texture)
    inside = 1 - s * s
    # The crease of the upper lid unfolds as it closes; below, a bag, and wrinkles where the eye squints.
    crease = over - w.crease_height * (0.55 + 0.45 * inside)
    fold = w.crease_depth * (0.35 + 0.65 * look.lid)
    albedo *= 1 - fold * inside * np.exp(-crease * crease * (1.5 + look.lid))
    bag = under - 5.0 - 1.5 * inside
    albedo *= 1 - (w.bag_depth + 0.3 * look.squint) * inside * np.exp(-bag * bag * (0.25 + look.squint))
    wrinkle = under - 1.6 - 1.0 * look.squint
    albedo *= 1 - 0.35 * look.squint * inside * np.exp(-wrinkle * wrinkle * 3)
    brow = (y - w.brow_y - 1.5 * look.wide + 2.0 * look.squint + 0.012 * x * x) / 3.0
    hair = look_up(tiles()["iris"][w.textures[1]], x * 9 + y * 4, y * 3)
    albedo *= 1 - w.brow_darkness * np.exp(-brow * brow) * np.clip(0.8 + 0.3 * hair, 0, 1.2)
    edge = np.minimum(np.abs(over), np.abs(under))
    albedo *= 1 - w.makeup * np.exp(-edge * edge * 0.8) * (np.abs(s) < 0.98)
    rim = np.exp(-under * under * 6) * (under > 0)  # the lower lid's wet ledge
    albedo += 0.12 * look.lid * rim * np.minimum(inside * 8, 1)
    # Where closed margins meet there is a dark line.
    slit = np.abs(y - 0.5 * (upper + lower))
    albedo *= 1 - 0.45 * np.exp(-slit * slit * 8) * (upper - lower < 0.7) * (np.abs(s) < 0.97)

    pixel = 0.17  # mm, half of one at the usual distance
    seen = np.clip((upper - y) / pixel * 0.5 + 0.5, 0, 1)
    seen *= np.clip((y - lower) / pixel * 0.5 + 0.5, 0, 1)
    seen *= np.clip((upper - lower) / pixel, 0, 1)
    return albedo * lit, seen
