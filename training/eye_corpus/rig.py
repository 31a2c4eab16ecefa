"""The headset: where camera and infrared lights sit before the eye, its fish-eye lens, its sensor."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .look import FloatArray

SIDE_PX = 128
#: Half a lens and half a light, and from how far beside the lens an eye shines back into it.
_LENS_MM, _BRIGHT_WITHIN_DEG = 4.0, 3.0


@dataclass(frozen=True)
class Rig:
    """A camera and its lights, in mm in the head's frame around the left eyeball's centre.

    `rays` [3, 128 * 128] are the unit directions that the pixels look along, row by row from the top.
    Image right is the person's left, image up the person's up.
    """

    camera: FloatArray  # [3]
    axes: FloatArray  # [3, 3] rows: image right, image up, the way it looks
    focal_px: float
    fish_eye: float  # r = focal * angle * (1 + fish_eye * angle^2); 1/3 is near a pinhole
    lights: FloatArray  # [L, 3]
    bright_pupil: float  # 0 dark pupil, 1 as bright as lit skin
    gain: float
    gamma: float
    noise: float
    defocus_px: float
    vignette: float
    ambient: float
    reflections: FloatArray  # [G, 6] of glasses: x, y, length, width (px), angle, brightness
    frame_y: float  # px from the bottom that a glasses frame darkens; 0: none
    rays: FloatArray = field(repr=False, default_factory=lambda: np.zeros((3, 0), np.float32))

    def project(self, points: FloatArray) -> FloatArray:
        """[N, 3] mm -> [N, 2] pixels (column, row)."""
        local = (points - self.camera) @ self.axes.T
        across = np.hypot(local[:, 0], local[:, 1]) + 1e-9
        angle = np.arctan2(across, local[:, 2])
        radius = self.focal_px * angle * (1 + self.fish_eye * angle * angle) / across
        half = (SIDE_PX - 1) / 2
        return np.stack([half + radius * local[:, 0], half - radius * local[:, 1]], 1)


def _rays(axes: FloatArray, focal_px: float, fish_eye: float) -> FloatArray:
    """[3, N] float32: the inverse of Rig.project, by Newton's steps."""
    half = (SIDE_PX - 1) / 2
    row, column = np.mgrid[0:SIDE_PX, 0:SIDE_PX].reshape(2, -1)
    x, y = column - half, half - row
    radius = np.hypot(x, y)
    wanted = radius / focal_px
    angle = wanted.copy()
    for _ in range(5):
        angle -= (angle * (1 + fish_eye * angle**2) - wanted) / (1 + 3 * fish_eye * angle**2)
    sine = np.sin(angle) / radius  # no pixel is at the very centre
    local = np.stack([x * sine, y * sine, np.cos(angle)])
    rays: FloatArray = (axes.T @ local).astype(np.float32)
    return rays


def random_rig(rng: np.random.Generator) -> Rig:
    """Draws a headset: camera below, beside or nearly before the eye, two to six lights."""
    u = rng.uniform
    azimuth, elevation = np.deg2rad(u(-28, 42)), np.deg2rad(u(-42, 4))
    distance = u(30.0, 55.0)
    outwards = np.array(
        [np.sin(azimuth) * np.cos(elevation), np.sin(elevation), np.cos(azimuth) * np.cos(elevation)]
    )
    target = np.array([rng.normal(0.5, 1.6), rng.normal(0, 1.6), 9.0])
    camera = target + distance * outwards
    roll = rng.normal(0, 0.07)
    right = np.cross([np.sin(roll), np.cos(roll), 0.0], outwards)
    right /= np.linalg.norm(right)
    up = np.cross(outwards, right)
    axes = np.stack([right, up, -outwards]).astype(np.float32)
    fish_eye = u(-0.1, 0.4)
    edge = np.arctan(u(15.5, 22.0) / distance)
    focal = SIDE_PX / 2 / (edge * (1 + fish_eye * edge**2))

    count = int(rng.integers(2, 7))
    if rng.random() < 0.5:  # a ring about the lens
        turn = u(0, 2 * np.pi) + np.arange(count) * 2 * np.pi / count
        ring = u(13.0, 24.0)
        lights = np.stack([ring * np.cos(turn), ring * np.sin(turn), np.full(count, u(22.0, 40.0))], 1)
    else:  # beside the camera
        lights = camera + rng.normal(0, 1, (count, 3)) * [9, 7, 3]
    lights = _beside_the_lens(lights, camera, outwards).astype(np.float32)
    with_glasses = rng.random() < 0.15
    spots = int(rng.integers(1, 5)) if with_glasses else 0
    lows, highs = [0, 0, 1.5, 1.0, 0, 0.2], [SIDE_PX, SIDE_PX, 14, 5, np.pi, 1.0]
    reflections = u(lows, highs, (spots, 6))
    return Rig(
        camera=camera.astype(np.float32),
        axes=axes,
        focal_px=focal,
        fish_eye=fish_eye,
        lights=lights,
        bright_pupil=u(0.4, 1.0) * _shines_back(camera, lights),
        gain=float(np.exp(rng.normal(0, 0.25))),
        gamma=u(0.75, 1.25),
        noise=u(0.005, 0.025),
        defocus_px=u(0.35, 1.1),
        vignette=u(0.0, 0.5),
        ambient=u(0.05, 0.4),
        reflections=reflections.astype(np.float32),
        frame_y=u(4, 22) if with_glasses and rng.random() < 0.3 else 0.0,
        rays=_rays(axes, focal, fish_eye),
    )


def _beside_the_lens(lights: FloatArray, camera: FloatArray, outwards: FloatArray) -> FloatArray:
    """Lights [L, 3] moved sideways where they would sit in the camera's lens."""
    off = lights - camera
    along = (off @ outwards)[:, None] * outwards
    aside = off - along
    far = np.linalg.norm(aside, axis=1, keepdims=True)
    beside: FloatArray = camera + along + aside * np.maximum(_LENS_MM / far, 1)
    return beside


def _shines_back(camera: FloatArray, lights: FloatArray) -> float:
    """0..1: how much of a light's reflection off the retina goes into the lens; only a light within a few
    degrees of the lens makes a pupil bright."""
    cosine = lights @ camera / np.linalg.norm(lights, axis=1) / np.linalg.norm(camera)
    nearest = np.rad2deg(np.arccos(np.clip(cosine, -1, 1))).min()
    return float(np.exp(-((nearest / _BRIGHT_WITHIN_DEG) ** 2)))
