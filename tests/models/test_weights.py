"""Weight files: a round trip through disk, reading without torch, and the answers to broken files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from rtgraph.models import weights  # noqa: E402
from rtgraph.models.config import DenoiserConfig, EncoderConfig, FaceConfig  # noqa: E402
from rtgraph.models.one_step_denoiser import OneStepDenoiser  # noqa: E402
from rtgraph.models.online_encoder import OnlineEncoder  # noqa: E402

CONFIG = FaceConfig(
    encoder=EncoderConfig(
        stem_width=16, width=32, layers=1, heads=2, mlp_width=48, window=5, hidden_width=24
    ),
    denoiser=DenoiserConfig(hidden_width=24, width=32, mlp_width=32, head_width=16),
)


@pytest.fixture
def saved(tmp_path: Path) -> tuple[Path, OnlineEncoder, OneStepDenoiser]:
    torch.manual_seed(0)
    encoder, denoiser = OnlineEncoder(CONFIG.encoder).eval(), OneStepDenoiser(CONFIG.denoiser).eval()
    path = tmp_path / "face.safetensors"
    card = weights.Card(name="face", licence="Apache-2.0", config=CONFIG, steps=7, losses={"x0": 0.5})
    weights.save(path, {"encoder": encoder, "denoiser": denoiser}, card)
    return path, encoder, denoiser


def test_round_trip(saved: tuple[Path, OnlineEncoder, OneStepDenoiser]) -> None:
    path, encoder, denoiser = saved
    again, same = OnlineEncoder.load(path), OneStepDenoiser.load(path)
    for module, copy in ((encoder, again), (denoiser, same)):
        assert copy.state_dict().keys() == module.state_dict().keys()
        for name, tensor in module.state_dict().items():
            torch.testing.assert_close(copy.state_dict()[name], tensor, rtol=0, atol=0)
    card = weights.load(path).card
    assert (card.steps, card.losses, card.config) == (7, {"x0": 0.5}, CONFIG)


def test_reading_needs_no_torch(saved: tuple[Path, OnlineEncoder, OneStepDenoiser]) -> None:
    path, encoder, _ = saved
    code = (
        "import sys; from pathlib import Path; from rtgraph.models import weights\n"
        f"part = weights.load(Path({str(path)!r})).part('encoder')\n"
        "assert 'torch' not in sys.modules\n"
        "print(part['out.weight'].dtype, part['out.weight'].sum())"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert answer[0] == "float32"
    np.testing.assert_allclose(float(answer[1]), encoder.out.weight.sum().item(), rtol=1e-4, atol=1e-5)


def test_weights_that_are_no_numbers_are_refused(saved: tuple[Path, OnlineEncoder, OneStepDenoiser]) -> None:
    path, encoder, denoiser = saved
    with torch.no_grad():
        encoder.out.bias[3] = torch.nan
    weights.save(path, {"encoder": encoder, "denoiser": denoiser}, weights.load(path).card)
    with pytest.raises(ValueError, match=r"face\.safetensors: 'encoder\.out\.bias' holds NaN or infinity"):
        weights.load(path)


def test_broken_files_are_named(saved: tuple[Path, OnlineEncoder, OneStepDenoiser]) -> None:
    path = saved[0]
    with pytest.raises(KeyError, match="no part 'teacher'; they hold denoiser, encoder"):
        weights.load(path).part("teacher")
    weights.card_path(path).write_text('{"name": "x"}')
    with pytest.raises(ValueError, match=r"face\.json: not a card of face weights"):
        weights.load(path)
    weights.card_path(path).unlink()
    with pytest.raises(FileNotFoundError, match=r"face\.json: no such file; expected the weights' card"):
        weights.load(path)
    path.write_bytes(b"nonsense")
    weights.card_path(path).write_text("{}")
    with pytest.raises(ValueError, match=r"face\.safetensors: not a safetensors file"):
        weights.load(path)


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 2 \\* heads"):
        EncoderConfig(width=100, heads=3)
    with pytest.raises(ValueError, match="hidden_width differs: encoder 256, denoiser 32"):
        FaceConfig(denoiser=DenoiserConfig(hidden_width=32))
