"""The training loop: one for every stage. It resumes, keeps a running average of the weights, and writes a
CSV log.
"""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from . import checkpoint
from .batches import Batch, Windows
from .config import StageConfig, TrainConfig
from .workers import Workers

#: The losses of a batch, and their weighted sum.
Objective = Callable[[Batch], tuple[Tensor, dict[str, float]]]
#: Called with the finished steps and the latest losses.
Report = Callable[[int, dict[str, float]], None]


class Loop:
    """Trains the parameters of `model` that want gradients, to lower `objective`."""

    def __init__(
        self,
        folder: Path,
        model: nn.Module,
        objective: Objective,
        windows: Windows,
        config: TrainConfig,
        stage: StageConfig,
        workers: Workers,
        but: Collection[str] = (),
    ) -> None:
        """`but`: kinds of data that it is not to see."""
        self.but = but
        self.folder, self.model, self.objective = folder, model, objective
        self.windows, self.config, self.stage, self.workers = windows, config, stage, workers
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        matrices = [p for p in self.parameters if p.ndim > 1]
        rest = [p for p in self.parameters if p.ndim <= 1]
        self.optimiser = torch.optim.AdamW(
            [{"params": matrices, "weight_decay": stage.weight_decay}, {"params": rest, "weight_decay": 0.0}],
            lr=stage.learning_rate,
            betas=(0.9, 0.98),
        )
        workers.share(model.state_dict().values())
        self.average = {name: value.detach().clone() for name, value in model.state_dict().items()}
        self.step = 0
        self._resume()

    @property
    def path(self) -> Path:
        return self.folder / "checkpoint.pt"

    def run(
        self, report: Report | None = None, validate: Callable[[], dict[str, float]] | None = None
    ) -> None:
        """Until the stage's steps are done. `validate` sees the averaged weights in the model."""
        # drawn anew after each resume: a run need not repeat itself to the bit, but must never repeat its
        # batches
        rng = np.random.default_rng((self.config.seed, self.workers.rank, self.step))
        torch.manual_seed(self.config.seed * 1_000_003 + self.workers.rank * 1009 + self.step)
        batches = self.windows.batches(rng, self.but, self.stage.shares)
        saved = time.monotonic()
        self.model.train()
        while self.step < self.stage.steps:
            losses = self._train_on(next(batches))
            self.step += 1
            if report:
                report(self.step, losses)
            if not self.workers.first:
                continue
            last = self.step == self.stage.steps
            if validate and (self.step % self.stage.validate_every == 0 or last):
                losses |= self._validated(validate)
            if self.step % 20 == 0 or last:
                self._log(losses)
            if time.monotonic() - saved > self.stage.checkpoint_s or last:
                self._save()
                saved = time.monotonic()

    def load_average(self) -> None:
        """Put the running average into the model."""
        self.model.load_state_dict(self.average)

    def _train_on(self, batch: Batch) -> dict[str, float]:
        for group in self.optimiser.param_groups:
            group["lr"] = self.stage.learning_rate * self._schedule()
        loss, told = self.objective(batch.to(self.workers.device))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch's stub
        self.workers.average_gradients(self.parameters)
        norm = nn.utils.clip_grad_norm_(self.parameters, self.stage.clip_norm)
        if torch.isfinite(norm):
            self.optimiser.step()
        decay = min(self.stage.average, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for name, value in self.model.state_dict().items():
                kept = self.average[name]
                if kept.is_floating_point():
                    kept.lerp_(value, 1 - decay)
                else:
                    kept.copy_(value)
        return told | {"loss": float(loss.detach())}

    def _schedule(self) -> float:
        """Linear warm-up, then a half cosine down to a fiftieth."""
        if self.step < self.stage.warmup_steps:
            return (self.step + 1) / self.stage.warmup_steps
        done = (self.step - self.stage.warmup_steps) / max(1, self.stage.steps - self.stage.warmup_steps)
        return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))

    def _validated(self, validate: Callable[[], dict[str, float]]) -> dict[str, float]:
        now = {name: value.detach().clone() for name, value in self.model.state_dict().items()}
        self.load_average()
        self.model.eval()
        found = validate()
        self.model.load_state_dict(now)
        self.model.train()
        return found

    def _log(self, losses: dict[str, float]) -> None:
        """A line of log.csv: step and every figure as name=value, since validation comes less often."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "log.csv").open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if file.tell() == 0:
                writer.writerow(["step", "name", "value"])
            writer.writerows([self.step, name, f"{value:.6g}"] for name, value in losses.items())

    def _save(self) -> None:
        checkpoint.save(
            self.path,
            {
                "config": self.config.model_dump_json(),
                "step": self.step,
                "model": self.model.state_dict(),
                "average": self.average,
                "optimiser": self.optimiser.state_dict(),
            },
        )

    def _resume(self) -> None:
        if not self.path.exists():
            return
        state = checkpoint.load(self.path, self.workers.device)
        try:
            self.model.load_state_dict(state["model"])
            self.optimiser.load_state_dict(state["optimiser"])
        except (RuntimeError, ValueError, KeyError) as error:
            raise checkpoint.CheckpointError(
                f"{self.path} is of another network ({error}); give this run a folder of its own"
            ) from error
        self.average = state["average"]
        self.step = int(state["step"])
