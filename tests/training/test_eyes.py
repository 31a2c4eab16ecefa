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
    weights = load(bundled("assets") / "weights/eye.safetensors")
    fitted = EyeCalibration.load(out, weights)
    left, right, targets = synthetic_looks(1)
    before, after = (encode_pairs(weights, left, right, given)[1] for given in (None, fitted))
    for eye in (0, 7):
        assert (
            np.abs(after[:, eye : eye + 2] - targets).mean()
            < np.abs(before[:, eye : eye + 2] - targets).mean()
        )
    with pytest.raises(typer.BadParameter, match="either --looks FILE or --synthetic"):
        calibrate_eyes(out, looks=None, synthetic=None, weights="asset:weights/eye.safetensors")


def test_a_report_that_cannot_be_written_is_told_before_the_work(tmp_path):
    from rtgraph.training.eyes.command import evaluate_eyes

    with pytest.raises(typer.BadParameter, match="there is no folder"):
        evaluate_eyes("nowhere.safetensors", people=3, json_path=tmp_path / "no" / "o.json")


def test_an_encoder_learns_resumes_and_folds(tmp_path):
    torch = pytest.importorskip("torch")
    from rtgraph.models.eye_encoder import EyeEncoder
    from rtgraph.training.eye_corpus.generate import generate
    from rtgraph.training.eyes import train as training
    from rtgraph.training.eyes.batches import BATCH, GROUP, batches

    torch.set_num_threads(1)
    torch.manual_seed(0)
    generate(tmp_path, images=640, seed=1, pictures=GROUP)
    told: list[training.Progress] = []
    checkpoint = tmp_path / "eye.checkpoint"
    training.train(tmp_path, images=BATCH * 8, report=told.append, checkpoint=checkpoint)
    encoder = training.train(tmp_path, images=BATCH * 16, report=told.append, checkpoint=checkpoint)
    assert [p.images for p in told] == [BATCH * 8, BATCH * 16]
    assert told[1].loss < 0.8 * told[0].loss
    with pytest.raises(training.EyeTrainingError, match="give the same --seed and --corpus"):
        training.train(tmp_path, images=BATCH * 24, seed=1, checkpoint=checkpoint)
    batch = next(batches(tmp_path, np.random.default_rng(9)))
    assert batch.images.shape == (BATCH, 128, 128)
    images = batch.images[:3]
    with torch.no_grad():
        before = EyeEncoder(encoder.config).eval()(images)[1]
        after = encoder(images)[1]
    assert not torch.allclose(before, after)
    fresh = EyeEncoder(encoder.config, norm=True)
    with torch.no_grad():  # statistics as after some training
        for norm in fresh.norms or ():
            norm.running_mean.uniform_(-0.5, 0.5)
            norm.running_var.uniform_(0.5, 2.0)
        for a, b in zip(fresh.eval()(images), fresh.folded()(images), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def test_weights_are_not_touched_before_the_end(tmp_path, monkeypatch, capsys):
    pytest.importorskip("torch")
    from rtgraph.training.eye_corpus.generate import generate
    from rtgraph.training.eyes import __main__ as command
    from rtgraph.training.eyes.batches import BATCH, GROUP

    generate(tmp_path / "corpus", images=640, seed=1, pictures=GROUP)
    out = tmp_path / "eye.safetensors"
    out.write_bytes(b"weights that serve")

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "look_at", killed)
    given = ["--corpus", str(tmp_path / "corpus"), "--out", str(out), "--images", str(BATCH)]
    monkeypatch.setattr("sys.argv", ["eyes", *given])
    with pytest.raises(KeyboardInterrupt):
        command.main()
    assert f"{BATCH} of {BATCH} images" in capsys.readouterr().out
    assert out.read_bytes() == b"weights that serve"
    monkeypatch.setattr("sys.argv", ["eyes", *given, "--seed", "1"])
    assert command.main() == 1
    assert "delete it to begin anew" in capsys.readouterr().err


def test_what_a_person_brings_along_is_not_held_against_a_picture():
    torch = pytest.importorskip("torch")
    from rtgraph.training.eye_corpus.points import POINTS, VISIBLE
    from rtgraph.training.eyes.batches import GROUP
    from rtgraph.training.eyes.losses import heads_loss

    generator = torch.Generator().manual_seed(0)
    labels = torch.rand(GROUP, 6, generator=generator) * 0.8 - 0.4
    labels[:, 2:] = torch.tensor([1.0, 0.0, 0.0, 4.5])
    good, mirrored = torch.ones(GROUP), torch.zeros(GROUP)
    points = torch.ones(GROUP, len(POINTS))

    def gradient(error):
        raw = torch.zeros(GROUP, 8)
        raw[:, :2] = labels[:, :2] / 0.3 + error
        raw[:, 2] = 1.0
        raw.requires_grad_()
        heads_loss(raw, labels, points, good, mirrored).backward()
        return raw.grad[:, :2]

    own = torch.zeros(GROUP, 2)
    own[3, 0] = 0.3
    person = torch.full((GROUP, 2), 0.5)
    # Beside an offset of the whole sitting, the gradient still shows which picture is off, and which way.
    both = gradient(own + person)
    assert both[3, 0] > both[torch.arange(GROUP) != 3, 0].max() + 0.01
    # What cannot be seen is hardly asked for.
    points[3, VISIBLE] = 0.0
    assert 0 < gradient(own + person)[3, 0] < 0.1 * both[3, 0]


def test_ways_are_found_again():
    from rtgraph.training.eyes.wearers import factors

    rng = np.random.default_rng(0)
    people, pictures, inputs, outputs = 150, 30, 6, 2
    true = rng.normal(0, 1, (2, outputs, inputs))
    amounts = rng.normal(0, 1, (people, 2))
    x = rng.normal(0, 1, (people, pictures, inputs))
    missing = np.einsum("pk,koi,pni->pno", amounts, true, x) + rng.normal(0, 0.5, (people, pictures, outputs))
    ways, noise = factors(x, missing, np.ones_like(missing), 2)
    np.testing.assert_allclose(noise, 0.5, rtol=0.2)
    # The same plane of last layers, in whatever axes.
    a, b = (np.linalg.svd(w.reshape(2, -1), full_matrices=False)[2] for w in (true, ways))
    assert np.linalg.svd(a @ b.T)[1].min() > 0.99
