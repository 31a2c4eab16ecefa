"""`python -m rtgraph.benchmarks.quality.leave_out`: recordings judged by networks that never met who speaks.

A run meets the people of whom only lips are known in its stages "people" and "mouths". Here these are run
again for every group of recordings, without them, and they are then animated by the network that comes out:
the regression, to which the student answers within a few per cent.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

import torch
from rich.console import Console

from rtgraph.errors import RtGraphError
from rtgraph.training.evaluation.baselines import energy_to_jaw
from rtgraph.training.evaluation.predictors import face_from_sound
from rtgraph.training.evaluation.recordings import Recording, read_recordings
from rtgraph.training.evaluation.report import comparison, table
from rtgraph.training.evaluation.score import Scores, score
from rtgraph.training.face.stages import Run
from rtgraph.training.face.workers import Workers

from . import networks


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m rtgraph.benchmarks.quality.leave_out", description=__doc__
    )
    parser.add_argument("--run", type=Path, required=True, help="folder of a finished run of rtgraph train")
    parser.add_argument("--features", type=Path, required=True, help="the features that it was trained on")
    parser.add_argument("--data", type=Path, required=True, help="recordings, as for rtgraph eval")
    parser.add_argument(
        "--leave", action="append", required=True, help="how the names of a group begin; may be repeated"
    )
    parser.add_argument("--never", default=(), nargs="*", help="recordings of speakers met in every stage")
    given = parser.parse_args()
    torch.set_num_threads(1)
    console = Console(width=160, soft_wrap=True)
    try:
        recordings = [r for r in read_recordings(given.data) if r.name not in given.never]
        met, apart = _scores(given.run, given.features, recordings, given.leave)
    except RtGraphError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    methods = {"left out": apart, "met": met, "energy to jaw": _judge(recordings, energy_to_jaw, given.leave)}
    console.print(table(methods, clips=True))
    console.print(comparison("left out", "energy to jaw", methods))
    return 0


def _scores(
    run: Path, features: Path, recordings: list[Recording], leave: list[str]
) -> tuple[Scores, Scores]:
    """Of the run's own network, and of those without each group."""
    parts = [_judge(recordings, _without(run, features, name), [name]) for name in leave]
    clips = {name: measures for part in parts for name, measures in part.clips.items()}
    apart = Scores(clips, {name: group for part in parts for name, group in part.group_of.items()})
    return _judge(recordings, networks.regression(run), leave), apart


def _without(run: Path, features: Path, name: str) -> networks.Predictor:
    """The run's network as it was before noise, trained again without the recordings named `name`..."""
    folder = run / f"without-{name}"
    for stage in ("frames", "regression"):
        if (run / stage).exists():  # a run that went on from weights has no "frames"
            shutil.copytree(run / stage, folder / stage, dirs_exist_ok=True)
    _, config = networks.network_of(run, networks.heard_last(run))
    data = config.data.model_copy(update={"without": (name,)})
    trained = Run(folder, features, config.model_copy(update={"data": data}), Workers())
    trained.hear()
    trained.meet()
    return networks.regression(folder)


def _judge(recordings: list[Recording], predictor: networks.Predictor, leave: list[str]) -> Scores:
    return score([r for r in recordings if r.name.startswith(tuple(leave))], face_from_sound(predictor))


if __name__ == "__main__":
    sys.exit(main())
