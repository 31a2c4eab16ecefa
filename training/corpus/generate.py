"""Making a corpus: shard after shard until it is long enough, from wherever the last run stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from . import engines, shards
from .face import animate
from .parameters import Parameters, default
from .recording import recording
from .utterance import CorpusError

#: 1 held voices out within each language, and let the same timbre train in another; 2 had voices that all
#: opened for the same vowels, and by the same loudness; 3 read Japanese as no Japanese does, and had Danish,
#: Russian and Ukrainian spoken a third too fast; 4 left the mouth open in Japanese double consonants.
_VERSION = 5

_FACE_CODE = ("articulation", "face", "gestures", "phones", "prosody", "style")


@dataclass(frozen=True)
class Progress:
    """Told after every shard."""

    shard: int
    seconds: float
    wanted_seconds: float
    left_out: int


def generate(
    folder: Path,
    hours: float,
    seed: int,
    engine_names: Sequence[str] = engines.NAMES,
    report: Callable[[Progress], None] = lambda _: None,
    processes: int = 1,
) -> float:
    """Make or continue the corpus in `folder`; returns its seconds of sound. `processes` speak at once.

    The same seed and engines give the same sound, interrupted or not, as far as the engines themselves
    repeat; other articulation parameters than last time remake the faces and keep the sound. Raises
    CorpusError when the folder holds another corpus, or one of an earlier version that is too short,
    EngineMissing when an engine is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    version = _claim(folder, seed, engine_names)
    mark = _mark(default())  # once: the code on the disk may change under a run of hours
    total, number, left_out = 0.0, 0, 0
    with recording(folder, seed, engine_names, processes) as record:
        while total < hours * 3600:
            speech = shards.speech_path(folder, number)
            if version != _VERSION and not speech.exists():
                raise CorpusError(
                    f"{folder} was begun by an earlier version, whose voices are others; it can be "
                    "used as it is, but not made longer: make another --out"
                )
            left_out += record(number)
            _animate(speech, shards.face_path(folder, number), default(), mark)
            total += shards.seconds(speech)
            number += 1
            report(Progress(number, total, hours * 3600, left_out))
    return total


def _animate(speech: Path, face: Path, parameters: Parameters, mark: str) -> None:
    """Write the faces of a shard, unless they stand there already, made by the same parameters."""
    if shards.mark_of(face) == mark:
        return
    motions = [
        animate(r.said, r.style, r.mood, parameters, np.random.default_rng(r.face_seed))
        for r in shards.read_speech(speech)
    ]
    shards.write_faces(face, motions, mark)


def _mark(parameters: Parameters) -> str:
    """16 hexadecimal digits that change with anything that shapes a face: the numbers and the code."""
    digest = sha256(parameters.model_dump_json().encode())
    for module in _FACE_CODE:
        digest.update(Path(__file__).with_name(f"{module}.py").read_bytes())
    return digest.hexdigest()[:16]


def _claim(folder: Path, seed: int, engine_names: Sequence[str]) -> int:
    """Write down what the corpus is made of, or check that it is the same as before; returns the version that
    began it.
    """
    wanted = {"seed": seed, "engines": list(engine_names)}
    path = folder / "corpus.json"
    if not path.exists():
        path.write_text(json.dumps({"version": _VERSION, **wanted}, indent=1) + "\n", "utf-8")
        return _VERSION
    found = json.loads(path.read_text("utf-8"))
    for key, value in wanted.items():
        if found.get(key) != value:
            raise CorpusError(
                f"{path}: {key} is {found.get(key)!r}, expected {value!r}; "
                "give the arguments that it was begun with, or another --out"
            )
    return int(found["version"])
