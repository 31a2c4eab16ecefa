"""Eyes that a model is shown while it learns to follow them: those of the recording, or any others.

A recorded gaze hardly leaves the viewer, and of many recordings it is not known at all. Whoever learns from
these alone takes the eyes for noise. What eyes do says nothing about speech, so a window may as well get
others, and they are then what the face has to show.
"""

from __future__ import annotations

import numpy as np

from rtgraph.models.expression import EYE, EYE_STATE, FRAME, region
from rtgraph.models.eye_lift import from_frame, to_frame

#: The numbers of a frame that eyes decide.
EYE_NUMBERS = np.array([region(name) in ("lids", "gaze") and not name.endswith("Roll") for name in FRAME])
_BLINK_S, _FRAME_S = 0.1, 0.02


def see(
    motion: np.ndarray, known: np.ndarray, present: np.ndarray, other_chance: float, rng: np.random.Generator
) -> np.ndarray:
    """The eye states [B, T, 14] of windows; where they are `present` [B], the face is made to show them.

    motion [B, T, 61] and known [B, 61] are changed in place: what eyes decide is known where they are seen.
    Windows get other eyes than their own by `other_chance`, and always where the gaze is not known.
    """
    state = from_frame(motion)
    seen = known[:, EYE_NUMBERS].all(axis=1)
    for b in np.flatnonzero(present):
        if not seen[b] or rng.random() < other_chance:
            state[b] = _others(motion.shape[1], rng)
            motion[b][:, EYE_NUMBERS] = to_frame(state[b])[:, EYE_NUMBERS]
            known[b] |= EYE_NUMBERS
    return state


def _others(frames: int, rng: np.random.Generator) -> np.ndarray:
    """[T, 14]: eyes that jump about within some 30 degrees, with lids, squint and width of their own."""
    state = np.zeros((frames, len(EYE_STATE)), np.float32)
    columns = {name: [i, i + len(EYE)] for i, name in enumerate(EYE)}
    yaw, pitch = (_steps(frames, 0.5, rng.normal(0, spread, 400), rng) for spread in (0.2, 0.13))
    vergence = rng.normal(0, 0.02)
    state[:, columns["gazeYaw"]] = np.clip(yaw[:, None] + [-vergence, vergence], -0.6, 0.6)
    state[:, columns["gazePitch"]] = np.clip(pitch, -0.5, 0.5)[:, None]
    lid = _smooth(_steps(frames, 0.6, rng.choice([1.0, 1.0, 0.8, 0.5, 0.0], 400), rng))
    state[:, columns["lid"]] = lid[:, None]
    for name in ("squint", "wide"):
        amount = _steps(frames, 1.0, np.maximum(rng.uniform(-1, 0.8, 400), 0), rng)
        state[:, columns[name]] = _smooth(amount)[:, None]
    state[:, columns["pupilMm"]] = 4.0
    state[:, columns["confidence"]] = 1.0
    return state


def _steps(frames: int, mean_s: float, levels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """[T] one level after the other, each held for a random time."""
    jumps = rng.random(frames) < _FRAME_S / mean_s
    return np.asarray(levels[np.cumsum(jumps) % len(levels)])


def _smooth(x: np.ndarray) -> np.ndarray:
    """[T] as fast as lids move."""
    width = round(_BLINK_S / _FRAME_S)
    return np.convolve(np.pad(x, (width - 1, 0), mode="edge"), np.ones(width) / width, "valid")
