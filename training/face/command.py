"""`rtgraph train`: the face model from recordings, or shipped weights made more like a person's own
recordings.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any
from zlib import crc32

import typer
import yaml
from pydantic import BaseModel, ValidationError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from rtgraph.errors import RtGraphError, suggest

_DATA_NOTES = {
    "corpus": "speech synthesised by rtgraph.training.corpus, faces by its articulatory model (Apache-2.0)",
    "grid_s1": "GRID audio-visual corpus, speaker s1, 50 minutes (Cooke, Barker, Cunningham, Shao 2006, "
    "doi:10.1121/1.2229005), CC BY 4.0",
    "lipsync_dev": "aperture and width of the lips, 5 minutes: three clips of FACEGOOD-Audio2Face (MIT) and "
    "five sentences of five GRID speakers (CC BY 4.0)",
}


class TrainError(RtGraphError):
    """A run cannot begin: what is missing, and how to get it."""


def train(
    out: Annotated[Path, typer.Option("--out", "-o", help="weights to write, NAME.safetensors")] = Path(
        "face.safetensors"
    ),
    data: Annotated[
        Path | None,
        typer.Option("--data", help="fine-tune: a folder of NAME.wav with NAME.csv of Live Link Face"),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option("--from", help="weights to go on from: a bundled size or a file (with --data: tiny)"),
    ] = None,
    size: Annotated[str | None, typer.Option(help="tiny or base")] = None,
    look_ahead_ms: Annotated[
        int | None, typer.Option(help="sound heard ahead of the face, multiple of 20")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="YAML of settings; the options above win")] = None,
    run: Annotated[Path | None, typer.Option(help="folder of checkpoints (default: by OUT's name)")] = None,
    corpus: Annotated[Path | None, typer.Option(help="folder of synthesised speech")] = None,
    real: Annotated[Path | None, typer.Option(help="folder of solved recordings")] = None,
    threads: Annotated[int, typer.Option(min=1, help="of the processor")] = 1,
) -> None:
    """Train the face model, or fine-tune it with --data. The same command goes on with a run that was
    stopped; other data, settings or weights to go on from ask for a run of its own.
    """
    # torch takes seconds to import: `rtgraph train --help` does without
    import torch

    from rtgraph.models.weights import Card

    from ..corpus.utterance import CorpusError
    from .checkpoint import CheckpointError, claim
    from .prepare import mark_of, prepare
    from .stages import Run
    from .workers import Workers

    torch.set_num_threads(threads)
    settings = _settings(config, size, look_ahead_ms, fine_tune=data is not None)
    folder = run or _cache() / "training" / out.stem
    first_weights = _weights_path(start or ("tiny" if data else None))
    if first_weights is not None:
        settings = _of_the_size_of(first_weights, settings)
    with Workers.found() as workers:
        console = Console(quiet=not workers.first, soft_wrap=True)
        try:
            if data is not None:
                real = folder / "recordings"
                if workers.first:
                    _record(data, real)
                workers.wait()
            sources = _sources(corpus, real)
            mark = mark_of(sources, settings.seed)
            features = (folder if data else _cache() / "training") / f"features-{mark}"
            if workers.first:
                before = first_weights and f"{crc32(first_weights.read_bytes()):08x}"
                claim(folder, {"data": mark, "from": before, "settings": settings.model_dump(mode="json")})
                prepare(features, sources, settings.seed, lambda name: console.print(f"features: {name}"))
            workers.wait()
            settings = _with_what_is_there(settings, features)
            trained = Run(folder, features, settings, workers, first_weights)
            with Progress(
                TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"),
                TextColumn("loss {task.fields[loss]:.3f}"), TimeRemainingColumn(), console=console,
            ) as bar:  # fmt: skip
                tasks: dict[str, Any] = {}

                def progress(stage: str, step: int, steps: int, losses: dict[str, float]) -> None:
                    if stage not in tasks:
                        tasks[stage] = bar.add_task(stage, total=steps, loss=0.0)
                    bar.update(tasks[stage], completed=step, loss=losses["loss"])

                trained.train(progress)
        except (CorpusError, CheckpointError, FileNotFoundError, ValueError) as error:
            raise TrainError(str(error)) from error
        if workers.first:
            quality = trained.validate()
            card = Card(
                name=out.stem,
                licence="Apache-2.0",
                config=settings.face,
                data=_data_notes(sources),
                steps=trained.steps,
                quality=quality,
                look_ahead_ms=settings.look_ahead_ms,
            )
            trained.save(out, card)
            for name, value in quality.items():
                console.print(f"{name:24s} {value:.3f}")
            console.print(f"{out}: {trained.steps} steps in all; log in {folder}")


def _settings(path: Path | None, size: str | None, look_ahead_ms: int | None, fine_tune: bool) -> Any:
    """TrainConfig from the file and the options; TrainError names what does not fit."""
    from .config import FRAME_MS, OF_SIZE, TrainConfig, changed

    # without the size: weights to go on from may tell it
    told = changed(TrainConfig().model_dump(exclude={"size"}), OF_SIZE.get(size or "", {}))
    if fine_tune:  # little data: short, careful, from weights that know how to speak
        careful = {
            "regression": {"steps": 400, "learning_rate": 1e-4},
            "teacher": {"steps": 200, "learning_rate": 5e-4},
            # its usual shares are for recordings of lips alone, of which there are none
            "student": {"steps": 200, "learning_rate": 1e-4, "shares": None},
            "frames": {"steps": 0},
            "people": {"steps": 0},
            "mouths": {"steps": 0},
        }
        told = changed(told, careful)
    try:
        if path is not None:
            read = yaml.safe_load(path.read_text("utf-8")) or {}
            if not isinstance(read, dict):
                raise TrainError(f"--config {path}: expected NAME: VALUE, got a {type(read).__name__}")
            told = changed(told, read)
        if size is not None:
            told["size"] = size
        if look_ahead_ms is not None:
            if look_ahead_ms < 0 or look_ahead_ms % FRAME_MS:
                raise TrainError(
                    f"--look-ahead-ms {look_ahead_ms}: expected a multiple of {FRAME_MS}, 0 or more"
                )
            told = changed(told, {"data": {"look_ahead_frames": look_ahead_ms // FRAME_MS}})
        return TrainConfig.model_validate(told)
    except OSError as error:
        raise TrainError(f"--config: {error}") from error
    except yaml.YAMLError as error:
        raise TrainError(f"--config {path}: {str(error).replace('<unicode string>', str(path))}") from error
    except ValidationError as error:
        mistakes = (_told(dict(one), TrainConfig) for one in error.errors(include_url=False))
        where = f" of {path}" if path else ""
        raise TrainError(f"training settings{where}: {'; '.join(mistakes)}") from error


def _told(mistake: dict[str, Any], model: type[BaseModel]) -> str:
    """What pydantic found wrong, in a line, with the name that may have been meant."""
    where, fields = ".".join(map(str, mistake["loc"])), model.model_fields
    for name in mistake["loc"][:-1]:
        inner = fields[str(name)].annotation if str(name) in fields else None
        fields = inner.model_fields if isinstance(inner, type) and issubclass(inner, BaseModel) else {}
    if mistake["type"] != "extra_forbidden":
        return f"{where}: {mistake['msg']}"
    near = suggest(str(mistake["loc"][-1]), fields)
    return f"there is no '{where}'" + (f"; did you mean '{near}'?" if near else "")


def _record(data: Path, recordings: Path) -> None:
    """Solve the user's pairs, and put them in place of what the folder `recordings` held."""
    from ..real.pairs import read_folder
    from ..real.store import write_source

    clips, alignments = read_folder(data)
    for alignment in alignments:
        print(alignment, file=sys.stderr)
    for before in recordings.glob("*.npz"):
        before.unlink()
    write_source(recordings / f"{data.resolve().name}.npz", clips)


def _sources(corpus: Path | None, real: Path | None) -> Any:
    from ..real import sources_folder
    from .prepare import Sources

    corpus = corpus or _cache() / "corpus"
    real = real or sources_folder()
    sources = Sources(
        corpus if any(corpus.glob("face-*.npz")) else None, real if any(real.glob("*.npz")) else None
    )
    if sources.corpus is None and sources.real is None:
        raise TrainError(
            f"there is nothing to learn from: neither speech in {corpus} (make it: python -m "
            f"rtgraph.training.corpus) nor recordings in {real} (python -m rtgraph.training.real --help)"
        )
    return sources


def _with_what_is_there(settings: Any, features: Path) -> Any:
    """Shares of kinds that have no shard become 0."""
    shares = {
        kind: share if any(features.glob(f"{kind}-*.npz")) else 0.0
        for kind, share in settings.data.shares.items()
    }
    data = settings.data.model_copy(update={"shares": shares})
    return settings.model_copy(update={"data": data})


def _weights_path(name: str | None) -> Path | None:
    from rtgraph.files import bundled

    if name is None:
        return None
    path = (
        Path(name)
        if name.endswith(".safetensors")
        else bundled("assets") / f"weights/face-{name}.safetensors"
    )
    if not path.is_file():
        raise TrainError(f"{name}: no such weights; give tiny, base or the path of a .safetensors file")
    return path


def _of_the_size_of(path: Path, settings: Any) -> Any:
    """The settings with the size of the weights; TrainError where these cannot be gone on with, or another
    size was asked for.
    """
    from rtgraph.models import weights
    from rtgraph.models.config import SIZES

    try:
        found = weights.load(path)
        found.part("code")
    except (KeyError, ValueError, FileNotFoundError) as error:
        raise TrainError(f"--from: {error.args[0]}; give weights that `rtgraph train` wrote") from error
    size = next((name for name, config in SIZES.items() if config == found.card.config), None)
    if size is None:
        raise TrainError(f"{path} is of no known size ({', '.join(SIZES)}); train one of these")
    if "size" in settings.model_fields_set and settings.size != size:
        raise TrainError(
            f"size {settings.size}: {path} is of size {size}; leave the size out, or give other weights to "
            f"--from"
        )
    return settings.model_copy(update={"size": size})


def _data_notes(sources: Any) -> list[str]:
    names = ["corpus"] * (sources.corpus is not None)
    if sources.real is not None:
        names += [path.stem for path in sorted(sources.real.glob("*.npz"))]
    return [_DATA_NOTES.get(name, f"{name}: recordings of the user's own") for name in names]


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rtgraph"
