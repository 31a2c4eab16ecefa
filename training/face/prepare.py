"""Makes the shards of features that a run draws from; a killed run goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np

from ..corpus import Clip
from ..corpus import read_all as read_corpus
from ..corpus.utterance import SAMPLE_RATE_HZ, FloatArray
from ..real import RealClip
from ..real import read_all as read_real
from .features import Stream, real_streams, synthetic_streams, write_shard

Make = Callable[[np.random.Generator], list[Stream]]

#: Kinds of corpus clips that count as a voice; all others are negatives.
_VOICED = ("speech", "laughter")
_VERSION = 4  # of what features.py makes
_PARTS = 4  # shards that one pass over the corpus is cut into, so that little is lost when killed
#: Speech of a language that is enough; of what has less, the clips are heard again, in other voices.
_ENOUGH_S = 1200.0


@dataclass(frozen=True)
class Sources:
    """Where recordings come from: either may be missing, not both."""

    corpus: Path | None  # a folder of rtgraph.training.corpus
    real: Path | None  # a folder of rtgraph.training.real
    real_passes: int = 4  # how many voices each recording is heard in
    lips_passes: int = 12  # the same of recordings of which only the lips are known: there are few
    corpus_passes: int = 3  # the same of synthesised speech, at most: languages of which there is little


def mark_of(sources: Sources, seed: int) -> str:
    """8 hexadecimal digits that change with what the features are made of: a corpus or recordings that were
    made anew ask for new features.
    """
    told = [f"{_VERSION} {seed} {sources.real_passes} {sources.lips_passes} {sources.corpus_passes}"]
    for folder, names in ((sources.corpus, "face-*.npz"), (sources.real, "*.npz")):
        for path in sorted(folder.glob(names)) if folder is not None else ():
            told.append(f"{path.name} {crc32(path.read_bytes()):08x}")
    return f"{crc32(' '.join(told).encode()):08x}"


def prepare(
    folder: Path, sources: Sources, seed: int = 0, report: Callable[[str], None] = lambda _: None
) -> None:
    """Write valid-*.npz and the shards of every kind that the sources give; what is there is kept.

    The shards are repeatable from the seed. CorpusError, RealDataError where a source cannot be read.
    """
    recorded = [] if sources.real is None else list(read_real(sources.real, "train"))
    made = [] if sources.corpus is None else list(read_corpus(sources.corpus, "train"))
    voiced = [c for c in made if c.recording.about["kind"] in _VOICED]
    voices = [c.audio for c in recorded] + [c.audio for c in voiced]
    if sources.real is not None:
        train = _by_speaker(c for c in recorded if c.known.any())
        valid = _by_speaker(read_real(sources.real, "valid"))

        def of_people(people: Sequence[Sequence[RealClip]], change: bool) -> Make:
            return lambda rng: [s for clips in people for s in real_streams(clips, rng, change, voices)]

        _shard(folder / "valid-real.npz", of_people(valid, False), seed, report)
        for number in range(sources.real_passes):
            _shard(folder / f"real-{number:03d}.npz", of_people(train, True), seed, report)
        for clip in recorded:
            if not clip.known.any():
                again = [[clip]] * sources.lips_passes
                _shard(folder / f"lips-{clip.name}.npz", of_people(again, True), seed, report)
    if sources.corpus is not None:
        quiet = [c for c in made if c.recording.about["kind"] not in _VOICED]
        valid_clips = [
            c for c in read_corpus(sources.corpus, "valid") if c.recording.about["kind"] == "speech"
        ]

        def of_clips(
            clips: Sequence[Clip], change: bool, others: Sequence[FloatArray] = (), anew: bool = False
        ) -> Make:
            return lambda rng: list(synthetic_streams(clips, rng, change, others, anew))

        _shard(folder / "valid-speech.npz", of_clips(valid_clips, False), seed, report)
        # without other voices: after level normalisation one would be the talker, with a mouth at rest
        _shard(folder / "quiet-000.npz", of_clips(quiet, True), seed, report)
        for number, clips in enumerate(rounds(voiced, sources.corpus_passes)):
            for part in range(_PARTS):
                name = f"speech-{number * _PARTS + part:03d}.npz"
                _shard(folder / name, of_clips(clips[part::_PARTS], True, voices, number > 0), seed, report)


def rounds(clips: Sequence[Clip], most: int) -> list[list[Clip]]:
    """All clips, then, up to `most` rounds in all, those of languages that were not heard enough yet."""
    seconds: dict[str, float] = {}
    for clip in clips:
        language = clip.recording.about.get("language", "")
        seconds[language] = seconds.get(language, 0.0) + len(clip.audio) / SAMPLE_RATE_HZ
    found = [
        [c for c in clips if number * seconds[c.recording.about.get("language", "")] < _ENOUGH_S]
        for number in range(most)
    ]
    return [again for again in found if again]


def _by_speaker(clips: Iterable[RealClip]) -> list[list[RealClip]]:
    """Speakers whose clips tell the same numbers are kept together, each with clips of their own."""
    groups: dict[tuple[str, str, bytes], list[RealClip]] = {}
    for clip in clips:
        groups.setdefault((clip.source, clip.speaker, clip.known.tobytes()), []).append(clip)
    return list(groups.values())


def _shard(path: Path, make: Make, seed: int, report: Callable[[str], None]) -> None:
    if path.exists():
        return
    report(path.name)
    streams = make(np.random.default_rng((seed, crc32(path.name.encode()))))
    if streams:
        write_shard(path, streams)
