"""The Triton attention kernel: in the interpreter against the float64 reference, and compiled ahead of time
without spills.

Each half runs in a process of its own: whether Triton interprets or compiles is fixed when it is imported.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from triton_process import run

torch = pytest.importorskip("torch")
pytest.importorskip("triton")

INTERPRETED = """
import numpy as np, torch
from rtgraph.kernels.attention.reference import attention
from rtgraph.kernels.attention.triton import RingAttention

def relative_error(got, expected):
    return np.linalg.norm(got.double().numpy() - expected) / np.linalg.norm(expected)

def make(*shape, dtype=torch.float32):
    return torch.randn(*shape).to(dtype)

torch.manual_seed(0)
for streams, heads, head_size, window, frames, dtype, limit in (
    (2, 2, 32, 5, 12, torch.float32, 1e-5), (1, 1, 80, 66, 70, torch.float32, 1e-5),
    (1, 2, 64, 9, 14, torch.float32, 1e-5),
    (1, 1, 128, 6, 9, torch.float16, 2e-3), (2, 1, 64, 7, 10, torch.bfloat16, 1e-2),
):
    qkv = make(streams, frames, 3, heads, head_size, dtype=dtype)
    ring = RingAttention(streams, heads, head_size, window, dtype=dtype, device="cpu")
    out = torch.full((streams, frames, heads, head_size), float("nan"), dtype=dtype)
    half = frames // 2
    ring.steps(qkv[:, :half].contiguous(), out=(chunk := out[:, :half].contiguous()))
    out[:, :half] = chunk
    for t in range(half, frames):
        out[:, t] = ring.step(qkv[:, t].contiguous())
    assert relative_error(out, attention(qkv.float().numpy(), window)) < limit, (head_size, dtype)
    assert (ring.positions == frames).all()

ring, new = (RingAttention(3, 1, 32, 4, device="cpu") for _ in range(2))
ring.steps(make(3, 6, 3, 1, 32))
qkv = make(3, 5, 3, 1, 32)
after, fresh = ring.steps(qkv, reset=torch.tensor([False, True, False])), new.steps(qkv)
assert torch.equal(after[1], fresh[1]) and not torch.equal(after[0], fresh[0])
assert ring.positions.tolist() == [11, 5, 11]

far = RingAttention(1, 1, 32, 4, device="cpu")
far.positions += 2**33
qkv = make(1, 10, 3, 1, 32)
assert relative_error(far.steps(qkv)[:, 4:], attention(qkv.numpy(), 4, first_position=2**33)[:, 4:]) < 1e-5

for call, message in (
    (lambda: ring.step(qkv[:, 0]), "qkv: expected a contiguous torch.float32 [3, 3, 1, 32] on cpu, got [1"),
    (lambda: ring.step(make(3, 3, 1, 32).half()), "got torch.float16 on cpu"),
    (lambda: RingAttention(1, 1, 33, 4, device="cpu"), "head_size: expected an even number"),
):
    try:
        call()
    except (TypeError, ValueError) as error:
        assert message in str(error), error
    else:
        raise AssertionError("no error: " + message)
print("equal")
"""

COMPILED = """
import pathlib, re, subprocess, sys, tempfile, triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from rtgraph.kernels.attention.triton import advance_kernel, attention_kernel, constants

cuobjdump = pathlib.Path(triton.__file__).parent / "backends/nvidia/bin/cuobjdump"
for capability in (80, 90):
    for dtype, sizes in (("fp32", (64, 128)), ("fp16", (64,)), ("bf16", (32, 128))):
        for head_size in sizes:
            names = attention_kernel.arg_names
            tensors = dict.fromkeys(("qkv", "keys", "values", "out"), f"*{dtype}")
            others = {"positions": "*i64", "reset": "*i8", "frequency": "*fp64", "scale": "fp32"}
            fixed = constants(128, head_size)
            types = {**tensors, **others, **dict.fromkeys(fixed, "constexpr")}
            signature = {name: types.get(name, "i32") for name in names}
            source = ASTSource(attention_kernel, signature, {(names.index(n),): x for n, x in fixed.items()})
            compiled = triton.compile(source, target=GPUTarget("cuda", capability, 32))
            with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
                file.write(compiled.asm["cubin"])
                file.flush()
                command = [cuobjdump, "--dump-resource-usage", file.name]
                said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            registers, stack, local = re.search(r"REG:(\\d+) STACK:(\\d+) .*LOCAL:(\\d+)", said).groups()
            assert stack == local == "0", ("spills", capability, dtype, head_size, said)
            print(capability, dtype, head_size, registers, "registers")
    source = ASTSource(advance_kernel, {"positions": "*i64", "reset": "*i8", "steps": "i32"}, {})
    triton.compile(source, target=GPUTarget("cuda", capability, 32))
"""

ON_DEVICE = """
import numpy as np, torch
from rtgraph.kernels.attention.reference import attention
from rtgraph.kernels.attention.triton import RingAttention

torch.manual_seed(0)
for streams, heads, head_size, window, dtype, limit in (
    (3, 4, 64, 128, torch.float32, 1e-5), (1, 2, 80, 100, torch.float32, 1e-5),
    (64, 4, 64, 128, torch.float16, 2e-3), (2, 2, 128, 1024, torch.bfloat16, 1e-2),
):
    frames = window + 40
    qkv = torch.randn(streams, frames, 3, heads, head_size).to(dtype)
    expected = attention(qkv.float().numpy(), window)
    chunked = RingAttention(streams, heads, head_size, window, dtype=dtype).steps(qkv.cuda())

    ring = RingAttention(streams, heads, head_size, window, dtype=dtype)
    one, out = qkv[:, 0].cuda(), torch.empty(streams, heads, head_size, dtype=dtype, device="cuda")
    reset = torch.zeros(streams, dtype=torch.bool, device="cuda")
    ring.step(one, reset=reset, out=out)  # compiles before the capture
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        ring.step(one, reset=reset, out=out)
    replayed = torch.full_like(chunked, float("nan"))
    for t in range(frames):
        one.copy_(qkv[:, t])
        reset.fill_(t == 0)
        graph.replay()
        replayed[:, t] = out
    for got in (chunked, replayed):
        error = np.linalg.norm(got.double().cpu().numpy() - expected) / np.linalg.norm(expected)
        assert error < limit, (head_size, dtype, error)
    assert (ring.positions == frames).all()
print("equal")
"""


def test_interpreted_kernel_equals_the_reference(tmp_path: Path) -> None:
    assert "equal" in run(INTERPRETED, tmp_path, TRITON_INTERPRET="1")


def test_compiles_for_sm_80_and_sm_90_without_spills(tmp_path: Path) -> None:
    assert run(COMPILED, tmp_path, TRITON_INTERPRET="0").count("registers") == 10


@pytest.mark.gpu
def test_on_the_device_also_captured_and_replayed(tmp_path: Path) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    assert "equal" in run(ON_DEVICE, tmp_path, TRITON_INTERPRET="0")
