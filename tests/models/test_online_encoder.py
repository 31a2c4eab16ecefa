"""The online encoder: streaming equals offline, nothing comes from the future, reset equals new."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from rtgraph.models.config import SIZES, EncoderConfig  # noqa: E402
from rtgraph.models.online_encoder import OnlineEncoder  # noqa: E402

torch.set_num_threads(1)  # products this small lose more to waking threads than they win

SMALL = EncoderConfig(stem_width=24, width=48, layers=3, heads=2, mlp_width=80, window=7, hidden_width=40)


def make_encoder(config: EncoderConfig, seed: int) -> OnlineEncoder:
    torch.manual_seed(seed)
    encoder = OnlineEncoder(config).eval()
    torch.nn.init.normal_(encoder.emotion.weight, std=0.1)  # starts at zero, which would hide a mistake
    return encoder


def make_inputs(config: EncoderConfig, streams: int, frames: int) -> dict[str, torch.Tensor]:
    return {
        "mel": torch.randn(streams, frames * config.hops_per_frame, config.mel_bands),
        "previous": torch.randn(streams, frames, config.latent_width),
        "eyes": torch.randn(streams, frames, config.eye_features),
        "eyes_present": torch.rand(streams, frames) < 0.5,
        "emotion": torch.rand(streams, frames, config.emotions),
        "style": torch.randn(streams, config.style_width),
    }


def frame_of(inputs: dict[str, torch.Tensor], t: int, hops: int) -> dict[str, torch.Tensor]:
    step = {name: x[:, t] for name, x in inputs.items() if name not in ("mel", "style")}
    return {**step, "mel": inputs["mel"][:, hops * t : hops * (t + 1)], "style": inputs["style"]}


@pytest.mark.parametrize(
    ("config", "frames"), [(SMALL, 40), (SIZES["base"].encoder, 150)], ids=["small", "base"]
)
def test_streaming_equals_offline(config: EncoderConfig, frames: int) -> None:
    encoder = make_encoder(config, seed=1)
    inputs = make_inputs(config, streams=2, frames=frames)
    with torch.no_grad():
        offline = encoder(**inputs)
    state = encoder.initial_state(2)
    online = torch.stack(
        [encoder.step(state=state, **frame_of(inputs, t, config.hops_per_frame)) for t in range(frames)],
        dim=1,
    )
    assert offline.shape == (2, frames, config.hidden_width)
    torch.testing.assert_close(online, offline, rtol=1e-4, atol=1e-4)


def test_the_future_changes_nothing() -> None:
    encoder = make_encoder(SMALL, seed=2)
    inputs = make_inputs(SMALL, streams=1, frames=20)
    changed = {name: x.clone() for name, x in inputs.items()}
    for name in ("previous", "eyes", "emotion"):
        changed[name][:, 11:] += 1
    changed["mel"][:, 22:] += 1
    with torch.no_grad():
        before, after = encoder(**inputs), encoder(**changed)
    torch.testing.assert_close(before[:, :11], after[:, :11], rtol=0, atol=0)
    assert (before[:, 11] - after[:, 11]).abs().max() > 1e-3


def test_the_past_beyond_the_window_is_forgotten() -> None:
    encoder = make_encoder(SMALL.model_copy(update={"layers": 1}), seed=3)
    inputs = make_inputs(SMALL, streams=1, frames=20)
    changed = dict(inputs, previous=inputs["previous"].clone())
    changed["previous"][:, 5] += 1
    with torch.no_grad():
        difference = (encoder(**inputs) - encoder(**changed)).abs().amax(dim=(0, 2))
    assert difference[5 : 5 + SMALL.window].min() > 1e-6
    assert difference[5 + SMALL.window :].max() == 0


def test_reset_equals_new_for_the_chosen_streams_only() -> None:
    encoder = make_encoder(SMALL, seed=4)
    inputs = make_inputs(SMALL, streams=3, frames=25)
    state, kept = encoder.initial_state(3), encoder.initial_state(3)
    for t in range(10):
        encoder.step(state=state, **frame_of(inputs, t, 2))
        encoder.step(state=kept, **frame_of(inputs, t, 2))
    state.reset(torch.tensor([False, True, False]))
    new = encoder.initial_state(3)
    for t in range(10, 25):
        frame = frame_of(inputs, t, 2)
        after_reset = encoder.step(state=state, **frame)
        untouched = encoder.step(state=kept, **frame)
        fresh = encoder.step(state=new, **frame)
        torch.testing.assert_close(after_reset[1], fresh[1], rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(after_reset[[0, 2]], untouched[[0, 2]], rtol=1e-5, atol=1e-6)


def test_absent_eyes_are_the_learned_vector() -> None:
    encoder = make_encoder(SMALL, seed=5)
    inputs = make_inputs(SMALL, streams=2, frames=4)
    inputs["eyes_present"] = torch.zeros(2, 4, dtype=torch.bool)
    with torch.no_grad():
        masked = encoder(**inputs)
        without = encoder(**{**inputs, "eyes": None, "eyes_present": None})
        shown = encoder(**{**inputs, "eyes_present": None})
    torch.testing.assert_close(masked, without)
    assert (masked - shown).abs().max() > 1e-3


def test_emotion_starts_without_effect() -> None:
    encoder = OnlineEncoder(SMALL).eval()
    inputs = make_inputs(SMALL, streams=1, frames=3)
    with torch.no_grad():
        torch.testing.assert_close(encoder(**inputs), encoder(**{**inputs, "emotion": None}))


def test_every_parameter_is_trained() -> None:
    encoder = make_encoder(SMALL, seed=6)
    encoder(**make_inputs(SMALL, streams=2, frames=12)).square().mean().backward()
    silent = [name for name, p in encoder.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert silent == []
