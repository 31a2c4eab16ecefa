"""The native nodes of the frame path ask nothing of the heap once they are warm."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from frame_path_graphs import make_weights

from rtgraph.native import include_dir

HERE = Path(__file__).parent
COMPILER = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++")

# Runs with the counter preloaded; what it prints is a count a node.
DRIVER = """
import ctypes, sys
from rtgraph.nodes import _native
from rtgraph.nodes.audio.mel import AudioMel
from rtgraph.nodes.audio.speech_gate import SpeechGate
from rtgraph.nodes.face.one_step_denoiser import OneStepDenoiser
from rtgraph.nodes.face.online_encoder import OnlineEncoder
from rtgraph.context import Context
from pathlib import Path

counter = ctypes.CDLL(sys.argv[1])
counter.allocations_of.restype = counter.allocations_of_one_vector.restype = ctypes.c_int64
pointer = ctypes.pythonapi.PyCapsule_GetPointer
pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]

def allocations(cls, inputs, outputs, **config):
    node = cls(cls.Config(**config))
    node.open(Context("node", Path(), "manual"))
    capsule = node.native()
    table = ctypes.c_void_p(pointer(capsule, b"rtgraph.native_node.v1"))
    array = lambda sizes: (ctypes.c_int64 * len(sizes))(*sizes)
    return counter.allocations_of(
        table, array(inputs), len(inputs), array(outputs), len(outputs), ctypes.c_int64(300), ctypes.c_int64(500)
    )

print("vector", counter.allocations_of_one_vector())
print("mel", allocations(AudioMel, [160], [80]))
print("mel", allocations(AudioMel, [1000], [80]))
print("gate", allocations(SpeechGate, [160], [1]))
for precision in ("float32", "bfloat16", "int8"):
    network = {"weights": sys.argv[2], "precision": precision}
    print("encoder", allocations(OnlineEncoder, [80, 64, 160, 8], [256], **network))
    print("denoiser", allocations(OneStepDenoiser, [256, 8, 1], [64, 61, 6], **network))
"""


@pytest.mark.skipif(COMPILER is None or sys.platform != "linux", reason="needs a C++ compiler on Linux")
def test_no_allocation_a_frame(tmp_path):
    library = tmp_path / "allocations.so"
    source = HERE / "frame_path_allocations.cpp"
    options = ["-std=c++20", "-O1", "-shared", "-fPIC", f"-I{include_dir()}"]
    subprocess.run([COMPILER, *options, str(source), "-o", str(library), "-ldl"], check=True)
    weights = make_weights(tmp_path)
    ran = subprocess.run(
        [sys.executable, "-c", DRIVER, str(library), str(weights)],
        env={**os.environ, "LD_PRELOAD": str(library)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    counts = [line.split() for line in ran.stdout.splitlines()]
    assert counts[0] == ["vector", "1"]
    assert len(counts) == 10
    assert all(count == "0" for _, count in counts[1:]), counts
