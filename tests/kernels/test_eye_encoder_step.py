"""The eye encoder's step: equal to the reference at odd sizes and on every instruction set, and to torch."""

from __future__ import annotations

import numpy as np
import pytest

from rtgraph.kernels.eye_encoder_step import EyeEncoderStep
from rtgraph.kernels.eye_encoder_step.reference import encode
from rtgraph.models.eye_weights import DECODE, EyeEncoderConfig, shapes

SMALL = EyeEncoderConfig(
    side_px=64, widths=(16, 32, 32, 48, 96), places=8, places_after=2, hidden=24, features=20
)

#: With a shortcut at 8 pixels a side, where a row has four tiles.
NARROW = EyeEncoderConfig(
    side_px=64, widths=(16, 32, 48, 48, 64), places=8, places_after=3, hidden=24, features=20
)


def random_weights(config: EyeEncoderConfig, seed: int = 0) -> dict[str, np.ndarray]:
    """He's scale, so that numbers stay of order one through the stages; each eye has heads of its own."""
    rng = np.random.default_rng(seed)
    made = {}
    for name, shape in shapes(config).items():
        if name.startswith("heads"):
            shape = (2, *shape)
        scale = np.sqrt(2 / np.prod(shape[1:])) if len(shape) > 1 else 0.1
        made[name] = (scale * rng.standard_normal(shape)).astype(np.float32)
    return made


def pictures(height: int, width: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    left, right = np.random.default_rng(seed).integers(0, 256, (2, height, width)).astype(np.uint8)
    return left, right


@pytest.mark.parametrize("isa", ["baseline", "avx2", "avx512", None])
@pytest.mark.parametrize(
    ("config", "height", "width"),
    [(SMALL, 64, 64), (SMALL, 61, 83), (SMALL, 130, 97), (SMALL, 16, 200), (NARROW, 64, 64)],
)
def test_equals_the_reference(isa, config, height, width):
    weights = random_weights(config)
    left, right = pictures(height, width)
    try:
        step = EyeEncoderStep(config, DECODE, weights, height, width, isa)
    except ValueError as error:
        if "instruction set" not in str(error):
            raise
        pytest.skip(str(error))
    expected = encode(config, DECODE, weights, left, right)
    for found, wanted in zip(step(left, right), expected, strict=True):
        np.testing.assert_allclose(found, wanted, atol=5e-5)


def test_equals_torch_at_the_default_size():
    torch = pytest.importorskip("torch")
    from rtgraph.models.eye_encoder import EyeEncoder, state

    config = EyeEncoderConfig()
    weights = random_weights(config)
    left, right = pictures(128, 128)
    for name in ("heads.weight", "heads.bias"):
        weights[name][1] = weights[name][0]
    features, states, mirrored = EyeEncoderStep(config, DECODE, weights)(left, right)
    one = {name: t[0] if name.startswith("heads") else t for name, t in weights.items()}
    images = torch.from_numpy(np.stack([left, right[:, ::-1]]))
    with torch.no_grad():
        expected, heads = EyeEncoder.from_arrays(config, one)(images)
        expected_state = state(heads).numpy()
    expected_state[1, 0] *= -1
    np.testing.assert_allclose(features, expected.numpy(), atol=2e-5)
    np.testing.assert_allclose(states, expected_state, atol=5e-5)
    np.testing.assert_allclose(mirrored, torch.sigmoid(heads[:, 7]).numpy(), atol=5e-5)


def test_a_right_eye_is_the_mirror_of_a_left_one():
    left, _ = pictures(64, 64)
    weights = random_weights(SMALL)
    for name in ("heads.weight", "heads.bias"):
        weights[name][1] = weights[name][0]
    features, state, mirrored = EyeEncoderStep(SMALL, DECODE, weights, 64, 64)(
        left, np.ascontiguousarray(left[:, ::-1])
    )
    np.testing.assert_array_equal(features[0], features[1])
    assert mirrored[0] == mirrored[1]
    np.testing.assert_array_equal(state[1], state[0] * [-1, 1, 1, 1, 1, 1, 1])


@pytest.mark.parametrize("value", [0, 255])
def test_flat_pictures_give_finite_numbers(value):
    flat = np.full((64, 64), value, np.uint8)
    step = EyeEncoderStep(SMALL, DECODE, random_weights(SMALL), 64, 64)
    for array in step(flat, flat):
        assert np.isfinite(array).all()


def test_keeps_nothing_from_step_to_step():
    left, right = pictures(64, 64)
    weights = random_weights(SMALL)
    used, new = (EyeEncoderStep(SMALL, DECODE, weights, 64, 64) for _ in range(2))
    used(right, left)
    for a, b in zip(used(left, right), new(left, right), strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_does_not_fit_is_told():
    weights = random_weights(SMALL)
    step = EyeEncoderStep(SMALL, DECODE, weights, 64, 64)
    left, right = pictures(64, 64)
    with pytest.raises(TypeError, match="left: expected a uint8 array, got uint16"):
        step(left.astype(np.uint16), right)
    with pytest.raises(ValueError, match=r"right: expected a contiguous \[64, 64\], got \[64, 63\]"):
        step(left, right[:, :63])
    with pytest.raises(ValueError, match="16 to 4096 pixels"):
        EyeEncoderStep(SMALL, DECODE, weights, 8, 64)
    del weights["stages.1.bias"]
    with pytest.raises(ValueError, match=r"stages\.1\.bias"):
        EyeEncoderStep(SMALL, DECODE, weights, 64, 64)
