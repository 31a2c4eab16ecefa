"""The textures of eyes, mouth, teeth, hair and lashes."""

from __future__ import annotations

import numpy as np

from .anny_data import Floats
from .eye_pieces import IRIS_M, LAST_RAD, TEXTURE_POWER
from .noise import grain, value_noise

Picture = np.ndarray  # [H, W, 3 or 4] uint8, sRGB
IRIS_OUTER, IRIS_INNER = np.array([0.22, 0.25, 0.20]), np.array([0.35, 0.245, 0.145])  # hazel, sRGB
SCLERA, VEIN = np.array([0.905, 0.875, 0.845]), np.array([0.78, 0.42, 0.38])
EYE_RADIUS_M = 0.0154


def small_textures() -> dict[str, Picture]:
    """Pictures by material: "eye", "teeth", "mouth" (RGB), "hair" and "lashes" (RGBA)."""
    return {
        "eye": _eye(1024),
        "teeth": _teeth(128),
        "mouth": _mouth(256),
        "hair": _hair(512),
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
    v, u = (np.mgrid[0:size, 0:size] + 0.5) / size
    tooth = np.array([0.875, 0.845, 0.775]) - v[..., None] ** 2 * np.array([0.07, 0.12, 0.18])
    tooth = tooth - np.exp(-((v / 0.07) ** 2))[..., None] * np.array([0.12, 0.09, 0.06])
    return _picture(tooth * (1 - 0.10 * np.abs(2 * u - 1) ** 4 + 0.010 * grain(size, 2, 1))[..., None])


def _mouth(size: int) -> Picture:
    v, _ = (np.mgrid[0:size, 0:size] + 0.5) / size
    gum = (
        np.array([0.70, 0.38, 0.37])
        * (1 + 0.05 * grain(size, 5, 1))[..., None]
        * (1 - 0.5 * np.clip(v / 0.5, 0, 1))[..., None]
    )
    bumps = np.clip(grain(size, 1.4, 2), -1, 2)
    tongue = np.array([0.66, 0.33, 0.33]) * (1 + 0.06 * bumps + 0.05 * grain(size, 9, 3))[..., None]
    return _picture(np.where((v < 0.5)[..., None], gum, tongue))


def _hair(size: int) -> Picture:
    """Three columns of strands for hair and one for brows; alpha is where a strand is."""
    rng = np.random.default_rng(7)
    v, u = (np.mgrid[0:size, 0:size] + 0.5) / size
    alpha, shade = np.zeros((size, size)), np.full((size, size), 0.6)
    for column in range(4):
        brow = column == 3
        for _ in range(15 if brow else 46):
            x = (column + 0.5 + (rng.uniform(-0.36, 0.36) if brow else rng.triangular(-0.48, 0, 0.48))) / 4
            bend, wave = rng.normal(0, 0.008), rng.normal(0, 0.003)
            line = x + bend * v**2 + wave * np.sin(v * 7 + rng.uniform(0, 6))
            start, end = (
                (rng.uniform(0, 0.2), rng.uniform(0.75, 1.0)) if brow else (-0.1, rng.uniform(0.55, 1.02))
            )
            width = (0.0042 if brow else rng.uniform(0.0028, 0.0055)) * np.clip((end - v) / 0.4, 0, 1) ** 0.6
            within = np.clip((width - np.abs(u - line)) * size / 1.5 + 0.5, 0, 1) * (v > start) * (v < end)
            tone = rng.uniform(0.5, 1.0)
            shade = np.where(within > 0.5, tone * (0.75 + 0.25 * v), shade)
            alpha = np.maximum(alpha, within)
    base = np.array([0.235, 0.165, 0.120])
    return _picture(np.concatenate([base * shade[..., None] * 1.2, alpha[..., None]], axis=-1))


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
