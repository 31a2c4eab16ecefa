"""The encoder's fused step against its torch module in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from rtgraph.kernels.encoder_step import EncoderStep  # noqa: E402
from rtgraph.kernels.linear import instruction_sets  # noqa: E402
from rtgraph.models.config import SIZES, EncoderConfig  # noqa: E402
from rtgraph.models.online_encoder import OnlineEncoder  # noqa: E402

torch.set_num_threads(1)  # products this small lose more to waking threads than they win

Array = np.ndarray[Any, np.dtype[Any]]
SMALL = EncoderConfig(
    mel_bands=20,
    stem_width=24,
    stem_kernel=2,
    frame_kernel=5,
    width=48,
    layers=2,
    heads=3,
    mlp_width=72,
    window=9,
    eye_features=13,
    emotions=5,
    style_width=3,
    latent_width=11,
    hidden_width=37,
)
# Of hidden, over six layers: rounding adds up, so bfloat16 and int8 products of 1 % end within these.
TOLERANCE = {"float32": 1e-5, "bfloat16": 1e-2, "int8": 2e-2}


def make_encoder(config: EncoderConfig, seed: int) -> tuple[OnlineEncoder, dict[str, Array]]:
    torch.manual_seed(seed)
    encoder = OnlineEncoder(config).eval()
    torch.nn.init.normal_(encoder.emotion.weight, std=0.1)
    for name, parameter in encoder.named_parameters():
        if "norm" in name:
            torch.nn.init.uniform_(parameter, 0.5, 1.5)  # gains of one would hide a mistake
    return encoder, {name: tensor.numpy().copy() for name, tensor in encoder.state_dict().items()}


def make_inputs(config: EncoderConfig, streams: int, frames: int, seed: int) -> dict[str, Array]:
    rng = np.random.default_rng(seed)

    def normal(*shape: int) -> Array:
        return rng.standard_normal(shape).astype(np.float32)

    return {
        "mel": normal(streams, frames, config.hops_per_frame, config.mel_bands),
        "previous": normal(streams, frames, config.latent_width),
        "eyes": normal(streams, frames, config.eye_features),
        "eyes_present": rng.random((streams, frames)) < 0.5,
        "emotion": rng.random((streams, frames, config.emotions)).astype(np.float32),
        "style": np.repeat(normal(streams, 1, config.style_width), frames, axis=1),
    }


def offline(encoder: OnlineEncoder, inputs: dict[str, Array]) -> Array:
    """The truth: torch's forward in float64."""
    tensors = {name: torch.from_numpy(x) for name, x in inputs.items()}
    tensors = {name: x if x.dtype == torch.bool else x.double() for name, x in tensors.items()}
    tensors["mel"] = tensors["mel"].flatten(1, 2)
    tensors["style"] = tensors["style"][:, 0]
    with torch.no_grad():
        hidden: Array = encoder.double()(**tensors).numpy()
    encoder.float()
    return hidden


def online(step: EncoderStep, inputs: dict[str, Array], frames: range, **first: Array) -> Array:
    """Frame by frame into NaN-filled outputs; what stands in `first` goes with the first frame."""
    out = np.full((len(frames), step.streams, step.config.hidden_width), np.nan, np.float32)
    for i, t in enumerate(frames):
        step(
            **{k: np.ascontiguousarray(x[:, t]) for k, x in inputs.items()},
            out=out[i],
            **(first if i == 0 else {}),
        )
    return out.swapaxes(0, 1)


def relative_error(got: Array, expected: Array) -> float:
    return float(np.linalg.norm(got - expected) / np.linalg.norm(expected))


@pytest.mark.parametrize("precision", TOLERANCE)
@pytest.mark.parametrize("size", ["tiny", "base"])
def test_equals_the_torch_module(size: str, precision: Any) -> None:
    config = SIZES[size].encoder
    encoder, weights = make_encoder(config, seed=1)
    inputs = make_inputs(config, streams=1, frames=200, seed=1)
    got = online(EncoderStep(config, weights, precision), inputs, range(200))
    assert relative_error(got, offline(encoder, inputs)) < TOLERANCE[precision]


@pytest.mark.parametrize("isa", instruction_sets())
@pytest.mark.parametrize("precision", TOLERANCE)
def test_odd_sizes_and_batches(isa: str, precision: Any) -> None:
    encoder, weights = make_encoder(SMALL, seed=2)
    for streams in (1, 2, 7):
        inputs = make_inputs(SMALL, streams, frames=40, seed=streams)
        step = EncoderStep(SMALL, weights, precision, streams, isa)
        # int8 at width 48 averages less than at 256.
        limit = TOLERANCE[precision] * (2 if precision == "int8" else 1)
        assert relative_error(online(step, inputs, range(40)), offline(encoder, inputs)) < limit


def test_a_stream_does_not_depend_on_its_neighbours() -> None:
    _, weights = make_encoder(SMALL, seed=3)
    inputs = make_inputs(SMALL, streams=5, frames=20, seed=3)
    together = online(EncoderStep(SMALL, weights, streams=5), inputs, range(20))
    for stream in range(5):
        alone = online(
            EncoderStep(SMALL, weights), {k: x[stream : stream + 1] for k, x in inputs.items()}, range(20)
        )
        np.testing.assert_allclose(together[stream], alone[0], rtol=1e-4, atol=1e-6)


def test_absent_conditions() -> None:
    encoder, weights = make_encoder(SMALL, seed=4)
    inputs = make_inputs(SMALL, streams=1, frames=12, seed=4)
    inputs = {"mel": inputs["mel"], "previous": np.zeros_like(inputs["previous"])}
    got = online(EncoderStep(SMALL, weights), {"mel": inputs["mel"]}, range(12))
    with torch.no_grad():
        mel, previous = (torch.from_numpy(inputs[name]).double() for name in ("mel", "previous"))
        expected = encoder.double()(mel.flatten(1, 2), previous).numpy()
    assert relative_error(got, expected) < 1e-5


@pytest.mark.parametrize("way", ["mask", "method"])
def test_reset_equals_new_for_the_chosen_stream_only(way: str) -> None:
    _, weights = make_encoder(SMALL, seed=5)
    inputs = make_inputs(SMALL, streams=3, frames=40, seed=5)
    step, kept, new = (EncoderStep(SMALL, weights, streams=3) for _ in range(3))
    online(step, inputs, range(20))
    online(kept, inputs, range(20))
    if way == "method":
        step.reset(1)
    first = {"reset": np.array([False, True, False])} if way == "mask" else {}
    out = online(step, inputs, range(20, 40), **first)
    np.testing.assert_array_equal(out[1], online(new, inputs, range(20, 40))[1])
    np.testing.assert_array_equal(out[[0, 2]], online(kept, inputs, range(20, 40))[[0, 2]])
    assert list(step.positions) == [40, 20, 40]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
def test_broken_input_is_replaced_by_the_last_good_one(bad: float) -> None:
    _, weights = make_encoder(SMALL, seed=6)
    inputs = make_inputs(SMALL, streams=2, frames=30, seed=6)
    inputs["eyes_present"][:] = True
    broken = {name: x.copy() for name, x in inputs.items()}
    broken["mel"][0, 10, 1, 3] = bad
    inputs["mel"][0, 10, 1] = inputs["mel"][0, 10, 0]
    broken["mel"][1, 11, 0, 0] = bad
    inputs["mel"][1, 11, 0] = inputs["mel"][1, 10, 1]
    for name in ("previous", "eyes", "emotion", "style"):
        broken[name][0, 14:16, -1] = bad
        inputs[name][0, 14:16] = inputs[name][0, 13]
    step = EncoderStep(SMALL, weights, streams=2)
    out = online(step, broken, range(30))
    np.testing.assert_array_equal(out, online(EncoderStep(SMALL, weights, streams=2), inputs, range(30)))
    assert step.replaced_inputs == 2 + 2 * 4


def test_broken_from_the_first_frame_is_silence() -> None:
    _, weights = make_encoder(SMALL, seed=7)
    nan = np.full((1, 2, SMALL.mel_bands), np.nan, np.float32)
    silence = np.zeros((1, 2, SMALL.mel_bands), np.float32)
    np.testing.assert_array_equal(EncoderStep(SMALL, weights)(nan), EncoderStep(SMALL, weights)(silence))


def test_long_streams_stay_finite_and_forget_their_past() -> None:
    _, weights = make_encoder(SMALL, seed=8)
    inputs = make_inputs(SMALL, streams=1, frames=60, seed=8)
    step, other = EncoderStep(SMALL, weights), EncoderStep(SMALL, weights)
    silence = np.zeros((1, 2, SMALL.mel_bands), np.float32)
    for _ in range(3000):
        assert np.isfinite(step(silence)).all()
    online(other, make_inputs(SMALL, streams=1, frames=60, seed=9), range(60))
    other.positions[0] = step.positions[0]
    # Two layers of window 9 and the stem see less than 30 frames back.
    a, b = online(step, inputs, range(60)), online(other, inputs, range(60))
    np.testing.assert_allclose(a[:, 30:], b[:, 30:], rtol=1e-4, atol=1e-5)


def test_mistakes_are_named() -> None:
    _, weights = make_encoder(SMALL, seed=10)
    mel = np.zeros((1, 2, SMALL.mel_bands), np.float32)
    missing = {name: x for name, x in weights.items() if name != "blocks.1.mlp.up.weight"}
    with pytest.raises(
        ValueError, match=r"weights: 'blocks.1.mlp.up.weight' is missing, expected \[72, 48\]"
    ):
        EncoderStep(SMALL, missing)
    with pytest.raises(ValueError, match=r"'eyes.weight': expected \[48, 14\] by the config, got \[48, 13\]"):
        EncoderStep(SMALL.model_copy(update={"eye_features": 14}), weights)
    with pytest.raises(TypeError, match=r"weights: 'out\.bias': expected a contiguous float32 array"):
        EncoderStep(SMALL, {**weights, "out.bias": weights["out.bias"].astype(np.float64)})
    with pytest.raises(ValueError, match="head size: expected a multiple of 16"):
        EncoderStep(SMALL.model_copy(update={"heads": 4}), weights)
    with pytest.raises(
        ValueError, match=r"encoder_step: mel: expected float32 \[1, 2, 20\], got \[2, 2, 20\]"
    ):
        EncoderStep(SMALL, weights)(np.concatenate([mel, mel]))
    with pytest.raises(TypeError, match=r"eyes_present: expected bool \[1\], got int64"):
        EncoderStep(SMALL, weights)(mel, eyes_present=np.ones(1, np.int64))
    with pytest.raises(IndexError, match="stream: expected 0 to 0, got 3"):
        EncoderStep(SMALL, weights).reset(3)
