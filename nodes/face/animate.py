"""`rtgraph animate`: sound files to faces in files, by the graph that also runs live."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import typer
from numpy.typing import NDArray
from rich.progress import Progress

from rtgraph import RtGraphError
from rtgraph.files import find_file, find_graph
from rtgraph.models.expression import FRAME
from rtgraph.nodes.sink.live_link_frame import CSV_HEADER, csv_line
from rtgraph.planner import load_plan
from rtgraph.scheduler import Runner

GRAPH = "file_to_csv"
Times = NDArray[np.float64]
Faces = NDArray[np.float32]


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
        Literal["csv", "livelink", "npz"],
        typer.Option(help="csv: time_s and 61 columns. livelink: as Live Link Face records. npz: arrays."),
    ] = "csv",
    weights: Annotated[str, typer.Option(help="base, tiny, or a .safetensors file.")] = "base",
    precision: Annotated[
        Literal["auto", "float32", "bfloat16", "int8"], typer.Option(help="Of the packed weights.")
    ] = "auto",
    seed: Annotated[int, typer.Option(help="The same seed gives the same face.")] = 0,
) -> None:
    """Give recorded speech a face: one frame every 20 ms, without look-ahead, as fast as the machine goes."""
    targets = _targets(audio, output, ".npz" if format == "npz" else ".csv")
    options = [(f"{node}.{key}", value) for node in ("encoder", "denoiser")
               for key, value in (("weights", weights), ("precision", precision))]  # fmt: skip
    options.append(("denoiser.seed", str(seed)))
    with Progress(transient=True) as progress:
        for sound, target in targets:
            task = progress.add_task(sound.name, total=1.0)
            times_s, faces = face_of(
                sound, options, lambda part, task=task: progress.update(task, completed=part)
            )
            write_face(target, times_s, faces, format)
            progress.remove_task(task)
            progress.console.print(f"{target}: {len(faces)} frames, {len(faces) / 50:.1f} s")


def face_of(
    sound: Path, options: list[tuple[str, str]], tell: Callable[[float], None] = lambda part: None
) -> tuple[Times, Faces]:
    """The face [F, 61] of a sound file at 50 Hz and the seconds [F] at which a viewer would see each frame.

    options: of the graph, as for `load_plan(overrides=...)`. tell: is told how much is done, 0..1.
    Raises AssetError where the file is no sound.
    """
    import soundfile

    sound = find_file(sound, Path.cwd())
    with tempfile.TemporaryDirectory() as folder:
        faces = Path(folder) / "face.npz"
        plan = load_plan(
            find_graph(GRAPH),
            overrides=[("source.path", str(sound.resolve())), ("face.path", str(faces)), *options],
            swaps={"face": "sink.file"},
        )
        with Runner(plan, clock="manual") as runner:
            seconds = soundfile.info(sound).duration
            runner.start()
            while not runner.wait(0.1):
                tell(runner.profile().nodes["source"].count / (100 * seconds))
            runner.finish()
        with np.load(faces) as arrays:
            # The first frame ends with the second hop of 10 ms.
            return arrays["time_s"] + 0.02, arrays["data"]


def write_face(path: Path, times_s: Times, faces: Faces, format: Literal["csv", "livelink", "npz"]) -> None:
    """times_s [F], faces [F, 61] into a file. Raises RtGraphError where it cannot be written."""
    try:
        if format == "npz":
            np.savez(path, time_s=times_s, data=faces, names=np.array(FRAME))
            return
        lines = _live_link_lines if format == "livelink" else _lines
        with path.open("w", newline="", encoding="utf-8") as file:
            file.writelines(lines(times_s, faces))
    except OSError as error:
        raise RtGraphError(f"{path} cannot be written: {error.strerror}; choose another -o") from None


def _lines(times_s: Times, faces: Faces) -> Iterator[str]:
    yield f"time_s,{','.join(FRAME)}\n"
    for time_s, face in zip(times_s, faces, strict=True):
        yield f"{time_s:.6f},{','.join(f'{value:.6g}' for value in face)}\n"


def _live_link_lines(times_s: Times, faces: Faces) -> Iterator[str]:
    yield f"{CSV_HEADER}\n"
    for time_s, face in zip(times_s, faces, strict=True):
        yield csv_line(face, time_s, 50) + "\n"


def _targets(audio: list[Path], output: Path | None, suffix: str) -> list[tuple[Path, Path]]:
    """Each sound and where its face goes."""
    if output is None:
        return [(sound, sound.with_suffix(suffix)) for sound in audio]
    if len(audio) == 1 and output.suffix and not output.is_dir():
        output.parent.mkdir(parents=True, exist_ok=True)
        return [(audio[0], output)]
    output.mkdir(parents=True, exist_ok=True)
    targets = [(sound, output / f"{sound.stem}{suffix}") for sound in audio]
    if len({target for _, target in targets}) < len(targets):
        raise RtGraphError(
            "two of the sounds have one name; their faces would overwrite each other: rename one"
        )
    return targets
