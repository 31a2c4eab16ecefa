"""The Triton steps of encoder and denoiser: interpreted against the torch modules, compiled without spills, and on
a device captured and replayed.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from triton_process import run

torch = pytest.importorskip("torch")
pytest.importorskip("triton")

LINEAR = """
import itertools, torch
from torch.nn.functional import silu
from rtgraph.kernels.linear.triton import Linear

torch.manual_seed(0)
for rows, activation, precision, full in itertools.product(
    (1, 17), ("none", "silu", "swiglu"), ("float32", "bfloat16"), (False, True)
):
    inputs, columns = 70, 38
    weight, x = torch.randn(columns, inputs) / 8, torch.randn(rows, inputs)
    outputs = columns // 2 if activation == "swiglu" else columns
    bias = torch.randn(columns) if full else None
    gain, scale, shift = (torch.rand(inputs) + 0.5, *torch.randn(2, rows, inputs)) if full else (None,) * 3
    residual = torch.randn(rows, outputs) if full else None
    out = torch.full((rows, outputs), float("nan"))
    Linear(weight, bias, precision, activation, "cpu")(
        x, out, gain=gain, scale=scale, shift=shift, residual=residual
    )
    y = x.double()
    if full:
        y = y / (y.square().mean(1, keepdim=True) + 1e-5).sqrt() * gain * (1 + scale) + shift
    y = y @ weight.double().T + (bias if full else 0)
    if activation == "silu":
        y = silu(y)
    if activation == "swiglu":
        gate, up = y.chunk(2, 1)
        y = silu(gate) * up
    y = y + (residual if full else 0)
    error = ((out - y).norm() / y.norm()).item()
    assert error < (1e-5 if precision == "float32" else 1e-2), (rows, activation, precision, full, error)

for call, message in (
    (lambda: Linear(torch.randn(3, 4), device="cpu")(torch.randn(2, 5), torch.randn(2, 3)),
     "x: expected float32 [2, 4] on cpu"),
    (lambda: Linear(torch.randn(3, 4), activation="swiglu", device="cpu"), "weight: expected [columns, inputs]"),
):
    try:
        call()
    except ValueError as error:
        assert message in str(error), error
    else:
        raise AssertionError("no error: " + message)
print("equal")
"""

STEPS = """
import sys, torch
from rtgraph.kernels.denoiser_step.triton import DenoiserStep
from rtgraph.kernels.encoder_step.triton import EncoderStep
from rtgraph.models.config import DenoiserConfig, EncoderConfig, SIZES
from rtgraph.models.one_step_denoiser import OneStepDenoiser
from rtgraph.models.online_encoder import OnlineEncoder

SMALL = EncoderConfig(mel_bands=20, stem_width=24, width=32, layers=2, heads=2, mlp_width=40, window=3,
    eye_features=10, emotions=3, style_width=4, latent_width=11, hidden_width=37), DenoiserConfig(
    hidden_width=37, latent_width=11, emotions=3, width=50, blocks=2, mlp_width=70, head_width=21, weights=13,
    angles=4, regions=3)

def check(config, device, precision, streams, frames, limit):
    c, d = config
    torch.manual_seed(streams)
    encoder, denoiser = OnlineEncoder(c).eval(), OneStepDenoiser(d).eval()
    for module in (encoder, denoiser):
        torch.nn.init.normal_(module.emotion.weight, std=0.1)
    step = EncoderStep(c, encoder.state_dict(), precision, streams, device)
    denoise = DenoiserStep(d, denoiser.state_dict(), precision, streams, device, hidden=step.hidden)
    encoder, denoiser = encoder.double(), denoiser.double()
    state = encoder.initial_state(streams)
    previous = torch.zeros(streams, c.latent_width)

    def launch():
        step.step()
        denoise.step()

    if device == "cuda":
        launch()  # compiles before the capture
        step.reset.fill_(True)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            launch()
        replay = graph.replay
    else:
        replay = launch
    for t in range(frames):
        given = dict(mel=torch.randn(streams, c.hops_per_frame, c.mel_bands), previous=previous,
            eyes=torch.randn(streams, c.eye_features), eyes_present=torch.rand(streams) < 0.6,
            emotion=torch.rand(streams, c.emotions), style=torch.randn(streams, c.style_width))
        reset = torch.zeros(streams, dtype=torch.bool)
        reset[-1] = t == frames - 2
        reset |= t == 0
        state.reset(reset)
        previous[reset] = 0
        for name, value in given.items():
            getattr(step, name).copy_(value)
        noise = torch.randn(streams, c.latent_width)
        for buffer, value in ((step.reset, reset), (denoise.reset, reset), (denoise.noise, noise),
                              (denoise.emotion, given["emotion"]), (denoise.latent, previous)):
            buffer.copy_(value)
        replay()
        inputs = {name: x.double() if x.is_floating_point() else x for name, x in given.items()}
        hidden = encoder.step(inputs.pop("mel"), state, **inputs)
        with torch.no_grad():
            latent = denoiser(noise.double(), hidden, previous.double(), given["emotion"].double())
            frame, confidence = denoiser.head(latent)
        for name, got, expected in (("hidden", step.hidden, hidden), ("latent", denoise.latent, latent),
                                    ("frame", denoise.frame, frame),
                                    ("confidence", denoise.confidence, confidence)):
            error = ((got.cpu().double() - expected).norm() / expected.norm()).item()
            assert error < limit, (name, t, precision, streams, error)
        previous = latent.float()
    step.mel.fill_(float("nan"))
    replay()
    assert torch.isfinite(step.hidden).all() and torch.isfinite(denoise.frame).all()
    assert int(step.replaced) == c.hops_per_frame * streams

if sys.argv[1:] == ["device"]:
    for streams, precision, limit in ((1, "float32", 1e-4), (64, "float32", 1e-4), (64, "bfloat16", 2e-2)):
        check((SIZES["base"].encoder, SIZES["base"].denoiser), "cuda", precision, streams, 140, limit)
else:
    check(SMALL, "cpu", "float32", 1, 4, 1e-5)
    check(SMALL, "cpu", "bfloat16", 2, 4, 2e-2)
print("equal")
"""

COMPILED = """
import pathlib, re, subprocess, tempfile, triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from rtgraph.kernels.linear.triton import constants, linear_kernel

cuobjdump = pathlib.Path(triton.__file__).parent / "backends/nvidia/bin/cuobjdump"
names = linear_kernel.arg_names
tensors = dict.fromkeys(("x", "bias", "gain", "scale", "shift", "residual", "out"), "*fp32")
for capability in (80, 90):
    for dtype, rows, activation in (("fp32", 1, "swiglu"), ("bf16", 64, "swiglu"), ("fp32", 64, "none")):
        fixed = constants(256, activation, rows, bias=True, gain=True, scale=True, residual=True)
        types = {**tensors, "weight": f"*{dtype}", "epsilon": "fp32", **dict.fromkeys(fixed, "constexpr")}
        signature = {name: types.get(name, "i32") for name in names}
        source = ASTSource(linear_kernel, signature, {(names.index(n),): x for n, x in fixed.items()})
        compiled = triton.compile(source, target=GPUTarget("cuda", capability, 32))
        with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
            file.write(compiled.asm["cubin"])
            file.flush()
            command = [cuobjdump, "--dump-resource-usage", file.name]
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        registers, stack, local = re.search(r"REG:(\\d+) STACK:(\\d+) .*LOCAL:(\\d+)", said).groups()
        assert stack == local == "0", ("spills", capability, dtype, rows, activation, said)
        print(capability, dtype, rows, activation, registers, "registers")
"""


def test_interpreted_products_equal_the_reference(tmp_path: Path) -> None:
    assert "equal" in run(LINEAR, tmp_path, TRITON_INTERPRET="1")


def test_interpreted_steps_equal_the_modules(tmp_path: Path) -> None:
    assert "equal" in run(STEPS, tmp_path, TRITON_INTERPRET="1")


def test_the_product_compiles_without_spills(tmp_path: Path) -> None:
    assert run(COMPILED, tmp_path, TRITON_INTERPRET="0").count("registers") == 6


@pytest.mark.gpu
def test_steps_on_the_device_captured_and_replayed(tmp_path: Path) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    code = STEPS.replace("sys.argv[1:] ==", "['device'] ==")
    assert "equal" in run(code, tmp_path, TRITON_INTERPRET="0")
