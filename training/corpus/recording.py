"""Speaking shards: in this process, or some ahead of time in several, as many as there are cores to give."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.pool import AsyncResult, Pool
from pathlib import Path

from . import engines, shards
from .clips import Recorder
from .utterance import CorpusError

#: Clips a shard: about a minute and a half of sound, so that even the slowest engine checkpoints within five
#: minutes.
CLIPS_PER_SHARD = 16


class ShardRecorder:
    """Writes the speech shards of a corpus, each the same whoever speaks it; the engines are loaded with the
    first shard that is missing.
    """

    def __init__(self, folder: Path, seed: int, engine_names: Sequence[str]) -> None:
        self.folder, self.seed, self.engine_names = folder, seed, engine_names
        self._recorder: Recorder | None = None

    def record(self, number: int) -> int:
        """Write shard `number`, where there is none yet; returns how many clips an engine could not say."""
        path = shards.speech_path(self.folder, number)
        if path.exists():
            return 0
        self._recorder = self._recorder or Recorder(
            {name: engines.load(name) for name in self.engine_names}, self.seed
        )
        recordings = []
        for index in range(number * CLIPS_PER_SHARD, (number + 1) * CLIPS_PER_SHARD):
            try:
                recordings.append(self._recorder.make(index))
            except engines.Unspoken:
                continue
        if not recordings:
            raise CorpusError(
                f"{path}: none of its {CLIPS_PER_SHARD} clips could be spoken; check the engines"
            )
        shards.write_speech(path, recordings)
        return CLIPS_PER_SHARD - len(recordings)


class _Ahead:
    """Has shards spoken by a pool of processes before they are asked for."""

    def __init__(self, folder: Path, pool: Pool, ahead: int) -> None:
        self.folder, self.pool, self.ahead = folder, pool, ahead
        self._pending: dict[int, AsyncResult[int | str]] = {}

    def record(self, number: int) -> int:
        for ahead in range(number, number + self.ahead):
            if ahead not in self._pending and not shards.speech_path(self.folder, ahead).exists():
                self._pending[ahead] = self.pool.apply_async(_record, (ahead,))
        answer = self._pending.pop(number).get() if number in self._pending else 0
        if isinstance(answer, str):
            raise CorpusError(answer)
        return answer


@contextmanager
def recording(
    folder: Path, seed: int, engine_names: Sequence[str], processes: int
) -> Iterator[Callable[[int], int]]:
    """What writes shard N, where there is none yet, and answers how many clips could not be said; leaving
    ends all processes.
    """
    if processes == 1:
        yield ShardRecorder(folder, seed, engine_names).record
        return
    with get_context("spawn").Pool(processes, _begin, (folder, seed, tuple(engine_names))) as pool:
        yield _Ahead(folder, pool, 2 * processes).record


_here: ShardRecorder


def _begin(folder: Path, seed: int, engine_names: Sequence[str]) -> None:
    """In a process of the pool; an interrupt is the parent's to handle."""
    global _here
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _here = ShardRecorder(folder, seed, engine_names)


def _record(number: int) -> int | str:
    """What is wrong as text: not every exception can be sent."""
    try:
        return _here.record(number)
    except CorpusError as error:
        return str(error)
