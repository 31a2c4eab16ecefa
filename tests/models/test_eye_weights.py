"""Weight files of the eye encoder."""

from __future__ import annotations

import numpy as np
import pytest

from rtgraph.models.eye_weights import EyeCard, EyeEncoderConfig, load, save, shapes

SMALL = EyeEncoderConfig(
    side_px=64, widths=(16, 16, 32, 48, 64), places=16, places_after=1, hidden=24, features=20
)


def card(config: EyeEncoderConfig = SMALL) -> EyeCard:
    return EyeCard(name="test", licence="Apache-2.0", config=config)


def some_tensors(config: EyeEncoderConfig = SMALL) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes(config).items()}


def test_what_is_saved_is_loaded(tmp_path):
    path, tensors = tmp_path / "eye.safetensors", some_tensors()
    save(path, tensors, card())
    loaded = load(path)
    assert loaded.card == card()
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(loaded.tensors[name], tensor)


def test_files_that_do_not_belong_together_are_told(tmp_path):
    path, tensors = tmp_path / "eye.safetensors", some_tensors()
    with pytest.raises(FileNotFoundError, match="expected weights here"):
        load(path)
    del tensors["heads.bias"]
    save(path, tensors, card())
    with pytest.raises(ValueError, match=r"heads\.bias"):
        load(path)
    path.write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="not a safetensors file"):
        load(path)
    path.with_suffix(".json").write_text("{}")
    with pytest.raises(ValueError, match="not a card of eye weights"):
        load(path)


def test_sizes_follow_from_the_config():
    config = EyeEncoderConfig()
    assert config.flat == 4 * 4 * 96
    assert config.sides == (64, 32, 32, 16, 16, 16, 16, 8, 4)
    assert [stride for _, _, stride in config.stages] == [1, 2, 1, 2, 1, 1, 1, 2, 2]
    with pytest.raises(ValueError, match="multiples of 16"):
        EyeEncoderConfig(widths=(16, 20))
    with pytest.raises(ValueError, match="behind one of 9 stages, got 24 behind 9"):
        EyeEncoderConfig(places_after=9)
