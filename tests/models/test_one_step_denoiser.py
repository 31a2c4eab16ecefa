"""The one-step denoiser and its head: a sequence equals its frames, ranges, conditions, sizes."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from rtgraph.models.config import SIZES, DenoiserConfig  # noqa: E402
from rtgraph.models.one_step_denoiser import OneStepDenoiser  # noqa: E402
from rtgraph.models.online_encoder import OnlineEncoder  # noqa: E402

torch.set_num_threads(1)  # products this small lose more to waking threads than they win

CONFIG = DenoiserConfig(hidden_width=40, width=48, mlp_width=64, head_width=24)


def make_inputs(*lead: int) -> list[torch.Tensor]:
    return [torch.randn(*lead, 64), torch.randn(*lead, 40), torch.randn(*lead, 64), torch.rand(*lead, 8)]


def test_a_sequence_equals_its_frames() -> None:
    torch.manual_seed(0)
    denoiser = OneStepDenoiser(CONFIG).eval()
    inputs = make_inputs(2, 9)
    with torch.no_grad():
        whole = denoiser(*inputs)
        frames = torch.stack([denoiser(*(x[:, t] for x in inputs)) for t in range(9)], dim=1)
    torch.testing.assert_close(whole, frames, rtol=1e-5, atol=1e-6)


def test_head_ranges() -> None:
    torch.manual_seed(1)
    denoiser = OneStepDenoiser(CONFIG).eval()
    frame, confidence = denoiser.head(5 * torch.randn(100, 64))
    assert frame.shape == (100, 61)
    assert confidence.shape == (100, 6)
    for bounded in (frame[:, :52], confidence):
        assert bounded.min() >= 0
        assert bounded.max() <= 1
    assert frame[:, 52:].min() < 0


@pytest.mark.parametrize("changed", [0, 1, 2])
def test_every_condition_counts(changed: int) -> None:
    torch.manual_seed(2)
    denoiser = OneStepDenoiser(CONFIG).eval()
    inputs = make_inputs(3)
    others = list(inputs)
    others[changed] = others[changed] + 1
    with torch.no_grad():
        assert (denoiser(*inputs) - denoiser(*others)).abs().max() > 1e-3


def test_emotion_starts_without_effect_and_can_be_learned() -> None:
    torch.manual_seed(3)
    denoiser = OneStepDenoiser(CONFIG)
    inputs = make_inputs(3)
    latent = denoiser(*inputs)
    torch.testing.assert_close(latent, denoiser(*inputs[:3]))
    latent.square().sum().backward()
    assert denoiser.emotion.weight.grad.abs().sum() > 0


@pytest.mark.parametrize(("size", "millions"), [("tiny", (0.8, 1.2)), ("base", (5.5, 6.5))])
def test_parameter_counts(size: str, millions: tuple[float, float]) -> None:
    config = SIZES[size]
    modules = OnlineEncoder(config.encoder), OneStepDenoiser(config.denoiser)
    count = sum(p.numel() for module in modules for p in module.parameters()) / 1e6
    assert millions[0] < count < millions[1]
