"""`rtgraph eval`: a group of commands, whose work lies beside what they measure."""

from __future__ import annotations

import typer

from rtgraph.training.evaluation.command import evaluate as evaluate_lips
from rtgraph.training.eyes.command import evaluate_eyes

evaluate = typer.Typer(help="Measure faces and eyes against real or rendered ones.", add_completion=False)
evaluate.callback(invoke_without_command=True)(evaluate_lips)
evaluate.command("eyes")(evaluate_eyes)
