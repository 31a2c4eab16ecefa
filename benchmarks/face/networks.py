"""The networks that are measured: ours with random weights, its ONNX export, and the shapes of two larger
ones.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from rtgraph.models.config import SIZES
from rtgraph.models.one_step_denoiser import OneStepDenoiser
from rtgraph.models.online_encoder import OnlineEncoder
from rtgraph.models.weights import Card, save

from ..kernels.onnx_face import export


def _random(size: str) -> tuple[OnlineEncoder, OneStepDenoiser]:
    torch.manual_seed(0)
    return OnlineEncoder(SIZES[size].encoder).eval(), OneStepDenoiser(SIZES[size].denoiser).eval()


def save_random(folder: Path, size: str) -> Path:
    """A weights file of a size."""
    encoder, denoiser = _random(size)
    path = folder / f"{size}.safetensors"
    save(
        path, {"encoder": encoder, "denoiser": denoiser}, Card(name=size, licence="none", config=SIZES[size])
    )
    return path


def export_onnx(folder: Path) -> dict[str, Path]:
    """The base size as ONNX Runtime takes it, in float32 and in its own dynamic int8."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    paths = {"float32": folder / "face.onnx", "int8": folder / "face_int8.onnx"}
    export(*_random("base"), SIZES["base"], paths["float32"])
    model = onnx.load(paths["float32"])
    del model.graph.value_info[:]  # the exporter's shapes of optimised-away values confuse the quantiser
    quantize_dynamic(model, paths["int8"], weight_type=QuantType.QInt8)
    return paths


class SpeechEncoder(nn.Module):
    """In the shape of wav2vec 2.0 base and HuBERT base (Baevski et al. 2020, Hsu et al. 2021)."""

    def __init__(self) -> None:
        super().__init__()
        kernels, strides = (10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2)
        convolutions: list[nn.Module] = []
        for i, (kernel, stride) in enumerate(zip(kernels, strides, strict=True)):
            convolutions += [nn.Conv1d(512 if i else 1, 512, kernel, stride, bias=False), nn.GELU()]
        self.features = nn.Sequential(*convolutions)
        self.projection = nn.Linear(512, 768)
        self.position = nn.Conv1d(768, 768, 128, padding=64, groups=16)
        layer = nn.TransformerEncoderLayer(768, 12, 3072, activation="gelu", batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 12)

    def forward(self, audio: Tensor) -> Tensor:
        """[B, T] -> [B, about T / 320, 768]."""
        x = self.projection(self.features(audio.unsqueeze(1)).transpose(1, 2))
        x = x + self.position(x.transpose(1, 2))[..., : x.shape[1]].transpose(1, 2)
        y: Tensor = self.layers(x)
        return y


def _decoder(width: int, heads: int, inner: int, layers: int) -> nn.TransformerDecoder:
    return nn.TransformerDecoder(nn.TransformerDecoderLayer(width, heads, inner, batch_first=True), layers)


def _faceformer() -> Callable[[], object]:
    """FaceFormer (Fan et al. 2022) as for VOCASET: one more frame, with a second of past.

    The second of sound is encoded anew and the decoder runs over its 30 frames, as the paper's code does.
    """
    speech, narrow, decoder = SpeechEncoder(), nn.Linear(768, 64), _decoder(64, 4, 128, 1)
    vertices = nn.Linear(64, 5023 * 3)
    nn.ModuleList([speech, narrow, decoder, vertices]).eval()
    audio, motion = torch.randn(1, 16_000), torch.randn(1, 30, 64)
    return lambda: vertices(decoder(motion, narrow(speech(audio))))


def _diffposetalk() -> tuple[Callable[[], object], Callable[[], object]]:
    """DiffPoseTalk (Sun et al. 2024), 100 frames from 4 s of sound: the encoding, and one denoising step.

    A step takes 110 frames in a batch of 3, for guidance by audio and style; there are 500 of them.
    """
    speech, decoder = SpeechEncoder().eval(), _decoder(512, 8, 2048, 8).eval()
    audio, motion, memory = torch.randn(1, 64_000), torch.randn(3, 110, 512), torch.randn(3, 110, 512)
    return lambda: speech(audio), lambda: decoder(motion, memory)


def larger_networks(calls: int = 3) -> dict[str, float]:
    """Milliseconds a frame on one thread, with what was counted in the name."""
    torch.set_num_threads(1)
    encode, denoise = _diffposetalk()
    with torch.no_grad():
        faceformer_ms = _median_ms(_faceformer(), calls)
        diffposetalk_ms = (_median_ms(encode, calls) + 500 * _median_ms(denoise, calls)) / 100
    return {
        "FaceFormer-shaped, 1 s of past, torch": faceformer_ms,
        "DiffPoseTalk-shaped, 500 steps a window of 100 frames, torch (each waits for all)": diffposetalk_ms,
    }


def _median_ms(call: Callable[[], object], calls: int) -> float:
    call()
    times = []
    for _ in range(calls):
        start = time.perf_counter_ns()
        call()
        times.append((time.perf_counter_ns() - start) / 1e6)
    return statistics.median(times)
