"""`rtgraph eval`: how good faces are, measured on recordings of real ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from rtgraph.cli.options import check_can_write
from rtgraph.models.weights import card_path

from .baselines import energy_to_jaw
from .lip_measures import Measures
from .predictors import Predictor, face_from_sound, predicted_face, shipped
from .probes import probe_measures, probes
from .recordings import EvaluationError, Face, Recording, read_face, read_recordings
from .report import as_json, comparison, table
from .score import Scores, score

_ENERGY = "energy to jaw"


def evaluate(
    ctx: typer.Context,
    reference: Annotated[
        Path | None,
        typer.Option(
            help="Folder of NAME.ref.csv or NAME.csv, each with NAME.flac or NAME.wav.", show_default=False
        ),
    ] = None,
    prediction: Annotated[
        Path | None,
        typer.Option(help="Folder of NAME.csv: the faces to judge.", show_default=False),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="In place of both: a folder as for --reference, animated here.", show_default=False
        ),
    ] = None,
    weights: Annotated[
        list[str] | None,
        typer.Option(help="For --data: a bundled size or .safetensors file; may be repeated. Default: tiny."),
    ] = None,
    clips: Annotated[bool, typer.Option("--clips", help="Show every clip, too.")] = False,
    json_path: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", help="Write every figure as JSON.", show_default=False),
    ] = None,
) -> None:
    """Measure lips against real ones, beside a jaw that opens with loudness."""
    if ctx.invoked_subcommand is not None:
        return
    folder = data or reference
    if folder is None or (data is None) == (prediction is None) or (data and reference):
        raise EvaluationError("expected either --data FOLDER, or --reference FOLDER with --prediction FOLDER")
    check_can_write("--json", json_path)
    for name in weights or ():
        if json_path is not None and json_path.resolve() == card_path(Path(name)).resolve():
            raise EvaluationError(f"--json {json_path}: the card of {name} lies there; name another file")
    recordings = read_recordings(folder)
    probed: dict[str, dict[str, Measures]] = {}
    methods: dict[str, Scores] = {}
    if data is None:
        assert prediction is not None
        methods[prediction.name] = score(recordings, _from_folder(prediction))
        missing = methods[prediction.name].missing
        recordings = [r for r in recordings if r.name not in missing]
    else:
        for name in weights or ["tiny"]:
            label = Path(name).stem if name.endswith(".safetensors") else name
            methods[label] = _judge(label, shipped(name), recordings, probed)
    methods[_ENERGY] = _judge(_ENERGY, energy_to_jaw, recordings, probed)
    _show(methods, probed, clips)
    if json_path is not None:
        json_path.write_text(json.dumps(as_json(methods, probed), indent=1, allow_nan=False) + "\n", "utf-8")


def _judge(
    name: str, predictor: Predictor, recordings: list[Recording], probed: dict[str, dict[str, Measures]]
) -> Scores:
    sounds = probes()
    probed[name] = {
        probe: probe_measures(predicted_face(predictor, sound, 16_000).lips)
        for probe, sound in sounds.items()
    }
    return score(recordings, face_from_sound(predictor))


def _from_folder(folder: Path) -> Callable[[Recording], Face | None]:
    def predict(recording: Recording) -> Face | None:
        path = folder / f"{recording.name}.csv"
        return read_face(path) if path.exists() else None

    return predict


def _show(methods: dict[str, Scores], probed: dict[str, dict[str, Measures]], clips: bool) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=160)  # a file has no edge to wrap at
    console.print(table(methods, clips))
    for name in methods:
        differences = comparison(name, _ENERGY, methods)
        if name != _ENERGY and differences.row_count:
            console.print("Paired over clips, with 95 % confidence intervals:")
            console.print(differences)
    for name, found in probed.items():
        for probe, measures in found.items():
            moving, wide = measures["silence_motion_mm_s"], measures["silence_open_mm"]
            console.print(
                f"{name}, {probe}: the lips move by {moving:.2f} mm/s and stand {wide:.2f} mm apart"
            )
    for name, scores in methods.items():
        if scores.missing:
            console.print(f"{name} has no prediction for: {', '.join(scores.missing)}")
