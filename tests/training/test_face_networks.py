"""The parts of face training: latent code, losses, teacher, answers, checkpoints and settings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("scipy")

from face_clips import recording, speech  # noqa: E402

from rtgraph.models import lips  # noqa: E402
from rtgraph.models.config import DenoiserConfig, EncoderConfig, FaceConfig  # noqa: E402
from rtgraph.models.expression import INDEX  # noqa: E402
from rtgraph.training.face import checkpoint  # noqa: E402
from rtgraph.training.face.batches import Batch, Windows  # noqa: E402
from rtgraph.training.face.command import TrainError, _settings  # noqa: E402
from rtgraph.training.face.config import DataConfig, LossConfig  # noqa: E402
from rtgraph.training.face.features import real_streams, synthetic_streams, write_shard  # noqa: E402
from rtgraph.training.face.latent_code import LatentCode, moments  # noqa: E402
from rtgraph.training.face.losses import Answer, FaceLoss, LipReadout  # noqa: E402
from rtgraph.training.face.network import FaceNetwork, one_later  # noqa: E402
from rtgraph.training.face.objectives import viseme_loss  # noqa: E402
from rtgraph.training.face.teacher import Teacher  # noqa: E402

torch.set_num_threads(1)  # two threads wait for each other where others are busy, too

SMALL = FaceConfig(
    encoder=EncoderConfig(
        stem_width=16, width=32, layers=1, heads=2, mlp_width=48, window=20, hidden_width=24
    ),
    denoiser=DenoiserConfig(hidden_width=24, width=32, mlp_width=32, head_width=16),
)


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Batch:
    folder = tmp_path_factory.mktemp("features")
    rng = np.random.default_rng(0)
    write_shard(folder / "real-000.npz", list(real_streams([recording(rng) for _ in range(3)], rng)))
    write_shard(folder / "speech-000.npz", list(synthetic_streams([speech(rng) for _ in range(3)], rng)))
    config = DataConfig(batch=6, window_frames=90, shares={"real": 0.5, "speech": 0.5})
    found = next(Windows(folder, config).batches(np.random.default_rng(2)))
    assert 0 < found.real.sum() < 6
    return found


def loss_of(batch: Batch, frame: torch.Tensor) -> dict[str, torch.Tensor]:
    loss = FaceLoss(LossConfig(spread_gain=1), np.full(61, 0.1))
    latent = torch.zeros(*frame.shape[:2], 64)
    return loss(Answer(latent, frame, torch.ones(*frame.shape[:2], 6)), batch, latent)


def test_the_code_whitens_and_comes_back() -> None:
    rng = np.random.default_rng(1)
    motion = np.concatenate([speech(rng).motion for _ in range(4)])
    code = LatentCode(64)
    code.fit(moments([motion]))
    frame = torch.from_numpy(motion)
    latent = code.encode(frame)
    assert latent.mean(0).abs().max() < 1e-3
    assert latent[:, 0].std() == pytest.approx(1, abs=0.02)
    assert latent.std(0).max() < 1.05
    np.testing.assert_allclose(code.decode(latent).numpy(), motion, atol=2e-3)


def test_what_is_not_known_counts_as_its_mean() -> None:
    motion = np.random.default_rng(2).random((200, 61)).astype(np.float32)
    known = np.ones(61, bool)
    known[7] = False
    found = moments([motion], [(motion * known, known)])
    np.testing.assert_allclose(found.mean, motion.mean(0), atol=1e-5)
    assert found.covariance[7, 7] == pytest.approx(motion[:, 7].var() / 2, rel=1e-3)
    with pytest.raises(ValueError, match="no frames"):
        moments([])


def test_the_lip_readout_measures_as_numpy_does() -> None:
    frames = np.random.default_rng(3).random((50, 61)).astype(np.float32) * 0.3
    said = LipReadout()(torch.from_numpy(frames)).numpy()
    np.testing.assert_allclose(np.maximum(said[:, 0], 0), lips.measure(frames)[:, 0], atol=1e-5)
    np.testing.assert_allclose(said[:, 1], lips.measure(frames)[:, 1], atol=1e-5)


def test_the_truth_has_no_error(batch: Batch) -> None:
    exact = replace(batch, lips=LipReadout()(batch.motion))
    losses = loss_of(exact, batch.motion)
    for name in ("frame", "velocity", "lips", "spread", "jitter"):
        assert losses[name] == pytest.approx(0, abs=1e-5), name
    assert losses["correlation"] < 0.02


def test_numbers_that_are_not_known_cost_nothing(batch: Batch) -> None:
    frame = batch.motion.clone()
    frame[..., INDEX["tongueOut"]] += 0.5
    of_recordings = replace(batch, **{"known": batch.known & batch.real[:, None]})
    assert loss_of(of_recordings, frame)["frame"] == pytest.approx(0, abs=1e-6)
    assert loss_of(batch, frame)["frame"] > 0.1


def test_what_is_padded_is_not_learned_from(batch: Batch) -> None:
    there = torch.ones(batch.spoken.shape, dtype=torch.bool)
    there[:, -30:] = False
    spoken = replace(batch, spoken=batch.spoken | True)
    padded, whole = replace(spoken, there=there), replace(spoken, there=there | True)
    guess = batch.motion * 0.7
    other = (
        guess + torch.rand(guess.shape, generator=torch.Generator().manual_seed(1)) * 0.3 * ~there[..., None]
    )
    for name, loss in loss_of(padded, guess).items():
        torch.testing.assert_close(loss, loss_of(padded, other)[name], msg=name)
    differing = [n for n, loss in loss_of(whole, guess).items() if not loss.isclose(loss_of(whole, other)[n])]
    assert {"frame", "velocity", "lips", "closure", "confidence"} <= set(differing)


def test_a_mirrored_movement_costs_more_than_none(batch: Batch) -> None:
    closed = batch.motion * 0
    mirrored = batch.motion.mean(1, keepdim=True) * 2 - batch.motion
    still, wrong = loss_of(batch, closed), loss_of(batch, mirrored)
    assert wrong["correlation"] > 1.5 > still["correlation"] > 0.5
    assert still["spread"] > 1


def test_a_closure_may_be_seen_late_but_not_elsewhere(batch: Batch) -> None:
    """Lips 9 mm apart that meet for 60 ms in the middle of two seconds."""
    gap = torch.full((1, 100), 0.1)
    gap[:, 48:51] = 0.0
    whole = torch.ones(1, 100, dtype=torch.bool)
    lips = torch.stack([gap, gap], dim=-1)
    told = replace(batch, lips=lips, there=whole, real=torch.zeros(1, dtype=torch.bool))
    loss = FaceLoss(LossConfig(), np.full(61, 0.1))

    def cost(guess: torch.Tensor) -> float:
        return float(loss._closure(guess, told))

    right, never, twice = cost(gap), cost(gap * 0 + 0.1), cost(torch.minimum(gap, gap.roll(30, 1)))
    assert cost(gap.roll(3, 1)) < 2 * right
    assert cost(gap.roll(6, 1)) > 10 * right
    assert never > 10 * right
    assert twice > 10 * right
    loss = FaceLoss(LossConfig(met=0.9), np.full(61, 0.1))
    assert cost(gap * 0 + 0.1) == pytest.approx(2 * never, rel=1e-4)
    assert cost(torch.minimum(gap, gap.roll(30, 1))) == pytest.approx(twice, rel=0.05)


def test_what_is_said_is_learned_now_and_a_little_later() -> None:
    viseme = torch.tensor([[0, 1, 2, 3, 4, -1]])
    now, earlier = torch.eye(5)[viseme.clamp(min=0)], torch.eye(5)[torch.tensor([[0, 0, 0, 0, 1, 2]])]
    right = viseme_loss(torch.cat([now, earlier], -1) * 50, viseme)
    assert right == pytest.approx(0, abs=1e-4)
    assert viseme_loss(torch.cat([now, now], -1) * 50, viseme) > 10
    assert viseme_loss(torch.cat([earlier, earlier], -1) * 50, viseme) > 10
    assert viseme_loss(torch.zeros(1, 6, 10), viseme * 0 - 1) == 0


def test_where_the_mouth_rests_movement_costs(batch: Batch) -> None:
    quiet = replace(batch, motion=batch.motion * 0, lips=batch.lips * 0 + 0.01, real=batch.real & False)
    trembling = torch.rand(batch.motion.shape, generator=torch.Generator().manual_seed(0)) * 0.02
    assert loss_of(quiet, quiet.motion)["stillness"] == 0
    assert loss_of(quiet, trembling)["stillness"] > 0.05


def test_a_stream_gives_what_a_regression_answers(batch: Batch) -> None:
    torch.manual_seed(0)
    network = FaceNetwork(SMALL).eval()
    with torch.no_grad():
        hidden = network.hear(batch)
        mean = network.mean(hidden, batch.emotion)
        streamed = network.stream(hidden, batch.emotion, torch.zeros_like(mean))
    assert not network.denoiser.previous.weight.any()
    torch.testing.assert_close(mean, streamed, atol=1e-5, rtol=1e-5)


def test_each_answer_is_what_the_next_frame_continues(batch: Batch) -> None:
    torch.manual_seed(1)
    network = FaceNetwork(SMALL).eval()
    torch.nn.init.normal_(network.denoiser.previous.weight, std=0.1)
    noise = torch.randn(6, 90, 64)
    with torch.no_grad():
        hidden = network.hear(batch)
        streamed = network.stream(hidden, batch.emotion, noise)
        again = network.denoiser(noise, hidden, one_later(streamed), batch.emotion.unsqueeze(1))
    torch.testing.assert_close(streamed, again, atol=1e-5, rtol=1e-5)


def test_a_teacher_learns_where_its_noise_ends() -> None:
    """Two latents, told apart by the hidden vector: from any noise it must find the right one."""
    torch.manual_seed(0)
    teacher = Teacher(SMALL.denoiser)
    targets = torch.randn(2, 64)
    optimiser = torch.optim.Adam(teacher.parameters(), 3e-3)
    for _ in range(250):
        which = torch.randint(2, (128,))
        time = torch.rand(128)
        noisy = (1 - time[:, None]) * targets[which] + time[:, None] * torch.randn(128, 64)
        condition = told(teacher, which)
        error = (teacher(noisy, time, condition) - targets[which]).square().mean()
        optimiser.zero_grad()
        error.backward()
        optimiser.step()
    which = torch.tensor([0, 1, 1, 0])
    sampled = teacher.sample(torch.randn(4, 64), told(teacher, which), 6)
    assert (sampled - targets[which]).abs().mean() < 0.15


def told(teacher: Teacher, which: torch.Tensor) -> torch.Tensor:
    hidden = torch.zeros(len(which), 24)
    hidden[:, 0] = which.float() * 2 - 1
    return teacher.condition(hidden, torch.zeros(len(which), 64), torch.zeros(len(which), 8))


def test_a_broken_checkpoint_is_told(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    checkpoint.save(path, {"step": 3})
    assert checkpoint.load(path, torch.device("cpu")) == {"step": 3}
    path.write_bytes(b"half a file")
    with pytest.raises(checkpoint.CheckpointError, match="delete it"):
        checkpoint.load(path, torch.device("cpu"))


def test_a_run_is_made_of_the_same_once_it_has_begun(tmp_path: Path) -> None:
    checkpoint.claim(tmp_path, {"data": "a", "settings": {"seed": 0, "data": {"batch": 8}}})
    made_of = {"data": "b", "settings": {"seed": 0, "data": {"batch": 8}}}
    checkpoint.claim(tmp_path, made_of)  # nothing was done yet
    checkpoint.save(tmp_path / "regression/checkpoint.pt", {"step": 1})
    checkpoint.claim(tmp_path, made_of)
    with pytest.raises(checkpoint.CheckpointError, match=r"other data, settings\.data\.batch; delete that"):
        checkpoint.claim(tmp_path, {"data": "a", "settings": {"seed": 0, "data": {"batch": 9}}})


def test_settings_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "train.yaml"
    path.write_text("size: tiny\nloss: {lips: 2}\nregression: {steps: 5, learning_rate: 0.001}\n")
    found = _settings(path, None, 60, fine_tune=False)
    assert (found.loss.lips, found.regression.steps, found.look_ahead_ms) == (2, 5, 60)
    with pytest.raises(TrainError, match="multiple of 20"):
        _settings(path, None, 50, fine_tune=False)
    path.write_text("lip_loss: 2\n")
    with pytest.raises(TrainError, match="lip_loss"):
        _settings(path, None, None, fine_tune=False)
    path.write_text("data: {shares: {loud: 1}}\n")
    with pytest.raises(TrainError, match="loud"):
        _settings(path, None, None, fine_tune=False)
    path.write_text("student: {losses: {loud: 1}}\n")
    with pytest.raises(TrainError, match="student"):
        _settings(path, None, None, fine_tune=False)


def test_a_stage_may_weigh_errors_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "train.yaml"
    path.write_text("loss: {lips: 2}\nstudent: {losses: {closure: 3}}\n")
    found = _settings(path, None, None, fine_tune=False)
    assert found.loss_in("student") == found.loss.model_copy(update={"closure": 3})
    assert found.loss_in("people") == found.loss
