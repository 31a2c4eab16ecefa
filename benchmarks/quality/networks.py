"""A run's networks as predictors: the regression and the teacher, which do not ship, beside the student."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rtgraph.errors import RtGraphError
from rtgraph.kernels.mel import MelState, mel
from rtgraph.training.evaluation.predictors import FloatArray, Predictor
from rtgraph.training.face import checkpoint
from rtgraph.training.face.config import TrainConfig
from rtgraph.training.face.network import FaceNetwork
from rtgraph.training.face.teacher import Teacher

_FRAME_SAMPLES = 320


class RunError(RtGraphError):
    """A folder holds no finished run of `rtgraph train`."""


def regression(run: Path) -> Predictor:
    """The network before it learned to answer noise: the mean face of what it hears."""
    network, config = network_of(run, heard_last(run))

    def answer(hidden: Tensor, noise: Tensor) -> Tensor:
        return network.mean(hidden, hidden.new_zeros(1, config.face.denoiser.emotions))

    return _predictor(network, config, answer)


def teacher(run: Path) -> Predictor:
    """The diffusion model, in as many evaluations a frame as it taught with."""
    network, config = network_of(run, heard_last(run))
    state = _state(run, "teacher")
    teaching = Teacher(config.face.denoiser)
    teaching.load_state_dict(state["average"])
    teaching.eval()

    def answer(hidden: Tensor, noise: Tensor) -> Tensor:
        emotion = hidden.new_zeros(1, config.face.denoiser.emotions)
        return teaching.stream(hidden, emotion, config.temperature * noise, config.teacher_evaluations)

    return _predictor(network, config, answer)


def heard_last(run: Path) -> str:
    """The last stage of a run that is not yet about noise."""
    return next((name for name in ("mouths", "people") if (run / name).exists()), "regression")


def network_of(run: Path, stage: str) -> tuple[FaceNetwork, TrainConfig]:
    """The averaged network of a stage, and the settings of its run."""
    state = _state(run, stage)
    config = TrainConfig.model_validate(json.loads(state["config"]))
    network = FaceNetwork(config.face)
    network.load_state_dict(state["average"])
    return network.eval(), config


def _predictor(network: FaceNetwork, config: TrainConfig, answer: Any, seed: int = 0) -> Predictor:
    waits = config.data.look_ahead_frames

    def predict(audio: FloatArray) -> FloatArray:
        count = len(audio) // _FRAME_SAMPLES
        rows = mel(MelState(), np.pad(audio, (0, waits * _FRAME_SAMPLES)))[2 * waits :]
        width = config.face.denoiser.latent_width
        noise = torch.randn(1, count, width, generator=torch.Generator().manual_seed(seed))
        with torch.no_grad():
            heard = torch.from_numpy(rows[None, : 2 * count].copy())
            hidden = network.encoder(heard, torch.zeros(1, count, width))
            frames = network.denoiser.head(answer(hidden, noise))[0]
        return np.asarray(frames[0].numpy())

    return predict


def _state(run: Path, stage: str) -> dict[str, Any]:
    path = run / stage / "checkpoint.pt"
    if not path.exists():
        raise RunError(f"{path}: no such file; give the folder of a finished run of rtgraph train to --run")
    return checkpoint.load(path, torch.device("cpu"))
