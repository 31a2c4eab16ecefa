"""The eye encoder's step in torch: equal to the reference on the CPU, and captured on a GPU."""

from __future__ import annotations

import numpy as np
import pytest

from rtgraph.kernels.eye_encoder_step.reference import encode
from rtgraph.models.eye_weights import DECODE, EyeEncoderConfig, shapes

torch = pytest.importorskip("torch")
SMALL = EyeEncoderConfig(
    side_px=64, widths=(16, 32, 32, 48, 96), places=8, places_after=2, hidden=24, features=20
)


def random_weights(config: EyeEncoderConfig) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    made = {}
    for name, shape in shapes(config).items():
        shape = (2, *shape) if name.startswith("heads") else shape
        scale = np.sqrt(2 / np.prod(shape[1:])) if len(shape) > 1 else 0.1
        made[name] = (scale * rng.standard_normal(shape)).astype(np.float32)
    return made


def device(**options: object):
    from rtgraph.kernels.eye_encoder_step.device import EyeEncoderDevice

    config = options.pop("config", SMALL)
    return EyeEncoderDevice(config, DECODE, random_weights(config), **options)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (61, 83), (130, 97)])
def test_equals_the_reference(height, width):
    step = device(height=height, width=width, pairs=2, precision="float32", device="cpu")
    images = np.random.default_rng(1).integers(0, 256, (2, 2, height, width)).astype(np.uint8)
    step.images.copy_(torch.from_numpy(images))
    for out in (step.features, step.state, step.mirrored):
        out.fill_(float("nan"))
    step.step()
    for pair in range(2):
        wanted = encode(SMALL, DECODE, random_weights(SMALL), *images[pair])
        for found, expected in zip((step.features, step.state, step.mirrored), wanted, strict=True):
            np.testing.assert_allclose(found[pair].numpy(), expected, atol=1e-4)


def test_what_does_not_fit_is_told():
    from rtgraph.kernels.eye_encoder_step.device import EyeEncoderDevice

    weights = random_weights(SMALL)
    del weights["places.bias"]
    with pytest.raises(ValueError, match=r"there is no 'places\.bias'"):
        EyeEncoderDevice(SMALL, DECODE, weights, device="cpu")
    with pytest.raises(ValueError, match="16 to 4096 pixels"):
        device(height=8, device="cpu")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_captured_it_gives_the_same():
    config = EyeEncoderConfig()
    step = device(config=config, device="cuda")
    graph = step.captured()
    images = np.random.default_rng(1).integers(0, 256, (1, 2, 128, 128)).astype(np.uint8)
    step.images.copy_(torch.from_numpy(images))
    graph.replay()
    wanted = encode(config, DECODE, random_weights(config), *images[0])
    for found, expected in zip((step.features, step.state, step.mirrored), wanted, strict=True):
        np.testing.assert_allclose(found[0].cpu().numpy(), expected, atol=2e-2)  # float16
