"""Blinks, gaze, head and brows: chance with published statistics, tied to the speech where people tie it.

Blinks: 26 a minute in conversation, 17 at rest (Bentivoglio et al. 1997), closing faster than opening
(VanderWerf et al. 2003), drawn to pauses (Nakano & Kitazawa 2010). Gaze: saccade amplitudes, directions and
the times of mutual and averted gaze while talking from Lee, Badler & Badler 2002 ("Eyes Alive"); duration on
the main sequence, 21 ms + 2.2 ms a degree (Carpenter 1988); lids follow vertical gaze (Becker & Fuchs 1988).
Head: mostly below 2 Hz, with nods on stressed syllables (Hadar et al. 1983; Munhall et al. 2004); most of it
goes with the voice's level and pitch (Yehia, Kuratate & Vatikiotis-Bateson 2002), the rest wanders. Brows:
most rises go with rises in pitch, but only some accents have one (Cave et al. 1996).
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import lfilter

from rtgraph.models.expression import FRAME, INDEX, both

from .parameters import Emotion, Gestures
from .prosody import Prosody
from .style import Style
from .utterance import FRAME_RATE_HZ, FloatArray

_HEAD_SMOOTHING_FRAMES = 12**0.5  # a head is slower than a mouth: 80 ms with the 40 of the level itself
# Eyes Alive, table 1: share of saccades in each direction, 0, 45, ... 315 degrees
_DIRECTION_SHARE = np.array([15.54, 6.46, 17.69, 7.44, 16.80, 7.89, 20.38, 7.79])


def add_gestures(
    out: FloatArray,
    prosody: Prosody,
    style: Style,
    emotion: Emotion,
    intensity: float,
    g: Gestures,
    rng: np.random.Generator,
) -> None:
    """Write brows, lids, gaze and head into `out` [F, 61], and the emotion's upper face; `rng` decides all
    chance.
    """

    def scale(of_emotion: float) -> float:
        return 1 + intensity * (of_emotion - 1)

    gaze = _gaze_deg(prosody, style, g, rng)
    blink = _blinks(prosody, style.blink_rate * scale(emotion.blink_rate), g, rng)
    head = _head(prosody, style.head * scale(emotion.head), g, rng)
    head[:, 1] += intensity * emotion.pitch_rad
    _brows(out, prosody, style.brows * scale(emotion.brows), g, rng)
    for name, amount in emotion.shapes.items():
        for column in both(name):
            if column.startswith(("brow", "eye")):
                out[:, INDEX[column]] += intensity * amount
    _write_gaze(out, gaze, head, g)
    for side in ("Left", "Right"):
        lid = INDEX[f"eyeBlink{side}"]
        out[:, lid] = np.maximum(
            out[:, lid] + g.lid_follows_gaze * out[:, INDEX[f"eyeLookDown{side}"]], blink
        )
        out[:, INDEX[f"eyeWide{side}"]] *= 1 - blink
    out[:, INDEX["headYaw"] : INDEX["headYaw"] + 3] = head
    np.clip(out[:, :52], 0, 1, out=out[:, :52])


def _blinks(prosody: Prosody, rate: float, g: Gestures, rng: np.random.Generator) -> np.ndarray:
    frames = len(prosody.speech)
    lid = np.zeros(frames)
    spread = g.blink_interval_log_sd
    at = float(rng.uniform(0, 60 / g.blinks_per_min_speaking) / rate)
    while at * FRAME_RATE_HZ < frames:
        frame = _towards_pause(int(at * FRAME_RATE_HZ), prosody, g.blink_pause_pull, rng)
        _add_blink(lid, frame / FRAME_RATE_HZ, g, rng)
        per_min = g.blinks_per_min_speaking if prosody.speech[frame] > 0.5 else g.blinks_per_min_silent
        # log-normal with the wanted mean: exp(mu + sd^2 / 2) = 60 / per_min
        at += max(float(rng.lognormal(np.log(60 / (per_min * rate)) - spread**2 / 2, spread)), 0.4)
    return lid


def _towards_pause(frame: int, prosody: Prosody, pull: float, rng: np.random.Generator) -> int:
    """A nearby frame, the likelier the less is said there."""
    first, last = max(frame - 25, 0), min(frame + 25, len(prosody.speech))
    weight = np.exp(-pull * prosody.speech[first:last].astype(np.float64))
    return int(rng.choice(np.arange(first, last), p=weight / weight.sum()))


def _add_blink(lid: np.ndarray, start_s: float, g: Gestures, rng: np.random.Generator) -> None:
    slowness = float(np.exp(rng.normal(0, 0.15)))
    close, shut, reopen = (slowness * t for t in (g.blink_close_s, g.blink_shut_s, g.blink_open_s))
    depth = 1.0 if rng.random() > 0.12 else float(rng.uniform(0.5, 0.9))  # some blinks are incomplete
    first = int(start_s * FRAME_RATE_HZ)
    frames = np.arange(first, min(first + int((close + shut + 3 * reopen) * FRAME_RATE_HZ) + 2, len(lid)))
    since = (frames + 1) / FRAME_RATE_HZ - start_s
    down = np.clip(since / close, 0, 1) ** 2 * (3 - 2 * np.clip(since / close, 0, 1))
    up = np.exp(-np.maximum(since - close - shut, 0) / (reopen / 2))
    lid[frames] = np.maximum(lid[frames], depth * down * up)


def _gaze_deg(prosody: Prosody, style: Style, g: Gestures, rng: np.random.Generator) -> np.ndarray:
    """[F, 2] yaw (positive to the person's left) and pitch (positive down) of both eyes in space, degrees."""
    frames = len(prosody.speech)
    times = (np.arange(frames) + 1) / FRAME_RATE_HZ
    gaze = np.zeros((frames, 2))
    here = np.zeros(2)
    at, averted = 0.0, False
    while at < frames / FRAME_RATE_HZ:
        stay = rng.exponential(g.averted_gaze_s * style.gaze if averted else g.mutual_gaze_s)
        until = at + max(float(stay), 0.2)
        averted = not averted
        goal = _saccade(g, rng) if averted else np.zeros(2)
        while at < until:  # small refixations around the goal, then the next large one
            target = goal + rng.normal(0, g.fixation_drift_deg * (2 if averted else 1), 2)
            size = float(np.hypot(*(target - here)))
            length = g.saccade_base_s + g.saccade_s_per_deg * size
            part = np.clip((times - at) / length, 0, 1)
            part = part * part * (3 - 2 * part)
            gaze[times >= at] = (here + part[:, None] * (target - here))[times >= at]
            here = target
            at += max(float(rng.exponential(g.microsaccade_mean_s)), 0.15)
    return gaze


def _saccade(g: Gestures, rng: np.random.Generator) -> np.ndarray:
    size = min(float(rng.exponential(g.saccade_mean_deg)) + 1.0, g.saccade_most_deg)
    angle = np.pi / 4 * rng.choice(8, p=_DIRECTION_SHARE / _DIRECTION_SHARE.sum()) + rng.normal(0, 0.15)
    return np.array([size * np.cos(angle), -0.7 * size * np.sin(angle)])


def _write_gaze(out: FloatArray, gaze_deg: np.ndarray, head: np.ndarray, g: Gestures) -> None:
    """Eye angles in the head's frame (the eyes undo part of the head's motion) and the ARKit look shapes."""
    yaw = np.radians(gaze_deg[:, 0]) - 0.8 * (head[:, 0] - gaussian_filter1d(head[:, 0], 40))
    pitch = np.radians(gaze_deg[:, 1]) - 0.8 * (head[:, 1] - gaussian_filter1d(head[:, 1], 40))
    reach = np.radians(g.eye_range_deg)
    for eye, side, outward in (("left", "Left", 1.0), ("right", "Right", -1.0)):
        out[:, INDEX[f"{eye}EyeYaw"]] = yaw
        out[:, INDEX[f"{eye}EyePitch"]] = pitch
        out[:, INDEX[f"eyeLookOut{side}"]] += np.maximum(outward * yaw, 0) / reach
        out[:, INDEX[f"eyeLookIn{side}"]] += np.maximum(-outward * yaw, 0) / reach
        out[:, INDEX[f"eyeLookDown{side}"]] += np.maximum(pitch, 0) / reach
        out[:, INDEX[f"eyeLookUp{side}"]] += np.maximum(-pitch, 0) / reach


def _head(prosody: Prosody, amount: float, g: Gestures, rng: np.random.Generator) -> np.ndarray:
    """[F, 3] yaw, pitch, roll in radians: slow wandering, more while speaking, nods on accents, breathing."""
    frames = len(prosody.speech)
    tail = 400  # noise from before the clip, so that the filter starts in its steady state
    noise = gaussian_filter1d(
        rng.standard_normal((frames + 2 * tail, 3)), FRAME_RATE_HZ / (2 * np.pi * g.head_hz), axis=0
    )
    noise /= noise.std(0) + 1e-9
    wander = noise[tail : tail + frames] * np.array(g.head_sd_deg)
    livelier = gaussian_filter1d(0.4 + 0.6 * prosody.speech.astype(np.float64), 15)
    share = g.head_voice_share
    voice = sway(prosody) * np.array(g.head_sd_deg)
    head = share * voice + np.sqrt(1 - share**2) * wander * livelier[:, None]
    times = (np.arange(frames) + 1) / FRAME_RATE_HZ
    for accent in prosody.accents:
        if rng.random() < g.nod_share:
            size, width = g.nod_deg * rng.lognormal(-0.1, 0.4), g.nod_s * rng.lognormal(0, 0.2) / 2
            since = (times - times[accent]) / width
            head[:, 1] += size * np.exp(-0.5 * since**2) - 0.35 * size * np.exp(
                -0.5 * ((since + 2.2) / 1.2) ** 2
            )
    head[:, 1] += g.breath_deg * np.sin(2 * np.pi * (g.breath_hz * times + rng.random()))
    result: np.ndarray = np.radians(head * amount)
    return result


def sway(prosody: Prosody) -> np.ndarray:
    """[F, 3] how the voice moves yaw, pitch and roll, about -2..2, standard deviation near 1 in speech.

    Level and pitch, each between two time constants and without look-ahead, so that a model that hears no
    more than they tell can follow; 0 in silence.
    """
    voiced = prosody.pitch_hz > 0
    middle = np.log2(np.median(prosody.pitch_hz[voiced])) if voiced.any() else 0.0
    pitch = np.where(voiced, np.log2(np.maximum(prosody.pitch_hz, 1.0)) - middle, 0.0)
    level = gaussian_filter1d(prosody.relative_db.astype(np.float64), _HEAD_SMOOTHING_FRAMES)
    amounts = np.stack([
        _between(level, 0.25, 0.9) / 0.75,
        -_between(pitch, 0.22, 0.7) / 0.045,
        _between(level, 0.15, 0.5) / 1.0,
    ], axis=1)  # fmt: skip
    return np.asarray(2 * np.tanh(amounts / 2))


def _between(x: np.ndarray, short_s: float, long_s: float) -> np.ndarray:
    """What is slower than `short_s` and faster than `long_s`: between two causal second-order low-passes."""
    slow, slower = (np.exp(-1 / (FRAME_RATE_HZ * s)) for s in (short_s, long_s))
    first, second = (
        lfilter([(1 - pole) ** 2], [1, -2 * pole, pole**2], x) for pole in (float(slow), float(slower))
    )
    return np.asarray(first - second)


def _brows(out: FloatArray, prosody: Prosody, amount: float, g: Gestures, rng: np.random.Generator) -> None:
    times = (np.arange(len(out)) + 1) / FRAME_RATE_HZ
    rise = np.zeros(len(out))
    for accent in prosody.accents:
        if rng.random() < g.brow_share:
            width = g.brow_s * rng.lognormal(0, 0.25) / 2.5
            height = g.brow_rise * rng.lognormal(-0.1, 0.4)
            rise = np.maximum(rise, height * np.exp(-0.5 * ((times - times[accent] + 0.04) / width) ** 2))
    tail = 200
    restless = gaussian_filter1d(rng.standard_normal(len(out) + 2 * tail), 20)[tail:-tail]
    rise += np.maximum(0.04 * restless / 0.12, 0)
    lean = float(rng.uniform(0.6, 1.0))
    out[:, INDEX["browInnerUp"]] += amount * rise * lean
    for side in ("Left", "Right"):
        out[:, INDEX[f"browOuterUp{side}"]] += amount * rise * (1.4 - lean) * float(rng.uniform(0.85, 1.15))


def empty(frames: int) -> FloatArray:
    """[F, 61] zeros: a neutral face."""
    return np.zeros((frames, len(FRAME)), np.float32)
