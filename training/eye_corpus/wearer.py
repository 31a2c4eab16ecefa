"""Who wears the headset: one person's eye, lids, lashes and skin, drawn at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Wearer:
    """Sizes in mm around the centre of the left eyeball, brightnesses 0..1 under infrared light.

    Spreads follow adult anatomy: eyeball 11.3-12.7 mm radius, cornea 7.4-8.2 mm, palpebral fissure
    26-32 mm wide and 8-12 mm high, upper lid crossing the iris a little below its top.
    """

    # eyeball
    eye_radius: float
    cornea_radius: float
    cornea_offset: float  # from the eyeball's centre to the cornea's
    pupil_offset: tuple[float, float]  # in the iris plane
    torsion: float  # radians
    # opening of the lids
    nasal_x: float
    temporal_x: float
    nasal_y: float
    temporal_y: float
    upper_height: float
    lower_height: float
    skew: float  # where the upper lid peaks, -1 nasal to 1 temporal
    lid_follow: float  # how far the upper lid follows the gaze, 0..1
    # skin around it
    bulge_width: float
    socket_z: float
    brow_ridge: float
    nose_slope: float
    crease_height: float
    crease_depth: float
    bag_depth: float
    skin: float
    skin_contrast: float
    brow_darkness: float
    brow_y: float
    makeup: float  # darker lid margin, 0..1
    # the eye's surface
    sclera: float
    vessels: float
    iris: float
    iris_contrast: float
    limbus_width: float
    pupil: float
    # lashes
    upper_lashes: int
    lower_lashes: int
    lash_mm: float
    lash_curl: float
    lash_darkness: float
    textures: tuple[int, int, int, int]  # which tiles, see texture.py
    shift: tuple[int, int]  # into the tiles


def random_wearer(rng: np.random.Generator) -> Wearer:
    """Draws a person."""
    u, n = rng.uniform, rng.normal
    radius = float(np.clip(n(12.0, 0.35), 11.3, 12.7))
    return Wearer(
        eye_radius=radius,
        cornea_radius=float(np.clip(n(7.8, 0.2), 7.3, 8.3)),
        cornea_offset=radius * float(np.clip(n(0.465, 0.012), 0.44, 0.49)),
        pupil_offset=(n(-0.15, 0.12), n(0.0, 0.1)),
        torsion=n(0.0, 0.05),
        nasal_x=u(-15.5, -12.5),
        temporal_x=u(12.5, 16.5),
        nasal_y=u(-2.8, -0.3),
        temporal_y=u(-1.8, 2.2),
        upper_height=float(np.clip(n(5.3, 0.8), 3.6, 7.0)),
        lower_height=float(np.clip(n(4.6, 0.6), 3.4, 6.2)),
        skew=u(-0.22, 0.15),
        lid_follow=u(0.5, 0.8),
        bulge_width=u(8.8, 11.0),
        socket_z=u(1.5, 5.0),
        brow_ridge=u(0.2, 1.0),
        nose_slope=u(0.02, 0.08),
        crease_height=u(2.0, 6.0) if rng.random() < 0.8 else u(0.4, 1.2),
        crease_depth=u(0.1, 0.55),
        bag_depth=u(0.0, 0.25),
        skin=u(0.3, 0.85),
        skin_contrast=u(0.03, 0.14),
        brow_darkness=u(0.1, 0.6),
        brow_y=u(14.0, 23.0),
        makeup=u(0.2, 0.9) if rng.random() < 0.25 else u(0.0, 0.15),
        sclera=u(0.45, 0.95),
        vessels=u(0.0, 0.25),
        iris=u(0.22, 0.75),
        iris_contrast=u(0.08, 0.4),
        limbus_width=u(0.3, 1.1),
        pupil=u(0.01, 0.1),
        upper_lashes=int(u(35, 110)),
        lower_lashes=int(u(10, 60)),
        lash_mm=u(4.5, 11.0),
        lash_curl=u(0.2, 1.2),
        lash_darkness=u(0.25, 0.95),
        textures=tuple(int(k) for k in rng.integers(0, 8, 4)),  # type: ignore[arg-type]
        shift=(int(rng.integers(256)), int(rng.integers(256))),
    )
