"""Training, calibrating and measuring the eye encoder: the parts, and a few steps of learning."""

from __future__ import annotations

import numpy as np
import pytest
import typer

from rtgraph import AssetError
from rtgraph.training.eyes.blinks import BlinkCount, blinks, count_blinks
from rtgraph.training.eyes.measure import TARGETS, missed
from rtgraph.training.eyes.spoil import WAYS, spoil
from rtgraph.training.eyes.targets import read_looks, synthetic_looks


def test_blinks_are_found_and_matched():
    lid = np.ones(60)
    lid[10:14] = [0.5, 0.1, 0.1, 0.5]
    lid[40:43] = 0.2
    assert blinks(lid) == [(11, 13), (40, 42)]
    late = np.roll(lid, 3)
    assert count_blinks(late, lid) == BlinkCount(real=2, found=2, right=2)
    once = np.where(np.arange(60) < 30, lid, 1.0)
    count = count_blinks(once, lid)
    assert count == BlinkCount(real=2, found=1, right=1)
    assert count.f1 == pytest.approx(2 / 3)
    assert count_blinks(np.ones(60), np.ones(60)).f1 == 1.0


def test_one_found_blink_is_right_once():
    lid = np.ones(60)
    lid[10:14] = lid[16:20] = 0.0
    long = np.ones(60)
    long[10:20] = 0.0
    assert count_blinks(long, lid) == BlinkCount(real=2, found=1, right=1)


@pytest.mark.parametrize("way", WAYS)
def test_spoilt_pictures_are_pictures_and_other_ones(way):
    image = np.random.default_rng(0).integers(40, 200, (128, 128)).astype(np.uint8)
    bad = spoil(image, np.random.default_rng(1), way)
    assert bad.shape == image.shape
    assert bad.dtype == np.uint8
    assert not np.array_equal(bad, image)


def test_missed_targets_are_named():
    good = {t.name: t.limit + 0.01 if t.at_least else t.limit - 0.001 for t in TARGETS}
    assert missed(good) == []
    assert [t.name for t in missed({**good, "lid error, mean": 0.04})] == ["lid error, mean"]
    assert [t.name for t in missed({**good, "blink F1": 0.5})] == ["blink F1"]


def test_recorded_looks_are_checked(tmp_path):
    path = tmp_path / "looks.npz"
    images, targets = np.zeros((9, 32, 40), np.uint8), np.zeros((9, 2))
    np.savez(path, left=images, right=images, targets=targets + 90)
    with pytest.raises(AssetError, match="yaw and pitch in degrees"):
        read_looks(path)
    np.savez(path, left=images.astype(np.uint16), right=images, targets=targets)
    with pytest.raises(AssetError, match=r"left is uint16 \[9, 32, 40\]"):
        read_looks(path)
    np.savez(path, left=images[:5], right=images[:5], targets=targets[:5])
    with pytest.raises(AssetError, match="holds 5 looks; expected 9 or more"):
        read_looks(path)
    np.savez(path, left=images, right=images, targets=targets + 10)
    assert read_looks(path)[2][0] == pytest.approx(np.deg2rad([10, 10]))
    path.write_bytes(b"")
    with pytest.raises(AssetError, match=r"expected an \.npz"):
        read_looks(path)


def test_calibrate_writes_a_file_that_helps(tmp_path):
    from rtgraph.files import bundled
    from rtgraph.models.eye_calibration import EyeCalibration
    from rtgraph.models.eye_weights import load
    from rtgraph.training.eyes.command import calibrate_eyes
    from rtgraph.training.eyes.measure import encode_pairs

    out = tmp_path / "me.json"
    calibrate_eyes(out, looks=None, synthetic=1, weights="asset:weights/eye.safetensors")
    fitted = EyeCalibration.load(out)
    left, right, targets = synthetic_looks(1)
    states = encode_pairs(load(bundled("assets") / "weights/eye.safetensors"), left, right)
    before, after = (np.abs(s[:, :2] - targets).mean() for s in (states, fitted.apply(states)))
    assert after < before
    with pytest.raises(typer.BadParameter, match="either --looks FILE or --synthetic"):
        calibrate_eyes(out, looks=None, synthetic=None, weights="asset:weights/eye.safetensors")


def test_an_encoder_learns_and_folding_changes_nothing(tmp_path):
    torch = pytest.importorskip("torch")
    from rtgraph.models.eye_encoder import EyeEncoder
    from rtgraph.training.eye_corpus.generate import generate
    from rtgraph.training.eyes import train as training

    torch.set_num_threads(1)
    generate(tmp_path, images=128, seed=1, pictures=2)
    losses: list[float] = []
    encoder = training.train(tmp_path, images=training.BATCH * 30, report=lambda p: losses.append(p.loss))
    fresh = EyeEncoder(encoder.config, norm=True)
    with torch.no_grad():  # statistics as after some training
        for norm in fresh.norms or ():
            norm.running_mean.uniform_(-0.5, 0.5)
            norm.running_var.uniform_(0.5, 2.0)
    images = torch.randint(0, 256, (3, 128, 128), dtype=torch.uint8)
    with torch.no_grad():
        for a, b in zip(fresh.eval()(images), fresh.folded()(images), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)
    pictures, labels, good = next(training._batches(tmp_path, np.random.default_rng(9)))
    with torch.no_grad():
        untrained = training.loss(
            fresh(torch.from_numpy(pictures))[1], torch.from_numpy(labels), torch.from_numpy(good)
        )
        trained = training.loss(
            encoder(torch.from_numpy(pictures))[1], torch.from_numpy(labels), torch.from_numpy(good)
        )
    assert trained < 0.8 * untrained
    assert losses[-1] < 0.6
