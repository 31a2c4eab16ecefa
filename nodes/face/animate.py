"""`rtgraph animate`: sound files to faces in files, by the graph that also runs live."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import typer
from rich.progress import Progress, TaskID

from rtgraph import RtGraphError
from rtgraph.files import find_file, find_graph, whole_file
from rtgraph.models.expression import FRAME
from rtgraph.nodes.face.face_csv import read_face_csv
from rtgraph.planner import load_plan
from rtgraph.scheduler import Runner

GRAPH = "file_to_csv"


Format = Literal["csv", "livelink", "npz"]


def animate(
    audio: Annotated[
        list[Path], typer.Argument(help="WAV, FLAC, OGG or MP3, of any rate and number of channels.")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="The file, or with several sounds the folder. Default: beside each."
        ),
    ] = None,
    format: Annotated[
        Format | None,
        typer.Option(
            help="csv: time_s and 61 columns. livelink: as Live Link Face records. npz: arrays. "
            "Default: as the file's name ends, else csv.",
            show_default=False,
        ),
    ] = None,
    weights: Annotated[
        str,
        typer.Option(
            help="tiny, tiny-60ms, base, or a .safetensors file. With look-ahead the face is as "
            "late as it is live."
        ),
    ] = "tiny",
    precision: Annotated[
        Literal["auto", "float32", "bfloat16", "int8"], typer.Option(help="Of the packed weights.")
    ] = "auto",
    seed: Annotated[int, typer.Option(help="The same seed gives the same face.")] = 0,
) -> None:
    """Give recorded speech a face: one frame every 20 ms, as fast as the machine goes."""
    format = format or ("npz" if output is not None and output.suffix == ".npz" else "csv")
    targets = _targets(audio, output, ".npz" if format == "npz" else ".csv")
    options = [f"{node}.{key}" for node in ("encoder", "denoiser") for key in ("weights", "precision")]
    overrides = [*zip(options, (weights, precision) * 2, strict=True), ("denoiser.seed", str(seed))]
    if format == "livelink":
        overrides += [("face.table", "live_link"), ("face.timecode_hz", "50")]
    with Progress(transient=True) as progress:
        for sound, target in targets:
            task = progress.add_task(sound.name, total=1.0)
            with tempfile.TemporaryDirectory() as folder:
                table = Path(folder) / "face.csv"
                frames = run_graph(sound, table, overrides, partial(_show, progress, task))
                _keep(table, target, format)
            progress.remove_task(task)
            progress.console.print(f"{target}: {frames} frames, {frames / 50:.1f} s")


def run_graph(
    sound: Path,
    table: Path,
    overrides: list[tuple[str, str]],
    tell: Callable[[float], None] = lambda part: None,
) -> int:
    """Run the graph on a sound file; it writes the face as a table. Returns how many frames it has.

    overrides: of the graph, as for `load_plan`. tell: is told how much is done, 0..1. Raises AssetError where
    the file is no sound.
    """
    import soundfile

    sound = find_file(sound, Path.cwd())
    files = [("source.path", str(sound.resolve())), ("face.path", str(table))]
    with Runner(load_plan(find_graph(GRAPH), overrides=[*files, *overrides]), clock="manual") as runner:
        chunks = 100 * soundfile.info(sound).duration
        runner.start()
        while not runner.wait(0.1):
            tell(runner.profile().nodes["source"].count / chunks)
        runner.finish()
        return runner.profile().nodes["face"].count


def _show(progress: Progress, task: TaskID, part: float) -> None:
    progress.update(task, completed=part)


def _keep(table: Path, target: Path, format: Format) -> None:
    """Put the table where it was asked for, whole or not at all. Raises RtGraphError where that cannot be
    written."""
    try:
        with whole_file(target) as part, part.open("wb") as file:
            if format == "npz":
                clip = read_face_csv(table)
                np.savez(file, time_s=clip.times_s, data=clip.frames, names=np.array(FRAME))
            else:
                file.write(table.read_bytes())
    except OSError as error:
        raise RtGraphError(f"{target} cannot be written: {error.strerror}; choose another -o") from None


def _targets(audio: list[Path], output: Path | None, suffix: str) -> list[tuple[Path, Path]]:
    """Each sound and where its face goes. Raises RtGraphError where two faces would go to one place, or one
    to a file of another kind.
    """
    is_file = output is not None and bool(output.suffix) and not output.is_dir()
    if output is None:
        targets = [sound.with_suffix(suffix) for sound in audio]
    elif is_file and len(audio) > 1:
        raise RtGraphError(f"-o {output}: {len(audio)} sounds need a folder, not a file")
    elif is_file and output.suffix.lower() != suffix:
        raise RtGraphError(
            f"-o {output}: a face is written as .csv or, with --format npz, as .npz; "
            "`rtgraph render` makes a video of it"
        )
    elif is_file:
        targets = [output]
    else:
        targets = [output / f"{sound.stem}{suffix}" for sound in audio]
    owners: dict[Path, Path] = {}
    for sound, target in zip(audio, targets, strict=True):
        if (other := owners.setdefault(target.resolve(), sound)) is not sound:
            raise RtGraphError(f"{other} and {sound} would both become {target}: rename one")
    if output is not None:
        targets[0].parent.mkdir(parents=True, exist_ok=True)  # one folder for all
    return list(zip(audio, targets, strict=True))
