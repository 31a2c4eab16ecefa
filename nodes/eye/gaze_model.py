"""Where eyes look and when they blink while somebody speaks or listens: chance with published statistics.

Blinks: 17 a minute at rest, 26 in conversation, with large differences between people (Bentivoglio et al.
1997); drawn to the ends of phrases (Nakano & Kitazawa 2010) and to large gaze shifts (Evinger et al. 1994);
lids close faster than they open (VanderWerf et al. 2003), and some blinks stay incomplete.
Gaze: how long it stays with the other person and away from them, speaking and listening, and the directions
and amplitudes of the shifts: Lee, Badler & Badler 2002 ("Eyes Alive"). On the face gaze goes between eyes
and mouth every half second: calmer than on pictures (a third of a second, Buswell 1935).
Saccades: 21 ms + 2.2 ms a degree (Carpenter 1988), hence their peak speed on the main sequence (Bahill,
Clark & Stark 1975). Lids follow vertical gaze (Becker & Fuchs 1988). Pupils wander slowly (hippus, below
0.3 Hz; Stark et al. 1958).
The head is taken to be still: there is no vestibulo-ocular reflex here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

State = NDArray[np.float32]
# Plain floats: a step is a few dozen operations on single numbers, which NumPy is slow to begin.
Direction = tuple[float, float]  # yaw, positive to the person's left, and pitch, positive down: degrees

_SPEAKING_TO_OTHER_S, _SPEAKING_AWAY_S = 3.13, 0.93  # Eyes Alive: 93.9 and 27.8 frames of 1/30 s
_LISTENING_TO_OTHER_S, _LISTENING_AWAY_S = 7.92, 0.43  # 237.5 and 13.0 frames
_SHIFT_MEAN_DEG = 6.9  # amplitudes fall off exponentially
_SHIFT_MOST_DEG = {True: 22.7, False: 27.5}  # speaking, listening
_DIRECTION_SHARE = np.array([15.54, 6.46, 17.69, 7.44, 16.80, 7.89, 20.38, 7.79])  # 0, 45, ... 315 degrees
_SACCADE_S, _SACCADE_S_PER_DEG = 0.021, 0.0022
_FIXATION_S, _FIXATION_SHAPE, _FIXATION_LEAST_S = 0.5, 2.5, 0.12  # gamma

_BLINK_LOG_SD = 0.6  # of the intervals
_BLINK_LEAST_S = 0.6  # from one to the next
_BLINK_AT_PHRASE_END, _BLINK_AT_SHIFT, _LARGE_SHIFT_DEG = 0.25, 0.35, 12.0
_CLOSE_S, _SHUT_S, _OPEN_S = 0.080, 0.030, 0.160
_INCOMPLETE = 0.12

_EYE_DISTANCE_M, _MOUTH_BELOW_M = 0.063, 0.068
_LID_PER_DEG_DOWN, _WIDE_PER_DEG_UP = 0.015, 0.006
_PUPIL_MM, _PUPIL_SD_MM, _PUPIL_S = 4.0, 0.2, 1.2


@dataclass(frozen=True)
class Temperament:
    """What differs between people and situations."""

    blinks_per_min_speaking: float = 19.0
    blinks_per_min_silent: float = 15.0
    aversion: float = 1.0  # how long gaze stays away, times the published mean
    distance_m: float = 1.0  # of the face that is looked at


class GazeModel:
    """Two eyes as a process in time. `step` moves them on; the same seed and steps give the same eyes."""

    def __init__(self, temperament: Temperament, seed: int) -> None:
        self._t = temperament
        self._rng = np.random.default_rng(seed)
        self._now_s = 0.0
        self._speaking = False
        self._vergence_rad = math.atan(_EYE_DISTANCE_M / 2 / temperament.distance_m)
        half = math.degrees(self._vergence_rad)
        mouth = math.degrees(math.atan(_MOUTH_BELOW_M / temperament.distance_m))
        self._face_deg = ((half, 0.0), (-half, 0.0), (0.0, mouth))  # the other's left eye, right eye, mouth
        self._averted = False
        self._stay_until_s = self._stay_s()
        self._goal_deg: Direction = (0.0, 0.0)
        self._from_deg = self._to_deg = self._goal_deg
        self._saccade_at_s, self._saccade_s = 0.0, _SACCADE_S
        self._fixate_until_s = self._fixation_s()
        self._until_blink = self._blink_interval()  # in mean intervals
        self._blink_at_s, self._blink_depth, self._blink_slowness = -10.0, 1.0, 1.0
        self._pupil_mm = _PUPIL_MM

    def step(self, dt_s: float, speaking: bool) -> State:
        """The eyes `dt_s` later: an eye state [14] float32, in EYE_STATE's order, with confidence 1."""
        self._now_s += dt_s
        phrase_ended = self._speaking and not speaking
        self._speaking = speaking
        self._move_gaze()
        self._move_blink(dt_s, phrase_ended)
        self._move_pupil(dt_s)
        return self._state()

    def look_from(self, yaw_rad: float, pitch_rad: float) -> None:
        """Go on from where somebody else has put the gaze: stay there for a fixation."""
        self._from_deg = self._to_deg = (math.degrees(yaw_rad), math.degrees(pitch_rad))
        self._fixate_until_s = self._now_s + _FIXATION_S

    def _move_gaze(self) -> None:
        if self._now_s >= self._stay_until_s:
            self._averted = not self._averted
            self._stay_until_s = self._now_s + self._stay_s()
            self._goal_deg = self._away() if self._averted else (0.0, 0.0)
            self._saccade_to(self._goal_deg)
        elif self._now_s >= self._fixate_until_s:
            if self._averted:
                target = self._near(self._goal_deg, 0.7)
            else:
                target = self._face_deg[self._rng.choice(3, p=(0.45, 0.45, 0.1))]
            self._saccade_to(self._near(target, 0.25))

    def _near(self, target_deg: Direction, sd_deg: float) -> Direction:
        yaw, pitch = self._rng.normal(target_deg, sd_deg).tolist()
        return yaw, pitch

    def _saccade_to(self, target_deg: Direction) -> None:
        self._from_deg = self._gaze_deg()
        self._to_deg = target_deg
        size = math.dist(target_deg, self._from_deg)
        self._saccade_at_s = self._now_s
        self._saccade_s = _SACCADE_S + _SACCADE_S_PER_DEG * size
        self._fixate_until_s = self._now_s + self._saccade_s + self._fixation_s()
        if size > _LARGE_SHIFT_DEG and self._rng.random() < _BLINK_AT_SHIFT:
            self._until_blink = 0.0

    def _gaze_deg(self) -> Direction:
        part = min(max((self._now_s - self._saccade_at_s) / self._saccade_s, 0.0), 1.0)
        part = 0.5 - 0.5 * math.cos(math.pi * part)  # peak speed is 1.57 times the mean, as it is in people
        (yaw, pitch), (to_yaw, to_pitch) = self._from_deg, self._to_deg
        return yaw + part * (to_yaw - yaw), pitch + part * (to_pitch - pitch)

    def _move_blink(self, dt_s: float, phrase_ended: bool) -> None:
        t = self._t
        per_min = t.blinks_per_min_speaking if self._speaking else t.blinks_per_min_silent
        self._until_blink -= dt_s * per_min / 60
        if phrase_ended and self._rng.random() < _BLINK_AT_PHRASE_END:
            self._until_blink = 0.0
        if self._until_blink > 0 or per_min == 0 or self._now_s < self._blink_at_s + _BLINK_LEAST_S:
            return
        self._until_blink = self._blink_interval()
        self._blink_at_s = self._now_s
        self._blink_slowness = math.exp(self._rng.normal(0, 0.15))
        incomplete = self._rng.random() < _INCOMPLETE
        self._blink_depth = float(self._rng.uniform(0.6, 0.9)) if incomplete else 1.0

    def _blink(self) -> float:
        """How far the lids are shut by the blink, 0..1."""
        since = (self._now_s - self._blink_at_s) / self._blink_slowness
        down = min(max(since / _CLOSE_S, 0.0), 1.0)
        up = math.exp(-max(since - _CLOSE_S - _SHUT_S, 0.0) / (_OPEN_S / 2))
        return self._blink_depth * down * down * (3 - 2 * down) * up

    def _move_pupil(self, dt_s: float) -> None:
        keep = math.exp(-dt_s / _PUPIL_S)
        noise = _PUPIL_SD_MM * math.sqrt(1 - keep * keep) * self._rng.standard_normal()
        self._pupil_mm = _PUPIL_MM + keep * (self._pupil_mm - _PUPIL_MM) + noise

    def _state(self) -> State:
        yaw_deg, pitch_deg = self._gaze_deg()
        blink = self._blink()
        lid = (1 - _LID_PER_DEG_DOWN * max(pitch_deg, 0.0)) * (1 - blink)
        wide = _WIDE_PER_DEG_UP * max(-pitch_deg, 0.0) * (1 - blink)
        yaw, pitch = math.radians(yaw_deg), math.radians(pitch_deg)
        verge = self._vergence_rad
        left = (yaw - verge, pitch, lid, 0.0, wide, self._pupil_mm, 1.0)
        right = (yaw + verge, *left[1:])
        return np.array(left + right, np.float32)

    def _away(self) -> Direction:
        size = min(float(self._rng.exponential(_SHIFT_MEAN_DEG)) + 2.0, _SHIFT_MOST_DEG[self._speaking])
        angle = math.pi / 4 * self._rng.choice(8, p=_DIRECTION_SHARE / _DIRECTION_SHARE.sum())
        angle += self._rng.normal(0, 0.15)
        return size * math.cos(angle), -size * math.sin(angle)

    def _stay_s(self) -> float:
        if self._averted:
            mean = self._t.aversion * (_SPEAKING_AWAY_S if self._speaking else _LISTENING_AWAY_S)
        else:
            mean = _SPEAKING_TO_OTHER_S if self._speaking else _LISTENING_TO_OTHER_S
        return max(float(self._rng.exponential(mean)), 0.2)

    def _fixation_s(self) -> float:
        drawn = self._rng.gamma(_FIXATION_SHAPE, _FIXATION_S / _FIXATION_SHAPE)
        return max(float(drawn), _FIXATION_LEAST_S)

    def _blink_interval(self) -> float:
        """Drawn with mean 1, the unit being the mean interval of the moment."""
        return math.exp(self._rng.normal(-(_BLINK_LOG_SD**2) / 2, _BLINK_LOG_SD))
