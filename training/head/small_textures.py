"""The textures of eyes, mouth, teeth, hair and lashes."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from .anny_data import Floats
from .eye_pieces import IRIS_M, LAST_RAD, TEXTURE_POWER
from .hair_pieces import BROW, COLUMNS, DENSE, brow_hairs, brow_place, brow_texel
from .mouth_pieces import UPPER
from .noise import grain, value_noise

Picture = np.ndarray  # [H, W, 3 or 4] uint8, sRGB
IRIS_OUTER, IRIS_INNER = np.array([0.22, 0.25, 0.20]), np.array([0.35, 0.245, 0.145])  # hazel, sRGB
SCLERA, VEIN = np.array([0.905, 0.875, 0.845]), np.array([0.78, 0.42, 0.38])
EYE_RADIUS_M = 0.0154


def small_textures() -> dict[str, Picture]:
    """Pictures by material: "eye", "teeth", "mouth" (RGB), "hair", "brows" and "lashes" (RGBA)."""
    return {
        "eye": _eye(1024),
        "teeth": _teeth(128),
        "mouth": _mouth(256),
        "hair": _hair(640),
        "brows": _brows(1024, 256),
        "lashes": _lashes(512),
    }


def _eye(size: int) -> Picture:
    v, u = (np.mgrid[0:size, 0:size] + 0.5) / size - 0.5
    radius, around = np.hypot(u, v) * 2, np.arctan2(v, u)
    angle = LAST_RAD * np.clip(radius, 0, 1) ** (1 / TEXTURE_POWER)
    limbus = np.arcsin(IRIS_M / EYE_RADIUS_M)
    r = np.sin(np.minimum(angle, np.pi / 2)) / np.sin(limbus)  # 1 at the rim of the iris
    ring = np.stack([np.cos(around), np.sin(around)], -1).reshape(-1, 2)

    def fibres(across: float, along: float, seed: int) -> Floats:
        at = np.column_stack([ring * across, r.reshape(-1) * along])
        return value_noise(at, 1.0, seed, 3).reshape(size, size)

    wavy = fibres(16, 2.2, 1)
    streaks = fibres(42, 1.2, 2)
    crypts = np.clip(fibres(9, 5.0, 3) - 0.25, 0, 1)
    t = np.clip((r - 0.42 + 0.10 * wavy) / 0.42, 0, 1)[..., None]
    iris = IRIS_INNER * (1 - t) + IRIS_OUTER * t
    iris = iris * (1.0 + 0.38 * streaks + 0.22 * wavy - 0.5 * crypts)[..., None] * 1.12
    collar = np.exp(-(((r - 0.47 - 0.03 * wavy) / 0.05) ** 2))
    iris *= (1 + 0.35 * collar)[..., None]
    iris *= (1 - 0.78 * np.clip((r - 0.80) / 0.20, 0, 1) ** 1.6)[..., None]
    pupil = np.clip((r - 0.31) / 0.025, 0, 1)[..., None]
    iris = iris * pupil + 0.012 * (1 - pupil)

    out = np.clip((r - 1) / 1.2, 0, 1)[..., None]
    sclera = SCLERA * (1 - 0.05 * out) + np.array([0.02, -0.05, -0.05]) * out
    sclera = sclera * (1 + 0.012 * grain(size, 6, 4))[..., None]
    vessel = np.exp(
        -(
            (
                value_noise(np.column_stack([ring * 7, angle.reshape(-1) * 9]), 1.0, 5, 4).reshape(size, size)
                / 0.035
            )
            ** 2
        )
    )
    sclera += (vessel * 0.30 * np.clip((r - 1.25) / 1.1, 0, 1))[..., None] * (VEIN - SCLERA)
    edge = np.clip((r - 0.94) / 0.13, 0, 1)
    edge = (edge * edge * (3 - 2 * edge))[..., None]
    return _picture(iris * (1 - edge) + sclera * edge)


def _teeth(size: int) -> Picture:
    """A column for each tooth from the middle outwards, darker towards the cheeks; the edge is on top."""
    v, u = (np.mgrid[0:size, 0 : size * len(UPPER)] + 0.5) / size
    tooth = np.array([0.965, 0.905, 0.820]) - v[..., None] ** 2 * np.array([0.06, 0.11, 0.17])
    tooth = tooth - np.exp(-((v / 0.07) ** 2))[..., None] * np.array([0.09, 0.07, 0.04])
    tooth *= (1 - 0.20 * np.abs(2 * (u % 1) - 1) ** 6)[..., None]  # darker where two of them meet
    dim = 1 - 0.62 * np.clip((u - 1.2) / (len(UPPER) - 1.2), 0, 1) ** 0.8
    return _picture(tooth * dim[..., None] ** np.array([0.9, 1.0, 1.05]))


def _mouth(size: int) -> Picture:
    """Gums in the upper half, u along the arch; the tongue in the lower, from its tip backwards."""
    v, u = (np.mgrid[0:size, 0:size] + 0.5) / size
    gum = np.array([0.60, 0.31, 0.30]) * (1 + 0.05 * grain(size, 5, 1))[..., None]
    gum *= ((1 - 0.5 * np.clip(v / 0.5, 0, 1)) * (1 - 0.75 * np.abs(2 * u - 1) ** 1.3))[..., None]
    bumps = np.clip(grain(size, 1.4, 2), -1, 2)
    tongue = np.array([0.60, 0.29, 0.28]) * (1 + 0.06 * bumps + 0.05 * grain(size, 9, 3))[..., None]
    tongue *= (1 - 0.14 * np.exp(-(((u - 0.5) / 0.03) ** 2)))[..., None]  # the groove
    back = np.clip((v - 0.5) / 0.5, 0, 1)
    tongue *= (1 - 0.85 * np.clip((back - 0.12) / 0.6, 0, 1) ** 0.8)[..., None]
    return _picture(np.where((v < 0.5)[..., None], gum, tongue))


def _hair(size: int) -> Picture:
    """Columns of strands that run from the roots on top together at the tips; alpha is where a strand is.

    The last column holds a few fine hairs, which lie apart.
    """
    rng = np.random.default_rng(7)
    v, u = (np.mgrid[0:size, 0:size] + 0.5) / size
    alpha, shade = np.zeros((size, size)), np.full((size, size), 0.85)
    for column in range(COLUMNS):
        mine = slice(column * size // COLUMNS, (column + 1) * size // COLUMNS)
        across, down = u[:, mine] * COLUMNS - column - 0.5, v[:, mine]
        fine = column >= DENSE
        lock = rng.uniform(-0.28, 0.28, 7)  # strands lie together in a few locks
        for _ in range(7 if fine else 150):
            root = rng.uniform(-0.44, 0.44)
            tip = np.clip(root + rng.normal(0, 0.12), -0.46, 0.46)
            if not fine:
                tip = lock[np.abs(lock - root).argmin()] + rng.normal(0, 0.035)
            start, end = rng.uniform(0.02, 0.20), rng.uniform(0.5, 1.0) - 0.25 * abs(root)
            line = (
                root + (tip - root) * down**1.6 + rng.normal(0, 0.02) * np.sin(down * 5 + rng.uniform(0, 6))
            )
            width = (
                rng.uniform(0.010, 0.019) * (0.7 if fine else 1.0) * np.clip((end - down) / 0.45, 0, 1) ** 0.7
            )
            within = np.clip((width - np.abs(across - line)) * size / COLUMNS / 1.3 + 0.5, 0, 1)
            within *= (down < end) * np.clip((down - start) / 0.06 + 0.5, 0, 1) * (0.8 if fine else 1.0)
            tone = rng.uniform(0.62, 1.08)
            shade[:, mine] = np.where(within > 0.4, tone, shade[:, mine])
            alpha[:, mine] = np.maximum(alpha[:, mine], within)
    shade *= 0.62 + 0.38 * np.clip(v / 0.7, 0, 1)  # less light gets to the roots
    base = np.array([0.285, 0.212, 0.163])
    return _picture(np.concatenate([base * shade[..., None], alpha[..., None]], axis=-1))


def _brows(width: int, height: int) -> Picture:
    """The hairs of the left brow over a soft shade; drawn finer than it is kept."""
    fine = 3
    shape = Image.new("L", (width * fine, height * fine))
    tone = Image.new("L", shape.size, 120)
    hairs = brow_hairs(430, rows=6, seed=12)
    scale = np.array(shape.size)
    for points, shade in zip(hairs.points, hairs.shade, strict=True):
        line = brow_texel(points) * scale
        for step in range(len(line) - 1):
            ends = [tuple(line[step]), tuple(line[step + 1])]
            thick = max(1, round(fine * (3.1 - 0.42 * step)))
            ImageDraw.Draw(shape).line(ends, fill=round(255 - 22 * step), width=thick)
            ImageDraw.Draw(tone).line(ends, fill=round(80 + 90 * shade), width=thick + 2)
    alpha, light = (
        np.asarray(picture.resize((width, height), Image.Resampling.LANCZOS)) / 255.0
        for picture in (shape, tone)
    )
    v, u = (np.mgrid[0:height, 0:width] + 0.5) / np.array([height, width])[:, None, None]
    at = brow_place(np.column_stack([u.ravel(), v.ravel()]))
    middle, half = (np.interp(at[:, 0], BROW[:, 0], BROW[:, k]) for k in (1, 2))
    ends = np.clip((at[:, 0] - BROW[0, 0] + 0.001) / 0.008, 0, 1) * np.clip(
        (BROW[-1, 0] - at[:, 0]) / 0.010, 0, 1
    )
    shadow = 0.42 * ends * np.exp(-(((at[:, 1] - middle) / (1.05 * half)) ** 2))
    alpha = 1 - (1 - 0.92 * alpha) * (1 - shadow.reshape(alpha.shape))
    colour = np.array([0.255, 0.190, 0.148]) * (0.45 + 0.95 * light)[..., None]
    return _picture(np.concatenate([colour, alpha[..., None]], axis=-1))


def _lashes(size: int) -> Picture:
    """Upper lashes in the left half, lower ones in the right; roots on top."""
    rng = np.random.default_rng(8)
    v, u = (np.mgrid[0 : size // 4, 0:size] + 0.5) / np.array([size // 4, size])[:, None, None]
    alpha = np.zeros(u.shape)
    for first, count, tall, thick in ((0.0, 120, 0.95, 0.0024), (0.5, 60, 0.70, 0.0014)):
        for i in range(count):
            x = first + 0.5 * (i + rng.uniform(0.2, 0.8)) / count
            lean = 0.05 * (x - first - 0.22) + rng.normal(0, 0.006)
            end = tall * rng.uniform(0.6, 1.0)
            width = thick * np.clip(1 - v / end, 0, 1) ** 0.7
            alpha = np.maximum(
                alpha, np.clip((width - np.abs(u - x - lean * v**1.5)) * size / 1.2 + 0.5, 0, 1) * (v < end)
            )
    alpha = np.maximum(alpha, np.clip(1.6 - v / 0.10, 0, 1) * (u < 0.5))
    return _picture(
        np.concatenate([np.broadcast_to([0.035, 0.028, 0.025], (*u.shape, 3)), alpha[..., None]], axis=-1)
    )


def _picture(values: Floats) -> Picture:
    return (np.clip(values, 0, 1) * 255 + 0.5).astype(np.uint8)
