"""The adapter from eye features to the face's eye input: fitted, kept in files, and at work in its node."""

from __future__ import annotations

import numpy as np
import pytest

from rtgraph import GraphError
from rtgraph.files import bundled
from rtgraph.models import eye_weights
from rtgraph.models.eye_adapter import EyeAdapter, EyeAdapterCard, load, save
from rtgraph.models.eye_calibration import both_heads, mark
from rtgraph.models.eye_lift import EYE_INPUT, lift
from rtgraph.nodes.face.eye_features import FaceEyeFeatures
from rtgraph.testing import run_node

ASSETS = bundled("assets") / "weights"


def some_adapter() -> EyeAdapter:
    rng = np.random.default_rng(0)
    card = EyeAdapterCard(name="test", licence="Apache-2.0", encoder="00000000")
    return EyeAdapter(
        (0.05 * rng.standard_normal((7, 80))).astype(np.float32),
        rng.uniform(-0.5, 0.5, 7).astype(np.float32),
        card,
    )


def test_what_is_saved_is_loaded(tmp_path):
    path = tmp_path / "adapter.safetensors"
    adapter = some_adapter()
    save(path, adapter)
    loaded = load(path)
    np.testing.assert_array_equal(loaded.weight, adapter.weight)
    np.testing.assert_array_equal(loaded.bias, adapter.bias)
    assert loaded.card == adapter.card
    path.write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="not a safetensors file"):
        load(path)
    save(path, EyeAdapter(adapter.weight[:, :79].copy(), adapter.bias, adapter.card))
    with pytest.raises(ValueError, match=r"expected finite .*\(7, 80\)"):
        load(path)
    path.with_suffix(".json").write_text("{}")
    with pytest.raises(ValueError, match="not a card of an eye adapter"):
        load(path)
    path.with_suffix(".json").unlink()
    with pytest.raises(FileNotFoundError, match="the adapter's card"):
        load(path)


def test_a_right_eye_is_the_mirror_of_a_left_one():
    adapter = some_adapter()
    eye = np.random.default_rng(1).uniform(-1, 1, 80).astype(np.float32)
    out = adapter(np.concatenate([eye, eye]))
    assert out.shape == (EYE_INPUT,)
    np.testing.assert_array_equal(out[7:14], out[:7] * [-1, 1, 1, 1, 1, 1, 1])
    assert not out[14:].any()
    assert np.abs(adapter(np.full(160, 1e9, np.float32))).max() <= 1.5


def test_it_is_found_by_least_squares():
    pytest.importorskip("torch")
    from rtgraph.training.eyes.adapter import fit_adapter
    from rtgraph.training.eyes.people import People

    rng = np.random.default_rng(2)
    labels = rng.uniform([-0.5, -0.5, 0.5, 0, 0, 2], [0.5, 0.5, 1, 1, 1, 8], (20, 40, 6)).astype(np.float32)
    truth = np.concatenate([labels, np.ones((20, 40, 1))], 2)
    mixing = rng.normal(0, 0.3, (7, 80))
    features = truth @ mixing + rng.normal(0, 0.01, (20, 40, 80))
    spoilt = rng.uniform(-1, 1, (20, 8, 6)) @ mixing[:6]
    visible = np.ones((20, 40), np.float32)
    visible[:, 0] = 0.0  # what is hidden may be anything
    labels[:, 0, 0] = 9.0
    adapter = fit_adapter(People(features, np.zeros((20, 40, 8)), labels, visible, spoilt), "0")
    eye = features[0, 1].astype(np.float32)
    state = np.concatenate([truth[0, 1], truth[0, 1] * [-1, 1, 1, 1, 1, 1, 1]]).astype(np.float32)
    np.testing.assert_allclose(adapter(np.concatenate([eye, eye]))[:14], lift(state)[:14], atol=0.1)
    assert all(0 <= error < 0.1 for error in adapter.card.quality.values())


def test_the_shipped_one_belongs_to_the_shipped_encoder():
    assert load(ASSETS / "eye-adapter.safetensors").card.encoder == mark(
        eye_weights.load(ASSETS / "eye.safetensors")
    )


def test_the_node_mixes_by_the_camera_share_and_never_sends_nan(tmp_path):
    path, adapter = tmp_path / "adapter.safetensors", some_adapter()
    save(path, adapter)
    rng = np.random.default_rng(3)
    state = rng.uniform(0, 1, 14).astype(np.float32)
    features = rng.uniform(-1, 1, 160).astype(np.float32)

    def run(camera, share):
        inputs = {"state": [state] * 3, "camera": [camera] * 3, "camera_share": [np.float32([share])] * 3}
        return run_node(FaceEyeFeatures, inputs, config={"adapter": str(path)}).outputs["features"][-1]

    np.testing.assert_allclose(run(features, 0.0), lift(state), atol=1e-6)
    np.testing.assert_allclose(run(features, 1.0), adapter(features), atol=1e-6)
    np.testing.assert_allclose(run(features, 0.25), 0.75 * lift(state) + 0.25 * adapter(features), atol=1e-6)
    np.testing.assert_allclose(run(features, float("nan")), lift(state), atol=1e-6)
    assert np.isfinite(run(np.full(160, np.nan, np.float32), 1.0)).all()
    with pytest.raises(GraphError, match="there is no file"):
        run_node(FaceEyeFeatures, {"state": [state]}, config={"adapter": "none.safetensors"})


def test_a_face_driven_by_cameras_is_near_one_driven_by_labels():
    """The shipped weights on the bundled clip, in silence: with the cameras' features the eyes of the face go the
    way of those with the true eye states, unlike those of a face that is told that nothing happens."""
    cv2 = pytest.importorskip("cv2")
    from rtgraph.kernels.denoiser_step import DenoiserStep
    from rtgraph.kernels.encoder_step import EncoderStep
    from rtgraph.kernels.eye_encoder_step import EyeEncoderStep
    from rtgraph.models import weights as face_weights
    from rtgraph.models.expression import FRAME, region

    clip = bundled("assets") / "clips"
    truth = np.loadtxt(clip / "eyes.csv", np.float32, delimiter=",", skiprows=1)[:, 1:]
    video = cv2.VideoCapture(str(clip / "eyes.mp4"))
    eye = eye_weights.load(ASSETS / "eye.safetensors")
    look = EyeEncoderStep(eye.card.config, eye_weights.DECODE, both_heads(eye))
    adapter = load(ASSETS / "eye-adapter.safetensors")
    seen = []
    for frame in range(0, 300, 2):
        video.set(cv2.CAP_PROP_POS_FRAMES, frame)
        both = video.read()[1][:, :, 0]
        features = look(np.ascontiguousarray(both[:, :128]), np.ascontiguousarray(both[:, 128:]))[0]
        seen.append(np.stack([lift(truth[frame]), adapter(features.ravel()), lift(truth.mean(0))]))

    face = face_weights.load(ASSETS / "face-tiny.safetensors")
    config = face.card.config
    encoder = EncoderStep(config.encoder, face.part("encoder"), streams=3)
    denoiser = DenoiserStep(config.denoiser, face.part("denoiser"), streams=3)
    silence = np.full((3, config.encoder.hops_per_frame, config.encoder.mel_bands), np.log(1e-5), np.float32)
    latent, frames = np.zeros((3, config.denoiser.latent_width), np.float32), []
    for eyes in seen:
        hidden = encoder(silence, eyes=eyes, eyes_present=np.ones(3, bool))
        said = denoiser(np.zeros_like(latent), hidden, latent)
        latent = said.latent
        frames.append(said.frame)
    columns = [k for k, name in enumerate(FRAME) if region(name) in ("lids", "gaze")]
    by_labels, by_cameras, by_nothing = np.stack(frames)[20:, :, columns].transpose(1, 0, 2)
    off, still = (np.sqrt(((x - by_labels) ** 2).mean()) for x in (by_cameras, by_nothing))
    assert off < 0.5 * still
