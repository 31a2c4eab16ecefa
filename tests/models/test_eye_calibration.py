"""Calibrations of the eye encoder: what nine looks tell of a wearer, and what must not upset them."""

from __future__ import annotations

import numpy as np
import pytest

from rtgraph.models.eye_calibration import (
    NINE_POINTS,
    EyeCalibration,
    average_person,
    both_heads,
    fit,
    mark,
)
from rtgraph.models.eye_weights import (
    CALIBRATED,
    GAZE_SCALE_RAD,
    HEADS,
    EyeCard,
    EyeEncoderConfig,
    EyeWeights,
    shapes,
)

CONFIG = EyeEncoderConfig(
    side_px=64, widths=(16, 16, 32, 48, 64), places=16, places_after=1, hidden=24, features=20, ways=3
)
AMOUNTS = ((1.0, -0.5, 0.8), (-0.7, 0.3, 1.2))


@pytest.fixture
def weights() -> EyeWeights:
    """Features 0, 1 and 2 are yaw, pitch (of the heads' unit) and lid; the others only matter to the ways."""
    rng = np.random.default_rng(3)
    tensors = {name: np.zeros(shape, np.float32) for name, shape in shapes(CONFIG).items()}
    for feature, head in enumerate(("gazeYaw", "gazePitch", "lid")):
        tensors["heads.weight"][HEADS.index(head), feature] = 1
    tensors["heads.bias"][HEADS.index("confidence")] = 4
    tensors["ways"] = (0.05 * rng.standard_normal(tensors["ways"].shape)).astype(np.float32)
    tensors["ways.noise"][:] = 0.01
    return EyeWeights(tensors, EyeCard(name="test", licence="Apache-2.0", config=CONFIG))


def said(weights: EyeWeights, calibration: EyeCalibration | None, features: np.ndarray) -> np.ndarray:
    """[N, 2, 8] raw heads of both eyes, each in its own mirror."""
    tensors = both_heads(weights, calibration)
    eyes = features.reshape(len(features), 2, -1)
    return np.einsum("nei,eoi->neo", eyes, tensors["heads.weight"]) + tensors["heads.bias"]


def looks(weights: EyeWeights, repeat: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Features [N, 160] for which the truth is what the layer of AMOUNTS says, and these targets in radians."""
    rng = np.random.default_rng(1)
    features = rng.uniform(-0.8, 0.8, (9 * repeat, 2, CONFIG.features)).astype(np.float32)
    gaze = np.deg2rad(np.repeat(NINE_POINTS, repeat, 0)) / GAZE_SCALE_RAD
    person = EyeCalibration(weights=mark(weights), amounts=AMOUNTS)
    # The first three features are set so that the calibrated eyes hit the targets, the right one in its mirror,
    # with open lids.
    wanted = np.stack([np.column_stack([gaze * side, np.ones(len(gaze))]) for side in ([1, 1], [-1, 1])], 1)
    for _ in range(20):
        features[:, :, :3] += wanted - said(weights, person, features.reshape(len(features), -1))[:, :, :3]
    return features.reshape(len(features), -1), (gaze * GAZE_SCALE_RAD).astype(np.float32)


def test_it_finds_the_wearer(weights):
    features, targets = looks(weights)
    fitted = fit(weights, features, targets)
    gaze = said(weights, fitted, features)[:, :, :2] * GAZE_SCALE_RAD
    before = said(weights, None, features)[:, :, :2] * GAZE_SCALE_RAD
    assert np.abs(gaze[:, 0] - targets).max() < np.deg2rad(1.0)
    assert np.abs(gaze[:, 1] - targets * [-1, 1]).max() < np.deg2rad(1.0)
    assert np.abs(before[:, 0] - targets).max() > np.deg2rad(3.0)


def test_it_is_not_upset_by_blinks_and_wrong_targets(weights):
    features, targets = looks(weights)
    good = said(weights, fit(weights, features, targets), features)[:, :, :2]
    spoilt = features.reshape(-1, 2, CONFIG.features).copy()
    spoilt[::9, :, 2] = 0.0  # closed
    spoilt[::9, :, :2] = 0.9
    wrong = targets.copy()
    wrong[5] = np.deg2rad([-20, 15])  # somewhere else
    found = said(weights, fit(weights, spoilt.reshape(len(features), -1), wrong), features)[:, :, :2]
    assert np.abs(found - good).max() * GAZE_SCALE_RAD < np.deg2rad(1.0)


def test_only_what_may_change_changes(weights):
    person = EyeCalibration(weights=mark(weights), amounts=AMOUNTS)
    plain, changed = both_heads(weights), both_heads(weights, person)
    for name in ("heads.weight", "heads.bias"):
        same = np.isclose(plain[name], changed[name]).reshape(2, len(HEADS), -1).all((0, 2))
        assert {HEADS[k] for k in np.flatnonzero(~same)} == {HEADS[k] for k in CALIBRATED}
    for name, tensor in both_heads(weights, average_person(weights)).items():
        np.testing.assert_array_equal(tensor, plain[name])


def test_an_eye_that_was_not_seen_stays_the_average_persons(weights):
    features, targets = looks(weights)
    doubted = features.reshape(-1, 2, CONFIG.features).copy()
    weights.tensors["heads.weight"][HEADS.index("confidence"), 3] = 100
    doubted[:, 0, 3], doubted[:, 1, 3] = -1, 1
    fitted = fit(weights, doubted.reshape(len(features), -1), targets)
    assert not np.any(fitted.amounts[0])
    assert np.any(fitted.amounts[1])
    assert fit(weights, features[:0], targets[:0]).amounts == average_person(weights).amounts


def test_files(weights, tmp_path):
    path = tmp_path / "me.json"
    fitted = fit(weights, *looks(weights))
    fitted.save(path)
    assert EyeCalibration.load(path, weights) == fitted
    path.write_text('{"gaze": 1}')
    with pytest.raises(ValueError, match="rtgraph calibrate eyes"):
        EyeCalibration.load(path, weights)
    EyeCalibration(weights=mark(weights), amounts=((0.0,), (0.0,))).save(path)
    with pytest.raises(ValueError, match="3 finite amounts"):
        EyeCalibration.load(path, weights)
    EyeCalibration(weights=mark(weights), amounts=((float("nan"),) * 3, (0.0,) * 3)).save(path)
    with pytest.raises(ValueError, match="calibration of eyes"):
        EyeCalibration.load(path, weights)
    fitted.save(path)
    weights.tensors["heads.weight"][0] += 1
    with pytest.raises(ValueError, match="made with weights"):
        EyeCalibration.load(path, weights)
