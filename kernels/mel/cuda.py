"""The streaming log-mel of many streams on a GPU: one launch a chunk, graph-capturable."""

from __future__ import annotations

import torch

from .. import _cuda
from ..common.torch_arrays import address, cuda_device
from .config import MelConfig


class MelBatchState:
    """The state of S audio streams on one device; belongs to one CUDA stream at a time.

    Raises ValueError where the config is beyond the GPU kernel (fft_size 2048, a hop longer than the FFT),
    RuntimeError where there is no device.
    """

    def __init__(self, config: MelConfig, streams: int, device: str | torch.device = "cuda") -> None:
        self.config, self.streams, self.device = config, streams, cuda_device(device)
        with torch.cuda.device(self.device):
            self._batch = _cuda.mel.Batch(config, streams)

    def rows_for(self, samples: int) -> int:
        """The most hops that a chunk of `samples` can complete."""
        return -(-samples // self.config.hop_samples)

    def replaced_samples(self) -> list[int]:
        """Broken samples of each stream since its start or reset. Waits for the device."""
        with torch.cuda.device(self.device):
            torch.cuda.synchronize()
            return list(self._batch.replaced_samples())


def mel_batch(
    state: MelBatchState,
    audio: torch.Tensor,
    reset: torch.Tensor | None = None,
    mel: torch.Tensor | None = None,
    hops: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Take a chunk of every stream, give the log-mel rows of the hops that it completes.

    audio: [S, T] float32 on the state's device; reset: [S] uint8, non-zero where a stream starts anew first.
    Returns mel [S, rows_for(T), bands] float32, of which stream s fills the first hops[s] rows, and hops [S]
    int32; both are written in place where given, as a CUDA graph needs. Runs on torch's current stream
    and does not wait. Raises TypeError or ValueError, naming the tensor, where one does not fit.
    """
    if not isinstance(audio, torch.Tensor) or audio.ndim != 2:
        got = list(audio.shape) if isinstance(audio, torch.Tensor) else type(audio).__name__
        raise ValueError(f"mel: audio: expected a tensor [{state.streams}, T], got {got}")
    samples = audio.shape[1]
    shape = (state.streams, state.rows_for(samples), state.config.bands)
    device = state.device
    audio_at = address("mel", "audio", audio, (state.streams, samples), device)
    reset_at = 0
    if reset is not None:
        reset_at = address("mel", "reset", reset, (state.streams,), device, torch.uint8)
    if mel is None:
        mel = torch.empty(shape, device=device)
    if hops is None:
        hops = torch.empty(state.streams, dtype=torch.int32, device=device)
    mel_at = address("mel", "mel", mel, shape, device)
    hops_at = address("mel", "hops", hops, (state.streams,), device, torch.int32)
    with torch.cuda.device(device):
        stream = torch.cuda.current_stream(device).cuda_stream
        state._batch.push(audio_at, samples, reset_at, mel_at, hops_at, stream)
    return mel, hops
