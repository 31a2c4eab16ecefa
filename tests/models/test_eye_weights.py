"""Weight files of the eye encoder, and the calibration on top of it."""

from __future__ import annotations

import numpy as np
import pytest

from rtgraph.models.eye_calibration import NINE_POINTS, EyeCalibration, fit, terms
from rtgraph.models.eye_weights import EyeCard, EyeEncoderConfig, load, save, shapes

SMALL = EyeEncoderConfig(side_px=64, widths=(16, 16, 32, 48, 64), hidden=24, features=20)


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
    assert [stride for _, _, stride in config.stages] == [1, 2, 2, 2, 1, 2]
    with pytest.raises(ValueError, match="multiples of 16"):
        EyeEncoderConfig(widths=(16, 20))


def looks(bend: np.ndarray, noise: float = 0.0, repeat: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """States whose gaze `bend` [6, 2] carries to the nine points exactly, but for the noise; lid 0.9."""
    rng = np.random.default_rng(1)
    seen = np.deg2rad(np.repeat(NINE_POINTS, repeat, 0)).astype(np.float32)
    targets = seen + terms(seen[:, 0], seen[:, 1]) @ bend
    eye = np.zeros((len(seen), 7), np.float32)
    eye[:, :2] = seen + rng.normal(0, noise, seen.shape)
    eye[:, 2], eye[:, 5], eye[:, 6] = 0.9, 4, 1
    return np.hstack([eye, eye]), targets.astype(np.float32)


BEND = np.array([[0.05, -0.03], [0.1, 0.02], [-0.04, 0.12], [0.1, 0.0], [0.05, 0.1], [0.0, -0.1]])


def test_calibration_finds_the_map():
    states, targets = looks(BEND)
    fitted = fit(states, targets)
    gaze = fitted.apply(states)
    assert np.abs(gaze[:, :2] - targets).max() < np.deg2rad(0.3)
    assert np.abs(gaze[:, 7:9] - targets).max() < np.deg2rad(0.3)
    np.testing.assert_allclose(gaze[:, 2], 1.0, atol=1e-5)  # what the open lid says is 1


def test_calibration_is_not_upset_by_blinks_and_wrong_targets():
    states, targets = looks(BEND, noise=0.01)
    good = fit(states, targets).apply(states)
    spoilt = states.copy()
    spoilt[::9, 2] = spoilt[::9, 9] = 0.0  # closed
    spoilt[::9, :2] = spoilt[::9, 7:9] = 0.5
    spoilt[4, 0] = spoilt[4, 7] = -1.0  # somewhere else
    found = fit(spoilt, targets).apply(states)
    assert np.abs(found[:, :2] - good[:, :2]).max() < np.deg2rad(1.5)


def test_an_eye_that_was_not_seen_stays_as_it_is():
    states, targets = looks(BEND)
    states[:, 6] = 0  # no confidence in the left eye
    fitted = fit(states, targets)
    assert not np.any(fitted.gaze[0])
    assert np.any(fitted.gaze[1])


def test_calibration_files(tmp_path):
    path = tmp_path / "me.json"
    fitted = fit(*looks(BEND))
    fitted.save(path)
    assert EyeCalibration.load(path) == fitted
    assert len(fitted.numbers()) == 28
    path.write_text('{"gaze": 1}')
    with pytest.raises(ValueError, match="rtgraph calibrate eyes"):
        EyeCalibration.load(path)
    path.write_text('{"lid": [[0, 1], [0.5, 0.5]]}')
    with pytest.raises(ValueError, match="lid"):
        EyeCalibration.load(path)
