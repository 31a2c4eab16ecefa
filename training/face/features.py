"""What the trainer reads: streams of log-mel with the face that belongs to them, made once and kept on disk.

A stream is half a minute of one voice: clips end to end with pauses between them, through one augmentation
and one streaming log-mel, as a microphone would give them. A shard is one npz file of streams end to end:

    mel      [2 F, 80] float16, level-normalised, 100 Hz
    motion   [F, 61] float16, 50 Hz; 0 where not known
    lips     [F, 2] float16, aperture and width in IOD: of the synthesised faces, or as measured on the person
    spoken   [F] bool, inside speech: only there does a recording tell what sound does to a mouth
    viseme   [F] int8, what is being said, as a place in phones.VISEME_NAMES; -1 where not known
    ends     [N] int64, where in motion a stream ends
    known    [N, 61] bool
    emotion  [N, 8], style [N, 16] float32
    real     [N] bool
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rtgraph.kernels.mel import MelState, mel
from rtgraph.models import lips as lip_geometry
from rtgraph.models.expression import EMOTIONS, FRAME, INDEX

from ..corpus import Chances, Clip, augment
from ..corpus.nonspeech import coloured_noise
from ..corpus.phones import VISEME_NAMES, VISEME_OF
from ..corpus.style import Style
from ..corpus.utterance import FRAME_RATE_HZ, FRAME_SAMPLES, FloatArray, Phone
from ..real import RealClip
from .voices import VoiceChange, change_pace, change_voice

STYLE_WIDTH = 16
_STREAM_FRAMES = 1200  # 24 s
_BLEND_FRAMES = 5  # at each end of a pause the face moves from one clip to the next
_CALM = Chances(
    two_talkers=0.04, playback_echo=0.05, reverberation=0.25, noise=0.35, equaliser=0.5, band_limit=0.12,
    packet_loss=0.04,
)  # fmt: skip


@dataclass(frozen=True)
class Piece:
    """A clip before it is heard: sound, face, and what is known of it."""

    audio: FloatArray  # [320 F]
    motion: FloatArray  # [F, 61]
    lips: FloatArray  # [F, 2]
    spoken: np.ndarray  # [F] bool
    viseme: np.ndarray  # [F] int8


@dataclass(frozen=True)
class Stream:
    """Half a minute of one voice, as the network hears it and as the face moves."""

    mel: np.ndarray
    motion: np.ndarray
    lips: np.ndarray
    spoken: np.ndarray
    viseme: np.ndarray
    known: np.ndarray
    emotion: np.ndarray
    style: np.ndarray
    real: np.ndarray

    @property
    def frames(self) -> int:
        return len(self.motion)


_PER_FRAME = ("mel", "motion", "lips", "spoken", "viseme")
_PER_STREAM = ("known", "emotion", "style", "real")


def style_vector(style: Style) -> FloatArray:
    """[16] float32: how the speaker differs from the average one, about -2..2 each; zeros are the average."""
    amounts = np.log([style.openness, style.jaw, style.lips, style.laxness]) / 0.17
    added = [style.lead_s / 0.008, style.asymmetry / 0.08, style.smile / 0.04]
    livelier = np.log([style.brows, style.head, style.gaze, style.blink_rate]) / 0.35
    openings = [(style.textbook - 0.5) / 0.29, np.log(style.loudness) / 0.5]
    return np.pad(np.concatenate([amounts, added, livelier, openings]), (0, 3)).astype(np.float32)


def real_streams(
    clips: Sequence[RealClip],
    rng: np.random.Generator,
    change: bool = True,
    others: Sequence[FloatArray] = (),
) -> Iterator[Stream]:
    """Recordings of one speaker in random order, eight or so to a stream, each stream in another voice;
    `others` are voices that may be heard beside it, where they are not its own.
    """
    order = [clips[i] for i in rng.permutation(len(clips))]
    while order:
        voice = VoiceChange.draw(rng) if change else VoiceChange()
        pieces: list[Piece] = []
        own: list[FloatArray] = []
        known, neutral, average = order[0].known, np.eye(len(EMOTIONS))[0], np.zeros(STYLE_WIDTH)
        while order and sum(len(p.motion) for p in pieces) < _STREAM_FRAMES:
            own.append(order[-1].audio)
            pieces.append(_said_anew(order.pop(), voice))
        yield _stream(pieces, rng, known, neutral, average, True, change, _without(own, others))


def synthetic_streams(
    clips: Iterable[Clip],
    rng: np.random.Generator,
    change: bool = True,
    others: Sequence[FloatArray] = (),
    anew: bool = False,
) -> Iterator[Stream]:
    """Clips of the corpus, one a stream: every clip has its own mood and style; `others` as for real ones.
    `anew`: each in another voice and at another pace.
    """
    for clip in clips:
        voice = VoiceChange.draw(rng) if anew else VoiceChange()
        audio = change_voice(clip.audio, voice)
        motion = change_pace(clip.motion, len(audio) // FRAME_SAMPLES)
        spoken = np.ones(len(motion), bool)
        visemes = visemes_at(clip.recording.said.phones, len(motion), len(motion) / len(clip.motion))
        piece = Piece(audio, motion, lip_geometry.measure(motion).astype(np.float32), spoken, visemes)
        mood, style = clip.recording.mood.vector, style_vector(clip.recording.style)
        beside = _without([clip.audio], others)
        yield _stream([piece], rng, np.ones(len(FRAME), bool), mood, style, False, change, beside)


def _without(own: Sequence[FloatArray], others: Sequence[FloatArray]) -> list[FloatArray]:
    return [other for other in others if not any(other is sound for sound in own)]


def _said_anew(clip: RealClip, voice: VoiceChange) -> Piece:
    audio = change_voice(clip.audio, voice)
    frames = len(audio) // FRAME_SAMPLES
    lips = np.zeros((len(clip.motion), 2), np.float32) if clip.lips is None else clip.lips
    spoken = inside_speech(clip.audio)[:, None].astype(np.float32)
    return Piece(
        audio,
        change_pace(clip.motion, frames),
        change_pace(lips, frames),
        change_pace(spoken, frames)[:, 0] > 0.5,
        np.full(frames, -1, np.int8),
    )


def visemes_at(phones: Sequence[Phone], frames: int, slower: float = 1.0) -> np.ndarray:
    """[F] int8: the viseme of the sound that is heard in the middle of each frame, `slower` times as slow as
    the phones' times say.
    """
    found = np.full(frames, VISEME_NAMES.index("silence"), np.int8)
    for phone in phones:
        first, last = (round(t * slower * FRAME_RATE_HZ) for t in (phone.start_s, phone.end_s))
        found[first:last] = VISEME_NAMES.index(VISEME_OF[phone.symbol])
    return found


def inside_speech(audio: FloatArray) -> np.ndarray:
    """[320 F] -> [F] bool: above the loudest less 35 dB, gaps under 0.3 s filled, 0.1 s either side."""
    power = np.mean(audio.reshape(-1, FRAME_SAMPLES).astype(np.float64) ** 2, axis=1)
    db = 10 * np.log10(power + 1e-12)
    top = np.percentile(db, 98)
    loud = db > max(top - 35, min(np.percentile(db, 5) + 14, top - 12))
    heard = np.flatnonzero(loud)
    inside = loud.copy()
    for before, after in itertools.pairwise(heard):
        if after - before < 15:
            inside[before:after] = True
    return np.convolve(inside, np.ones(11), "same") > 0


def _stream(
    pieces: Sequence[Piece],
    rng: np.random.Generator,
    known: np.ndarray,
    emotion: np.ndarray,
    style: np.ndarray,
    real: bool,
    change: bool,
    others: Sequence[FloatArray],
) -> Stream:
    parts: list[Piece] = []
    for piece in pieces:
        if parts and change:
            parts.append(_pause(parts[-1], piece, int(rng.integers(_BLEND_FRAMES * 2, 40)), known))
        parts.append(piece)
    audio = np.concatenate([p.audio for p in parts])
    if change:
        audio = audio + _room(len(audio), rng)
        audio = augment(audio, rng, others, _CALM)
    return Stream(
        mel=mel(MelState(), np.ascontiguousarray(audio, np.float32)).astype(np.float16),
        motion=np.concatenate([p.motion for p in parts]).astype(np.float16),
        lips=np.concatenate([p.lips for p in parts]).astype(np.float16),
        spoken=np.concatenate([p.spoken for p in parts]),
        viseme=np.concatenate([p.viseme for p in parts]),
        known=known,
        emotion=emotion.astype(np.float32),
        style=style.astype(np.float32),
        real=np.array(real),
    )


def _room(samples: int, rng: np.random.Generator) -> FloatArray:
    """The floor of a room and a microphone, -100 to -55 dBFS; none at all one time in four."""
    if rng.random() < 0.25:
        return np.zeros(samples, np.float32)
    noise = coloured_noise(samples, float(rng.uniform(-6, 0)), rng)
    return np.asarray(noise * 10 ** (rng.uniform(-100, -55) / 20), np.float32)


def _pause(before: Piece, after: Piece, frames: int, known: np.ndarray) -> Piece:
    """Silence with a mouth at rest, to which and from which the face moves in a tenth of a second."""
    rest = np.zeros_like(before.motion[-1])
    part = np.minimum(np.arange(1, frames + 1) / _BLEND_FRAMES, 1)[:, None]
    back = part[::-1]
    gaze = [INDEX[name] for name in FRAME if name.startswith(("eye", "leftEye", "rightEye", "head"))]
    rest[gaze] = before.motion[-1][gaze]
    motion = np.where(
        np.arange(frames)[:, None] < frames // 2,
        before.motion[-1] * (1 - part) + rest * part,
        after.motion[0] * (1 - back) + rest * back,
    )
    lips = np.repeat(lip_geometry.measure(np.zeros((1, len(FRAME)))), frames, axis=0)
    return Piece(
        np.zeros(frames * FRAME_SAMPLES, np.float32),
        (motion * known).astype(np.float32),
        lips.astype(np.float32),
        np.zeros(frames, bool),
        np.full(frames, -1, np.int8),
    )


def write_shard(path: Path, streams: Sequence[Stream]) -> None:
    """Under another name, then renamed: a killed run leaves no half file."""
    arrays = {name: np.concatenate([getattr(s, name) for s in streams]) for name in _PER_FRAME}
    arrays |= {name: np.stack([getattr(s, name) for s in streams]) for name in _PER_STREAM}
    arrays["ends"] = np.cumsum([s.frames for s in streams], dtype=np.int64)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    with unfinished.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # numpy's stub takes the names for its own options
    unfinished.replace(path)


def read_shard(path: Path) -> list[Stream]:
    """Every stream of a shard; the arrays are views of the shard's."""
    with np.load(path, allow_pickle=False) as shard:
        arrays = {name: shard[name] for name in shard.files}
    streams = []
    start = 0
    for i, end in enumerate(arrays["ends"]):
        cut = {name: arrays[name][start:end] for name in _PER_FRAME if name != "mel"}
        cut["mel"] = arrays["mel"][2 * start : 2 * end]
        cut |= {name: arrays[name][i] for name in _PER_STREAM}
        streams.append(Stream(**cut))
        start = int(end)
    return streams
