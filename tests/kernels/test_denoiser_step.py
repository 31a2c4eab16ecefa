"""The denoiser's fused step and its head against the torch module in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from rtgraph.kernels.denoiser_step import DenoiserStep  # noqa: E402
from rtgraph.kernels.linear import instruction_sets  # noqa: E402
from rtgraph.models.config import SIZES, DenoiserConfig  # noqa: E402
from rtgraph.models.one_step_denoiser import OneStepDenoiser  # noqa: E402

torch.set_num_threads(1)  # products this small lose more to waking threads than they win

Array = np.ndarray[Any, np.dtype[Any]]
SMALL = DenoiserConfig(
    hidden_width=37,
    latent_width=11,
    emotions=5,
    width=50,
    blocks=3,
    mlp_width=70,
    head_width=21,
    weights=13,
    angles=4,
    regions=3,
)
TOLERANCE = {"float32": 1e-5, "bfloat16": 1e-2, "int8": 2e-2}


def make_denoiser(config: DenoiserConfig, seed: int) -> tuple[OneStepDenoiser, dict[str, Array]]:
    torch.manual_seed(seed)
    denoiser = OneStepDenoiser(config).eval()
    torch.nn.init.normal_(denoiser.emotion.weight, std=0.1)
    for name, parameter in denoiser.named_parameters():
        if "norm" in name:
            torch.nn.init.uniform_(parameter, 0.5, 1.5)
    return denoiser, {name: tensor.numpy().copy() for name, tensor in denoiser.state_dict().items()}


def make_inputs(config: DenoiserConfig, streams: int, seed: int) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    widths = {"noise": config.latent_width, "hidden": config.hidden_width, "previous": config.latent_width}
    inputs = {
        name: rng.standard_normal((streams, width)).astype(np.float32) for name, width in widths.items()
    }
    return {**inputs, "emotion": rng.random((streams, config.emotions)).astype(np.float32)}


def truth(denoiser: OneStepDenoiser, inputs: dict[str, Array]) -> tuple[Array, Array, Array]:
    with torch.no_grad():
        latent = denoiser.double()(**{name: torch.from_numpy(x).double() for name, x in inputs.items()})
        frame, confidence = denoiser.head(latent)
    denoiser.float()
    return latent.numpy(), frame.numpy(), confidence.numpy()


def relative_error(got: Array, expected: Array) -> float:
    return float(np.linalg.norm(got - expected) / np.linalg.norm(expected))


@pytest.mark.parametrize("isa", instruction_sets())
@pytest.mark.parametrize("precision", TOLERANCE)
@pytest.mark.parametrize(
    "config", [SMALL, SIZES["tiny"].denoiser, SIZES["base"].denoiser], ids=["small", "tiny", "base"]
)
def test_equals_the_torch_module(config: DenoiserConfig, precision: Any, isa: str) -> None:
    denoiser, weights = make_denoiser(config, seed=1)
    for streams in (1, 3, 8):
        inputs = make_inputs(config, streams, seed=streams)
        got = DenoiserStep(config, weights, precision, streams, isa)(**inputs)
        limit = TOLERANCE[precision] * (2 if precision == "int8" and config is SMALL else 1)
        for mine, expected in zip(got, truth(denoiser, inputs), strict=True):
            assert mine.shape == expected.shape
            assert relative_error(mine, expected) < limit


def test_a_step_is_repeatable_and_keeps_nothing() -> None:
    _, weights = make_denoiser(SMALL, seed=2)
    step = DenoiserStep(SMALL, weights, streams=2)
    first, second = make_inputs(SMALL, 2, seed=1), make_inputs(SMALL, 2, seed=2)
    before = step(**first).latent
    step(**second)
    np.testing.assert_array_equal(step(**first).latent, before)


def test_absent_conditions_are_zeros() -> None:
    _, weights = make_denoiser(SMALL, seed=3)
    inputs = make_inputs(SMALL, 1, seed=3)
    zeros = {
        **inputs,
        "previous": np.zeros_like(inputs["previous"]),
        "emotion": np.zeros_like(inputs["emotion"]),
    }
    step = DenoiserStep(SMALL, weights)
    np.testing.assert_array_equal(step(inputs["noise"], inputs["hidden"]).frame, step(**zeros).frame)


@pytest.mark.parametrize("name", ["noise", "hidden", "previous", "emotion"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -1e20])
def test_broken_input_is_replaced_by_the_last_good_one(name: str, bad: float) -> None:
    _, weights = make_denoiser(SMALL, seed=4)
    step, clean = DenoiserStep(SMALL, weights, streams=2), DenoiserStep(SMALL, weights, streams=2)
    first, second = make_inputs(SMALL, 2, seed=5), make_inputs(SMALL, 2, seed=6)
    step(**first)
    expected = {**second, name: np.stack([second[name][0], first[name][1]])}
    second[name][1, 2] = bad
    np.testing.assert_array_equal(step(**second).frame, clean(**expected).frame)
    assert step.replaced_inputs == 1
    step.reset(1)
    silent = {**second, name: np.stack([second[name][0], np.zeros_like(first[name][1])])}
    np.testing.assert_array_equal(step(**second).frame, clean(**silent).frame)


def test_ranges_hold_for_extreme_inputs() -> None:
    _, weights = make_denoiser(SMALL, seed=7)
    inputs = {name: 9e5 * x / np.abs(x).max() for name, x in make_inputs(SMALL, 4, seed=7).items()}
    got = DenoiserStep(SMALL, weights, streams=4)(**{k: x.astype(np.float32) for k, x in inputs.items()})
    for bounded in (got.frame[:, : SMALL.weights], got.confidence):
        assert (bounded >= 0).all()
        assert (bounded <= 1).all()
    assert all(np.isfinite(x).all() for x in got)


def test_mistakes_are_named() -> None:
    _, weights = make_denoiser(SMALL, seed=8)
    inputs = make_inputs(SMALL, 1, seed=8)
    with pytest.raises(
        ValueError, match=r"weights: 'head.out.weight': expected \[21, 21\] by the config, got \[20, 21\]"
    ):
        DenoiserStep(SMALL.model_copy(update={"angles": 5}), weights)
    with pytest.raises(ValueError, match=r"denoiser_step: noise: expected float32 \[1, 11\], got \[1, 37\]"):
        DenoiserStep(SMALL, weights)(inputs["hidden"], inputs["hidden"])
    with pytest.raises(ValueError, match="precision: expected float32, bfloat16 or int8, got 'half'"):
        DenoiserStep(SMALL, weights, "half")
