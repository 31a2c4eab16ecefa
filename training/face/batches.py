"""Windows of streams as tensors: what one step of training sees."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rtgraph.models.expression import EYE_STATE
from rtgraph.models.eye_lift import lift

from .config import KINDS, DataConfig
from .features import Stream, read_shard
from .seen_eyes import see

_PER_FRAME = ("motion", "lips", "spoken", "viseme")
_PUPILS = [EYE_STATE.index(f"pupilMm{side}") for side in ("Left", "Right")]


@dataclass
class Batch:
    """B windows of T frames."""

    mel: Tensor  # [B, 2 T, 80]
    motion: Tensor  # [B, T, 61]
    lips: Tensor  # [B, T, 2]
    spoken: Tensor  # [B, T] bool
    viseme: Tensor  # [B, T] int64, -1 where not known
    there: Tensor  # [B, T] bool, False where a window is padded
    known: Tensor  # [B, 61] bool
    eyes: Tensor  # [B, T, 160]
    eyes_present: Tensor  # [B, T] bool
    emotion: Tensor  # [B, 8]
    style: Tensor  # [B, 16]
    real: Tensor  # [B] bool

    def to(self, device: torch.device) -> Batch:
        return replace(self, **{f.name: getattr(self, f.name).to(device) for f in fields(self)})


@dataclass(frozen=True)
class Window(Stream):
    """A part of a stream, padded behind its end."""

    there: np.ndarray  # [T] bool, False where padded


class Windows:
    """Draws windows at random from the shards NAME-*.npz of a folder, kind by kind.

    Raises FileNotFoundError where a kind that is asked for has no shard.
    """

    def __init__(self, folder: Path, config: DataConfig) -> None:
        self.config = config
        self.streams: dict[str, list[Stream]] = {}
        for kind in KINDS:
            if not config.shares.get(kind):
                continue
            self.streams[kind] = [
                s
                for path in sorted(folder.glob(f"{kind}-*.npz"))
                if not path.name.startswith(tuple(f"{kind}-{name}" for name in config.without))
                for s in read_shard(path)
            ]
            if not self.streams[kind]:
                raise FileNotFoundError(
                    f"{folder} holds no {kind}-*.npz; make features first, or set shares.{kind} to 0"
                )

    def batches(
        self, rng: np.random.Generator, but: Collection[str] = (), shares: Mapping[str, float] | None = None
    ) -> Iterator[Batch]:
        """Without end, from all kinds `but` these, in `shares` or those of the config."""
        shares = self.config.shares if shares is None else shares
        kinds = [kind for kind in self.streams if kind not in but and shares.get(kind)]
        if not kinds:
            raise ValueError(f"shares {dict(shares)}: there are only shards of {', '.join(self.streams)}")
        share = np.array([shares[kind] for kind in kinds])
        share = share / share.sum()
        lengths = {kind: np.array([s.frames for s in self.streams[kind]], float) for kind in kinds}
        while True:
            chosen = []
            for kind in rng.choice(kinds, self.config.batch, p=share):
                p = lengths[kind] / lengths[kind].sum()
                chosen.append(self.streams[kind][int(rng.choice(len(p), p=p))])
            yield _collated([self._window(stream, rng) for stream in chosen], self.config, rng)

    def whole(self, stream: Stream) -> Batch:
        """A whole stream as a batch of one, undisturbed, without eyes, emotion or style."""
        still = DataConfig(
            batch=1, window_frames=stream.frames, look_ahead_frames=self.config.look_ahead_frames,
            eyes_present=0, emotion_present=0, style_present=0, eye_noise=0, level_noise=0, tilt_noise=0,
            warp_chance=0, mask_chance=0,
        )  # fmt: skip
        cut = _cut(stream, 0, stream.frames, self.config.look_ahead_frames)
        return _collated([cut], still, np.random.default_rng(0))

    def _window(self, stream: Stream, rng: np.random.Generator) -> Window:
        """`window_frames` of a stream; a shorter one is padded, and what is padded is not there: nothing is
        learned from it.
        """
        c = self.config
        frames = c.window_frames
        spare = stream.frames - frames
        start = int(rng.integers(spare + 1)) if spare > 0 and rng.random() > c.start_chance else 0
        return _cut(stream, start, frames, c.look_ahead_frames)


def _collated(windows: Sequence[Window], c: DataConfig, rng: np.random.Generator) -> Batch:
    """Windows as tensors, the sound disturbed, conditions dropped, as the config says."""
    stack = {name: np.stack([getattr(w, name) for w in windows]) for name in (*_PER_FRAME, "there")}
    motion = stack["motion"].astype(np.float32)
    known = np.stack([w.known for w in windows])
    seen = rng.random(len(windows)) < c.eyes_present
    mel = np.stack([_disturbed(w.mel.astype(np.float32), c, rng) for w in windows])
    state = see(motion, known, seen, c.other_eyes, rng)
    state[..., _PUPILS] = rng.uniform(2, 8, (len(windows), 1, 1))
    state += rng.normal(0, c.eye_noise, state.shape).astype(np.float32)
    present = seen[:, None] & np.ones(motion.shape[:2], bool)
    said = np.stack([w.emotion for w in windows]) * (rng.random((len(windows), 1)) < c.emotion_present)
    style = np.stack([w.style for w in windows]) * (rng.random((len(windows), 1)) < c.style_present)
    arrays = {
        "mel": mel, "motion": motion, "lips": stack["lips"].astype(np.float32), "spoken": stack["spoken"],
        "viseme": stack["viseme"].astype(np.int64), "there": stack["there"], "known": known,
        "eyes": lift(state), "eyes_present": present,
        "emotion": said.astype(np.float32), "style": style.astype(np.float32),
        "real": np.array([bool(w.real) for w in windows]),
    }  # fmt: skip
    return Batch(**{name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in arrays.items()})


def _cut(stream: Stream, start: int, frames: int, look_ahead: int) -> Window:
    """Frames start.. of the face, with the sound `look_ahead` frames further on."""
    end = start + frames
    mel = stream.mel[2 * (start + look_ahead) : 2 * (end + look_ahead)]
    missing = 2 * frames - len(mel)
    mel = np.pad(mel, ((0, missing), (0, 0)), mode="edge") if missing > 0 else mel
    cut = {name: getattr(stream, name)[start:end] for name in _PER_FRAME}
    short = frames - len(cut["motion"])
    if short > 0:
        cut["motion"] = np.pad(cut["motion"], ((0, short), (0, 0)), mode="edge")
        cut["lips"] = np.pad(cut["lips"], ((0, short), (0, 0)), mode="edge")
        cut["spoken"] = np.pad(cut["spoken"], (0, short))
        cut["viseme"] = np.pad(cut["viseme"], (0, short), constant_values=-1)
    there = np.arange(frames) < stream.frames - start
    told = {f.name: getattr(stream, f.name) for f in fields(stream)}
    return Window(**{**told, **cut, "mel": mel, "there": there})


def _disturbed(mel: np.ndarray, config: DataConfig, rng: np.random.Generator) -> np.ndarray:
    """A level that the front-end has not found yet, another throat, bands that are missing (Park et al.
    2019).
    """
    mel = mel + rng.normal(0, config.level_noise)
    bands = mel.shape[1]
    if rng.random() < config.warp_chance:
        source = np.arange(bands) * 2 ** rng.normal(0, 0.06) + rng.normal(0, 0.7)
        source = np.clip(source, 0, bands - 1.001)
        low = source.astype(int)
        part = (source - low).astype(np.float32)
        mel = mel[:, low] * (1 - part) + mel[:, low + 1] * part
    tilt = rng.normal(0, config.tilt_noise, 2)
    x = np.linspace(-1, 1, bands)
    mel = mel + tilt[0] * x + tilt[1] * (x**2 - 1 / 3)
    for _ in range(2):
        if rng.random() < config.mask_chance:
            width, at = int(rng.integers(1, 12)), int(rng.integers(bands))
            mel[:, at : at + width] = mel.min()
    return np.asarray(mel, np.float32)
