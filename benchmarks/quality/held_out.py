"""Held-out synthesised voices: lips by language, closures of p, b and m, eyes that are followed, the head."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from rtgraph.models import lips
from rtgraph.models.expression import INDEX
from rtgraph.models.eye_lift import from_frame, lift
from rtgraph.models.weights import Weights
from rtgraph.training.corpus import Clip
from rtgraph.training.corpus.face import animate
from rtgraph.training.corpus.parameters import default
from rtgraph.training.corpus.style import Style
from rtgraph.training.evaluation.lip_measures import closed_below, pearson
from rtgraph.training.evaluation.predictors import FaceStream
from rtgraph.training.evaluation.speech import runs

_BILABIAL = frozenset("pbm")
_SLACK_FRAMES = 3  # 60 ms
_GAZE = [INDEX[f"{side}Eye{angle}"] for side in ("left", "right") for angle in ("Yaw", "Pitch")]
_LIDS = [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]
_AVERAGE = Style(textbook=0.5)  # the middle of all that style.draw gives
_HEAD = [INDEX[f"head{angle}"] for angle in ("Yaw", "Pitch", "Roll")]


class Found(NamedTuple):
    """What a clip tells."""

    language: str
    aperture_r: float
    average_r: float  # the same against the lips of the average speaker, saying what this one says
    hits: int  # bilabials at which the lips meet
    misses: int
    false_alarms: int  # closures where there is neither a bilabial nor a pause
    gaze_r: float
    lid_r: float
    head_sd: float  # radians, mean of the three angles
    true_head_sd: float


def measure(loaded: Weights, clips: Sequence[Clip], seed: int = 0) -> Iterator[Found]:
    """Every clip, animated by the kernels from fresh noise, with its eyes and its emotion."""
    rng = np.random.default_rng(seed)
    waits = loaded.card.look_ahead_ms // 20
    for clip in clips:
        count = len(clip.motion) + waits
        noise = rng.standard_normal((count, loaded.card.config.denoiser.latent_width), np.float32)
        eyes = np.pad(lift(from_frame(clip.motion)), ((waits, 0), (0, 0)), mode="edge")
        audio = np.pad(clip.audio, (0, waits * 320))
        frames = FaceStream(loaded)(audio, noise, eyes, clip.recording.mood.vector)[waits:]
        yield _found(clip, frames)


def _found(clip: Clip, frames: np.ndarray) -> Found:
    truth, said = (lips.measure(f)[:, 0] for f in (clip.motion, frames))
    speech = _speech(clip, len(truth))
    return Found(
        str(clip.recording.about["language"]),
        pearson(said[speech], truth[speech]),
        pearson(said[speech], lips.measure(average_face(clip))[speech, 0]),
        *closures(clip, truth, said, speech),
        _together(clip.motion, frames, _GAZE),
        _together(clip.motion, frames, _LIDS),
        float(frames[:, _HEAD].std(0).mean()),
        float(clip.motion[:, _HEAD].std(0).mean()),
    )


def average_face(clip: Clip) -> np.ndarray:
    """[F, 61] what the average speaker does who says the same in the same way."""
    r = clip.recording
    return animate(r.said, _AVERAGE, r.mood, default(), np.random.default_rng(r.face_seed))


def _together(truth: np.ndarray, said: np.ndarray, columns: Sequence[int]) -> float:
    """Mean r over some numbers of a frame."""
    return float(np.mean([pearson(said[:, k].astype(float), truth[:, k].astype(float)) for k in columns]))


def closures(clip: Clip, truth: np.ndarray, said: np.ndarray, speech: np.ndarray) -> tuple[int, int, int]:
    """Hits, misses and false alarms: each bilabial wants the lips to meet within 60 ms of it; any other
    closure while somebody speaks is false, unless it is within 60 ms of a true one."""
    closed, truly_closed = said < closed_below(said), truth < closed_below(truth)
    wanted = np.zeros(len(said), bool)
    hits = misses = 0
    for phone in clip.recording.said.phones:
        if phone.symbol in _BILABIAL:
            first = max(0, int(phone.start_s * 50) - _SLACK_FRAMES)
            last = int(np.ceil(phone.end_s * 50)) + _SLACK_FRAMES
            wanted[first:last] = True
            met = bool(closed[first:last].any())
            hits, misses = hits + met, misses + (not met)
    for first, last in runs(truly_closed):
        wanted[max(0, first - _SLACK_FRAMES) : last + _SLACK_FRAMES] = True
    false_alarms = sum(not wanted[a:b].any() and bool(speech[a:b].all()) for a, b in runs(closed))
    return hits, misses, false_alarms


def _speech(clip: Clip, frames: int) -> np.ndarray:
    inside = np.zeros(frames, bool)
    for phone in clip.recording.said.phones:
        if phone.symbol:
            inside[int(phone.start_s * 50) : int(phone.end_s * 50) + 1] = True
    return inside


def f1(found: Sequence[Found]) -> float:
    hits, wrong = sum(f.hits for f in found), sum(f.misses + f.false_alarms for f in found)
    return 2 * hits / max(1, 2 * hits + wrong)


class Language(NamedTuple):
    """Means over the clips of a language."""

    aperture_r: float
    average_r: float
    clips: int


def by_language(found: Sequence[Found]) -> dict[str, Language]:
    """A language has one or two natural voices that are held out, and how each of them opens its mouth was
    drawn at random: `average_r` compares languages, not these few speakers.
    """
    groups = {name: [f for f in found if f.language == name] for name in sorted({f.language for f in found})}
    return {
        name: Language(
            float(np.mean([f.aperture_r for f in group])),
            float(np.mean([f.average_r for f in group])),
            len(group),
        )
        for name, group in groups.items()
    }
