"""`rtgraph eval eyes` and `rtgraph calibrate eyes`: how good the eye encoder is, and fitting a person."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from rtgraph import AssetError
from rtgraph.cli.options import check_can_write
from rtgraph.files import find_file
from rtgraph.models import eye_calibration, eye_weights
from rtgraph.models.eye_calibration import NINE_POINTS
from rtgraph.models.eye_weights import EyeWeights

from .measure import GAZE_TESTED_DEG, TARGETS, encode_pairs, measure, missed
from .targets import read_looks, synthetic_looks

_WEIGHTS = "asset:weights/eye.safetensors"


def evaluate_eyes(
    weights: Annotated[str, typer.Option(help="A .safetensors file of the eye encoder.")] = _WEIGHTS,
    people: Annotated[int, typer.Option(min=3, help="Rendered people, none of them seen in training.")] = 40,
    json_path: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", help="Write every figure as JSON.", show_default=False),
    ] = None,
) -> None:
    """Measure the eye encoder on rendered eyes; fails where a target is missed."""
    check_can_write("--json", json_path)
    loaded = _load(weights)
    with Progress(transient=True) as bar:
        task = bar.add_task("people", total=people)
        figures = measure(loaded, people, lambda done: bar.update(task, completed=done))
    table = Table(
        title=f"{people} people, gaze up to {GAZE_TESTED_DEG:.0f}° to every side, after nine points"
    )
    for column in ("", "measured", "target", ""):
        table.add_column(column, justify="left" if column == "" else "right")
    targets = {t.name: t for t in TARGETS}
    for name, value in figures.items():
        target = targets.get(name)
        wanted, verdict = "", ""
        if target:
            wanted = f"{'>' if target.at_least else '<'} {target.limit:g} {target.unit}".rstrip()
            verdict = "met" if target.met(value) else "missed"
        table.add_row(name, f"{value:.3f}", wanted, verdict)
    Console().print(table)
    if json_path:
        json_path.write_text(json.dumps(figures, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    if missed(figures):
        raise typer.Exit(1)


def calibrate_eyes(
    output: Annotated[
        Path, typer.Argument(help="The calibration to write, for eye.encoder's `calibration`.")
    ],
    looks: Annotated[
        Path | None,
        typer.Option(
            help="An .npz of what the cameras saw: left, right [N, H, W] uint8, and targets [N, 2], "
            "yaw and pitch in degrees.",
            show_default=False,
        ),
    ] = None,
    synthetic: Annotated[
        int | None,
        typer.Option(min=0, help="In its place: a rendered person of this number.", show_default=False),
    ] = None,
    weights: Annotated[str, typer.Option(help="A .safetensors file of the eye encoder.")] = _WEIGHTS,
) -> None:
    """Fit the eye encoder to a person who looks at nine points."""
    if (looks is None) == (synthetic is None):
        points = ", ".join(f"({yaw:g}, {pitch:g})" for yaw, pitch in NINE_POINTS)
        raise typer.BadParameter(
            f"expected either --looks FILE or --synthetic NUMBER; the points are {points}"
        )
    loaded = _load(weights)
    left, right, targets = read_looks(looks) if looks else synthetic_looks(synthetic or 0)
    features, before = encode_pairs(loaded, left, right)
    fitted = eye_calibration.fit(loaded, features, targets)
    try:
        fitted.save(output)
    except OSError as error:
        raise AssetError(f"{output} cannot be written: {error.strerror}; name another file") from None
    _, after = encode_pairs(loaded, left, right, fitted)
    console = Console()
    for eye, name in enumerate(("left", "right")):
        was, now = (
            np.rad2deg(np.median(np.hypot(*(s[:, 7 * eye : 7 * eye + 2] - targets).T)))
            for s in (before, after)
        )
        console.print(f"{name} eye: {was:.2f}° off before, {now:.2f}° after")
    console.print(f"written to {output}; use it with --set NODE.calibration={output}")


calibrate = typer.Typer(help="Fit a person.", add_completion=False)
calibrate.callback()(lambda: None)
calibrate.command("eyes")(calibrate_eyes)


def _load(weights: str) -> EyeWeights:
    try:
        return eye_weights.load(find_file(weights, Path.cwd()))
    except (FileNotFoundError, ValueError) as error:
        raise AssetError(str(error)) from error
