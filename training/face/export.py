"""`rtgraph export`: the networks as ONNX files for other runtimes, checked against torch before they are
kept.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from rtgraph.errors import RtGraphError

_TOLERANCE = 1e-4


class ExportError(RtGraphError):
    """The networks cannot be exported, or what was exported does not give the same numbers."""


def export(
    format: Annotated[str, typer.Argument(help="onnx")] = "onnx",
    weights: Annotated[str, typer.Option(help="a bundled size, or a .safetensors file")] = "base",
    out: Annotated[
        Path, typer.Option("--out", "-o", help="folder for encoder.onnx and denoiser.onnx")
    ] = Path("."),
) -> None:
    """Write the face networks as ONNX: the denoiser's one evaluation, the encoder over sequences."""
    if format != "onnx":
        raise ExportError(f"format {format!r}: expected onnx")
    from .command import _weights_path

    path = _weights_path(weights)
    assert path is not None
    out.mkdir(parents=True, exist_ok=True)
    for name, error in export_onnx(path, out).items():
        typer.echo(f"{out / name}.onnx: equal to torch within {error:.1e}")


def export_onnx(path: Path, out: Path) -> dict[str, float]:
    """Writes encoder.onnx and denoiser.onnx; returns the largest difference to torch of each.

    encoder: mel [B, 2 T, 80], previous [B, T, 64], eyes [B, T, 160], eyes_present [B, T] bool, emotion [B,
    8], style [B, 16] -> hidden [B, T, 256]. denoiser: noise [B, 64], hidden [B, 256], previous [B, 64],
    emotion [B, 8] -> latent [B, 64], frame [B, 61], confidence [B, 6]. B and T are free. ExportError where
    the answers differ by more than 1e-4 or the extra [train] is missing.
    """
    import torch

    from rtgraph.models.one_step_denoiser import OneStepDenoiser
    from rtgraph.models.online_encoder import OnlineEncoder

    class Denoiser(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = OneStepDenoiser.load(path)

        def forward(self, noise: Any, hidden: Any, previous: Any, emotion: Any) -> Any:
            latent = self.inner(noise, hidden, previous, emotion)
            return (latent, *self.inner.head(latent))

    encoder = OnlineEncoder.load(path)
    c = encoder.config
    frames, streams = (
        torch.export.Dim("frames", min=2, max=100_000),
        torch.export.Dim("streams", min=1, max=4096),
    )
    hops = c.hops_per_frame * frames
    both = {0: streams, 1: frames}

    def sequence(b: int, t: int) -> tuple[Any, ...]:
        g = torch.Generator().manual_seed(b + t)
        return (
            torch.randn(b, c.hops_per_frame * t, c.mel_bands, generator=g),
            torch.randn(b, t, c.latent_width, generator=g),
            torch.randn(b, t, c.eye_features, generator=g),
            torch.rand(b, t, generator=g) > 0.5,
            torch.rand(b, c.emotions, generator=g),
            torch.randn(b, c.style_width, generator=g),
        )

    def step(b: int) -> tuple[Any, ...]:
        g = torch.Generator().manual_seed(b)
        widths = (c.latent_width, c.hidden_width, c.latent_width, c.emotions)
        return tuple(torch.randn(b, width, generator=g) for width in widths)

    return {
        "encoder": _export(
            encoder, sequence(2, 30), sequence(3, 150), out / "encoder.onnx",
            ("mel", "previous", "eyes", "eyes_present", "emotion", "style"), ("hidden",),
            ({0: streams, 1: hops}, both, both, both, {0: streams}, {0: streams}),
        ),
        "denoiser": _export(
            Denoiser().eval(), step(2), step(5), out / "denoiser.onnx",
            ("noise", "hidden", "previous", "emotion"), ("latent", "frame", "confidence"),
            ({0: streams},) * 4,
        ),
    }  # fmt: skip


def _export(
    module: Any, example: Any, other: Any, path: Path, inputs: Any, outputs: Any, dynamic: Any
) -> float:
    """Writes one network and returns its largest difference to torch on `other`, of another shape than
    `example`.
    """
    import torch

    try:
        import onnxruntime
        import onnxscript  # noqa: F401  torch's exporter needs it
    except ImportError as error:
        raise ExportError(f"{error}; install the extra: pip install 'rtgraph[train]'") from error
    with torch.no_grad():
        torch.onnx.export(
            module, example, path, input_names=inputs, output_names=outputs, dynamic_shapes=dynamic,
            dynamo=True, external_data=False, verbose=False,
        )  # fmt: skip
        expected = module(*other)
    expected = expected if isinstance(expected, tuple) else (expected,)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    said = session.run(None, {name: x.numpy() for name, x in zip(inputs, other, strict=True)})
    difference = max(float(np.abs(a - b.numpy()).max()) for a, b in zip(said, expected, strict=True))
    if difference > _TOLERANCE:
        path.unlink()
        raise ExportError(
            f"{path.name}: ONNX differs from torch by {difference:.1e}, more than {_TOLERANCE}; not kept"
        )
    return difference
