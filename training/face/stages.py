"""A run from features to weights: frames, regression, people, mouths, teacher, student, each in a folder of
its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
import torch
from torch import nn

from rtgraph.models import weights
from rtgraph.models.weights import Card

from .batches import Windows
from .config import TrainConfig
from .features import Stream, read_shard
from .head_gain import enliven
from .latent_code import Moments, moments
from .loop import Loop, Report
from .losses import FaceLoss
from .network import FaceNetwork
from .objectives import Distillation, Regression, Teaching, frozen
from .teacher import Teacher
from .validation import validate
from .workers import Workers

_VALID_STREAMS = 40  # of synthesised speech, that a validation takes seconds
#: Called with the stage's name, the finished steps, their number and the latest losses.
Progress = Callable[[str, int, int, dict[str, float]], None]


class Run:
    """The state of a run: its networks, its data, its folder."""

    def __init__(
        self, folder: Path, features: Path, config: TrainConfig, workers: Workers, start: Path | None = None
    ) -> None:
        """`start`: weights to go on from; else from random ones of the config's seed."""
        self.folder, self.config, self.workers = folder, config, workers
        torch.manual_seed(config.seed)
        self.windows = Windows(features, config.data)
        self.valid = {
            name: _some(read_shard(features / f"valid-{name}.npz"))
            for name in ("real", "speech")
            if (features / f"valid-{name}.npz").exists()
        }
        self.network = FaceNetwork(config.face)
        if start is None:
            found = self._moments()
            self.network.code.fit(found)
            fit_head(self.network, self.windows, found)
        else:  # whose data need not have told a whole face
            self.network.load(weights.load(start))
            found = self.network.code.moments()
        self.sd = found.sd
        self.network.to(workers.device)
        self.steps = 0

    def train(self, progress: Progress | None = None) -> None:
        """All stages that are not yet done. The network then holds the student's averaged weights."""
        self.hear(progress)
        self.meet(progress)
        self.answer(progress)

    def hear(self, progress: Progress | None = None) -> None:
        """What sound and eyes do to a face."""
        c, network = self.config, self.network
        frames = Regression(network, self._loss("frames"), c)
        self._stage("frames", network, frames, progress, but=("lips",))
        regression = Regression(network, self._loss("regression"), c)
        self._stage("regression", network, regression, progress, but=("lips",))

    def meet(self, progress: Progress | None = None) -> None:
        """People of whom only the lips are known, where there are any: first as one kind of data among all,
        then they alone, while what is heard stands.
        """
        if "lips" not in self.windows.streams:
            return
        c, network = self.config, self.network
        people = Regression(network, self._loss("people"), c)
        self._stage("people", network, people, progress)
        network.encoder.requires_grad_(False)
        others = self.windows.streams.keys() - {"lips"}
        mouths = Regression(network, self._loss("mouths"), c)
        self._stage("mouths", network, mouths, progress, but=others)

    def answer(self, progress: Progress | None = None) -> None:
        """Faces from noise: the teacher in several evaluations, the student in one."""
        c, network = self.config, self.network
        teacher = Teacher(c.face.denoiser).to(self.workers.device)
        frozen(network)
        teaching = Teaching(network, teacher, self._loss("teacher"), c)
        self._stage("teacher", teacher, teaching, progress)
        frozen(teacher)
        critic = Teacher(c.face.denoiser).to(self.workers.device)
        critic.load_state_dict(teacher.state_dict())
        network.denoiser.requires_grad_(True)
        both = nn.ModuleDict({"network": network, "critic": critic})
        distillation = Distillation(network, teacher, critic, self._loss("student"), c)
        self._stage("student", both, distillation, progress)
        self.teacher = teacher
        speech = [s for s in self.valid.get("speech", ()) if s.known.all()]
        self.head_gains = enliven(network, self.windows, speech)

    def validate(self) -> dict[str, float]:
        """The figures of every validation set, as real_aperture_r and so on."""
        found: dict[str, float] = {}
        for name, streams in self.valid.items():
            found |= {f"{name}_{k}": v for k, v in validate(self.network, self.windows, streams).items()}
        return found

    def save(self, path: Path, card: Card) -> None:
        """The weights that a graph loads, and the latent code that fine-tuning goes on with."""
        path.parent.mkdir(parents=True, exist_ok=True)
        n = self.network
        weights.save(path, {"encoder": n.encoder, "denoiser": n.denoiser, "code": n.code}, card, "float16")

    def _loss(self, stage: str) -> FaceLoss:
        return FaceLoss(self.config.loss_in(stage), self.sd).to(self.workers.device)

    def _stage(
        self,
        name: str,
        model: nn.Module,
        objective: Regression | Teaching | Distillation,
        progress: Progress | None,
        but: Collection[str] = (),
    ) -> None:
        stage = getattr(self.config, name)
        if not stage.steps:
            return
        loop = Loop(self.folder / name, model, objective, self.windows, self.config, stage, self.workers, but)
        report: Report | None = None
        if progress and self.workers.first:
            told = progress
            report = lambda step, losses: told(name, step, stage.steps, losses)  # noqa: E731
        loop.run(report, None if name in ("frames", "teacher") else self.validate)
        loop.load_average()
        model.eval()
        self.steps += loop.step

    def _moments(self) -> Moments:
        streams = [s for kind in self.windows.streams.values() for s in kind]
        whole = [s.motion for s in streams if s.known.all()]
        return moments(whole, [(s.motion, s.known) for s in streams[::6] if not s.known.all()])


def fit_head(network: FaceNetwork, windows: Windows, found: Moments, steps: int = 600) -> None:
    """Start the expression head as the inverse of the latent code, from random frames of the data."""
    generator = torch.Generator().manual_seed(0)
    frames = torch.from_numpy(
        np.concatenate(
            [(s.motion + ~s.known * found.mean)[::20] for kind in windows.streams.values() for s in kind]
        ).astype(np.float32)
    )
    sd = torch.from_numpy(np.maximum(found.sd, 0.01)).float()
    head = network.denoiser.head
    optimiser = torch.optim.Adam(head.parameters(), 3e-3)
    for _ in range(steps):
        frame = frames[torch.randint(len(frames), (512,), generator=generator)]
        error = ((head(network.code.encode(frame))[0] - frame) / sd).square().mean()
        optimiser.zero_grad()
        error.backward()
        optimiser.step()


def _some(streams: list[Stream]) -> list[Stream]:
    return streams[:: max(1, len(streams) // _VALID_STREAMS)]
