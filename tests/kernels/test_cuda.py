"""The CUDA log-mel and decoder: compiled by nvcc where it is, and run on the host against the references."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from rtgraph.benchmarks.kernels.synthetic_head import synthetic_head
from rtgraph.kernels.decode import Frame, Rig
from rtgraph.kernels.decode import reference as decode_reference
from rtgraph.kernels.mel import LevelConfig, MelConfig
from rtgraph.kernels.mel import reference as mel_reference

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
INSTRUCTION_SETS = ("baseline", "avx2", "avx512")
pytestmark = pytest.mark.slow


@pytest.mark.skipif(shutil.which("nvcc") is None, reason="nvcc is not installed")
@pytest.mark.parametrize("architecture", ["80", "90a"])
@pytest.mark.parametrize("operation", ["mel", "decode"])
def test_compiles_for_the_device_without_spills(operation: str, architecture: str, tmp_path: Path) -> None:
    target = f"-gencode=arch=compute_{architecture},code=sm_{architecture}"
    source = ROOT / "kernels" / operation / "cuda.cu"
    flags = ["-std=c++20", "-O3", "-Xptxas", "-v", f"-I{ROOT}", "-o", str(tmp_path / "object.o")]
    done = subprocess.run(
        ["nvcc", *flags, target, "-c", str(source)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    spills = [line for line in done.stderr.splitlines() if "spill stores" in line]
    assert spills
    assert all("0 bytes spill stores, 0 bytes spill loads" in line for line in spills), "\n".join(spills)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """kernels/*/cuda.cu, built by the C++ compiler against the stand-in runtime of cuda_on_host."""
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("no C++ compiler is installed")
    build = tmp_path_factory.mktemp("cuda_on_host")
    kernels = ROOT / "kernels"
    # The host's own kernels are only linked, never run: any flags do for them.
    commands = [
        ["-O0", f"-DRTGRAPH_ISA={isa}", str(kernels / operation / "simd.cpp")]
        for operation in ("mel", "decode")
        for isa in INSTRUCTION_SETS
    ]
    commands += [
        ["-O1", str(kernels / name)] for name in ("common/isa.cpp", "mel/cpu.cpp", "decode/pack.cpp")
    ]
    shim = f"-I{HERE / 'cuda_on_host'}"
    commands += [["-O1", shim, "-x", "c++", str(kernels / name / "cuda.cu")] for name in ("mel", "decode")]
    commands += [["-O1", shim, str(HERE / "cuda_on_host" / "library.cpp")]]

    def compile_one(numbered: tuple[int, list[str]]) -> str:
        number, arguments = numbered
        out = str(build / f"{number}.o")
        _run([compiler, "-std=c++20", "-fPIC", f"-I{ROOT}", "-c", "-o", out, *arguments])
        return out

    with ThreadPoolExecutor(2) as pool:
        objects = list(pool.map(compile_one, enumerate(commands)))
    path = build / "library.so"
    _run([compiler, "-shared", "-o", str(path), *objects])
    loaded = ctypes.CDLL(str(path))
    for name in ("mel_batch_new", "decode_batch_new"):
        getattr(loaded, name).restype = ctypes.c_void_p
    for name in ("mel_batch_replaced", "decode_batch_replaced"):
        getattr(loaded, name).restype = ctypes.c_uint64
    return loaded


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def pointer(array: np.ndarray | None) -> ctypes.c_void_p:
    return ctypes.c_void_p(None if array is None else array.ctypes.data)


class HostMelBatch:
    """The GPU's log-mel of several streams, run on the host."""

    def __init__(self, library: ctypes.CDLL, config: MelConfig, streams: int) -> None:
        self.loaded, self.config, self.streams = library, config, streams
        htk, level = config.scale == "htk", config.level is not None
        sizes = (config.window_samples, config.hop_samples, config.fft_size, config.bands)
        self.batch = ctypes.c_void_p(library.mel_batch_new(*sizes, htk, level, streams))

    def push(self, audio: np.ndarray, reset: np.ndarray | None = None) -> list[np.ndarray]:
        """audio [S, T] -> the new rows of each stream; what lies behind them must not have been written."""
        samples = audio.shape[1]
        audio = np.ascontiguousarray(audio)
        rows = -(-samples // self.config.hop_samples)
        mel = np.full((self.streams, rows, self.config.bands), np.nan, np.float32)
        hops = np.full(self.streams, -1, np.int32)
        self.loaded.mel_batch_push(
            self.batch, pointer(audio), samples, pointer(reset), pointer(mel), pointer(hops)
        )
        for stream in range(self.streams):
            assert np.isnan(mel[stream, hops[stream] :]).all()
        return [mel[stream, : hops[stream]] for stream in range(self.streams)]

    def replaced(self) -> list[int]:
        return [self.loaded.mel_batch_replaced(self.batch, stream) for stream in range(self.streams)]


def assert_close(out: np.ndarray, truth: np.ndarray) -> None:
    """Within float32 rounding of the amplitude, and of the loudest band's, which no quiet band escapes."""
    assert out.shape == truth.shape
    error, rows = np.abs(np.exp(out.astype(np.float64)) - np.exp(truth)), np.exp(truth)
    assert (error <= 1e-5 * rows + 3e-7 * rows.max(axis=1, keepdims=True)).all()


MEL_CONFIGS = {
    "default": MelConfig(),
    "htk power": MelConfig(level=None, scale="htk", spectrum="power", low_hz=20.0, bands=37, fft_size=1024),
    "hop over window": MelConfig(window_samples=101, hop_samples=127, fft_size=128, bands=13),
    "longest": MelConfig(window_samples=2047, hop_samples=300, fft_size=2048, bands=200),
    "short hop": MelConfig(window_samples=256, hop_samples=31, fft_size=256, bands=40),
}


@pytest.mark.parametrize("name", MEL_CONFIGS)
def test_mel_streams_in_chunks_equal_the_reference(library: ctypes.CDLL, name: str) -> None:
    config, rng = MEL_CONFIGS[name], np.random.default_rng(1)
    audio = rng.standard_normal((3, 3_000)) * rng.uniform(0.001, 0.3, (3, 1))
    audio = (audio * (1 + np.sin(np.arange(3_000) / 200))).astype(np.float32)
    batch = HostMelBatch(library, config, 3)
    parts: list[list[np.ndarray]] = []
    start = 0
    while start < audio.shape[1]:
        size = int(rng.choice([1, 31, 160, 500]))
        parts.append(batch.push(audio[:, start : start + size]))
        start += size
    for stream in range(3):
        out, truth = (
            np.concatenate([part[stream] for part in parts]),
            mel_reference.mel(audio[stream], config),
        )
        assert_close(out, truth)


def test_mel_streams_reset_apart(library: ctypes.CDLL) -> None:
    rng = np.random.default_rng(2)
    audio = (rng.standard_normal((2, 1_700)) * 0.1).astype(np.float32)
    audio[:, 50] = np.nan
    batch = HostMelBatch(library, MelConfig(), 2)
    batch.push(audio[:, :1_000])
    assert batch.replaced() == [1, 1]
    kept, anew = batch.push(audio[:, 1_000:], np.array([0, 1], np.uint8))
    assert batch.replaced() == [1, 0]
    whole = mel_reference.mel(audio[0], MelConfig())
    np.testing.assert_allclose(kept, whole[1_000 // 160 :], rtol=0, atol=2e-5)
    np.testing.assert_allclose(anew, mel_reference.mel(audio[1, 1_000:], MelConfig()), rtol=0, atol=2e-5)


@pytest.mark.parametrize("value", [np.nan, -np.inf, 2e6, 0.0, 1e-42, 1e6])
def test_mel_of_broken_silent_and_clipped_audio_is_finite(library: ctypes.CDLL, value: float) -> None:
    signs = np.sign(np.random.default_rng(5).standard_normal((1, 480)))
    audio = (signs * value).astype(np.float32)
    batch = HostMelBatch(library, MelConfig(), 1)
    (out,) = batch.push(audio)
    assert_close(out, mel_reference.mel(audio[0], MelConfig()))
    assert batch.replaced() == [480 if not abs(value) <= 1e6 else 0]
    if batch.replaced() == [480]:
        np.testing.assert_allclose(out, np.log(1e-5) - LevelConfig().start_level, rtol=1e-6)


class RigView(ctypes.Structure):
    """kernels/decode/decode.h: RigView."""

    COUNTS = ("vertices", "triangles", "shapes", "inputs", "joints", "influences", "gaussians")
    ARRAYS = tuple(item.name for item in fields(Rig))  # in the same order there
    _fields_ = [(name, ctypes.c_int) for name in COUNTS] + [
        (f"{name}_data", ctypes.c_void_p) for name in ARRAYS
    ]

    @classmethod
    def of(cls, rig: Rig) -> RigView:
        influences = rig.skin_joint.shape[1]
        counts = (
            rig.vertices,
            len(rig.triangles),
            rig.shapes,
            rig.inputs,
            rig.joints,
            influences,
            rig.gaussians,
        )
        arrays = (getattr(rig, name) for name in cls.ARRAYS)
        return cls(*counts, *(array.ctypes.data if array.size else None for array in arrays))


class HostDecodeBatch:
    """The GPU's decoder of several sessions, run on the host."""

    def __init__(self, library: ctypes.CDLL, rig: Rig, sessions: int) -> None:
        self.loaded, self.rig, self.sessions = library, rig, sessions
        self.batch = ctypes.c_void_p(library.decode_batch_new(ctypes.byref(RigView.of(rig)), sessions))

    def step(self, expression: np.ndarray, reset: np.ndarray | None = None) -> list[Frame]:
        """expression [S, E] -> a frame a session, written into NaN."""
        one = Frame.empty(self.rig)
        arrays = {
            item.name: np.full((self.sessions, *getattr(one, item.name).shape), np.nan, np.float32)
            for item in fields(Frame)
        }
        outputs = (ctypes.c_void_p * 5)(*(array.ctypes.data for array in arrays.values()))
        expression = np.ascontiguousarray(expression)
        self.loaded.decode_batch_step(self.batch, pointer(expression), pointer(reset), outputs)
        return [Frame(*(array[i] for array in arrays.values())) for i in range(self.sessions)]


def expressions(rng: np.random.Generator, sessions: int) -> np.ndarray:
    weights = rng.uniform(0, 1, (sessions, 61)) * 0.5
    weights[:, 52:] -= 0.25
    return weights.astype(np.float32)


@pytest.mark.parametrize(
    ("rows", "columns", "gaussians", "sessions"), [(4, 5, 0, 1), (9, 13, 150, 2), (12, 11, 131, 5)]
)
def test_decode_equals_the_reference(
    library: ctypes.CDLL, rows: int, columns: int, gaussians: int, sessions: int
) -> None:
    rig = synthetic_head(rows, columns, gaussians, seed=sessions)
    rng = np.random.default_rng(3)
    batch = HostDecodeBatch(library, rig, sessions)
    person = rig.neutral * np.float32(1.2)
    library.decode_batch_set_identity(batch.batch, sessions - 1, pointer(person), pointer(rig.joint_pivot))
    given = expressions(rng, sessions)
    for session, frame in enumerate(batch.step(given)):
        truth = decode_reference.decode(
            replace(rig, neutral=person) if session == sessions - 1 else rig, given[session]
        )
        np.testing.assert_allclose(frame.vertices, truth.vertices, rtol=0, atol=2e-7)
        corners = frame.vertices.astype(np.float64)
        np.testing.assert_allclose(
            frame.normals, decode_reference.vertex_normals(corners, rig.triangles), rtol=0, atol=1e-4
        )
        mean, rotation, scale = decode_reference.carried_gaussians(rig, corners)
        np.testing.assert_allclose(frame.gaussian_mean, mean, rtol=0, atol=1e-6)
        np.testing.assert_allclose(frame.gaussian_scale, scale, rtol=1e-4)
        np.testing.assert_allclose(np.abs((frame.gaussian_rotation * rotation).sum(axis=1)), 1.0, atol=1e-6)


def test_decode_sessions_keep_their_own_last_good_expression(library: ctypes.CDLL) -> None:
    rig, rng = synthetic_head(9, 13, 20), np.random.default_rng(4)
    batch = HostDecodeBatch(library, rig, 3)
    first = batch.step(expressions(rng, 3))
    broken = expressions(rng, 3)
    broken[1, 7], broken[2, 60] = np.nan, -np.inf
    second = batch.step(broken, np.array([0, 0, 1], np.uint8))
    assert not np.array_equal(second[0].vertices, first[0].vertices)
    np.testing.assert_array_equal(second[1].vertices, first[1].vertices)
    np.testing.assert_allclose(second[2].vertices, rig.neutral, rtol=0, atol=1e-7)
    counts = [library.decode_batch_replaced(batch.batch, session) for session in range(3)]
    assert counts == [0, 1, 1]


def test_decode_of_flat_triangles_is_finite(library: ctypes.CDLL) -> None:
    rig = synthetic_head(9, 13, 200)
    neutral = rig.neutral.copy()
    neutral[rig.triangles[:40].ravel()] = neutral[rig.triangles[0, 0]]
    (frame,) = HostDecodeBatch(library, replace(rig, neutral=neutral), 1).step(np.zeros((1, 61), np.float32))
    for item in fields(frame):
        assert np.isfinite(getattr(frame, item.name)).all(), item.name
