"""The plain truth of the log-mel: a whole clip at once, in float64 numpy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .config import LevelConfig, MelConfig

SAMPLE_LIMIT = 1e6  # a sample beyond it, or not a number, is taken as silence


def hz_to_mel(hz: npt.ArrayLike, scale: str) -> npt.NDArray[np.float64]:
    """Slaney 1998 (Auditory Toolbox): linear to 1 kHz, then 27 mels per factor 6.4. HTK: O'Shaughnessy."""
    hz = np.asarray(hz, np.float64)
    if scale == "htk":
        return 2595.0 * np.log10(1.0 + hz / 700.0)
    linear = hz * 3.0 / 200.0
    above = 15.0 + 27.0 * np.log(np.maximum(hz, 1000.0) / 1000.0) / np.log(6.4)
    return np.where(hz < 1000.0, linear, above)


def mel_to_hz(mel: np.ndarray, scale: str) -> npt.NDArray[np.float64]:
    """Inverse of hz_to_mel."""
    mel = np.asarray(mel, np.float64)
    if scale == "htk":
        return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
    return np.where(mel < 15.0, mel * 200.0 / 3.0, 1000.0 * 6.4 ** ((np.maximum(mel, 15.0) - 15.0) / 27.0))


def filterbank(config: MelConfig) -> npt.NDArray[np.float64]:
    """Triangles over the FFT bins: [bands, fft_size / 2 + 1] float64."""
    ends = hz_to_mel(np.array([config.low_hz, config.high_hz]), config.scale)
    edges = mel_to_hz(np.linspace(ends[0], ends[1], config.bands + 2), config.scale)  # [bands + 2] Hz
    bins = np.arange(config.fft_size // 2 + 1) * (config.sample_rate_hz / config.fft_size)  # Hz
    low, centre, high = (edges[i : i + config.bands, None] for i in range(3))
    triangles = np.maximum(0.0, np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre)))
    if config.scale == "slaney":
        triangles = triangles * (2.0 / (high - low))
    return triangles


def log_mel(audio: np.ndarray, config: MelConfig) -> npt.NDArray[np.float64]:
    """Log-mel of a clip before level normalisation: audio [T] -> [T // hop, bands] float64, natural log."""
    audio = np.asarray(audio, np.float64)
    audio = np.where(np.abs(audio) <= SAMPLE_LIMIT, audio, 0.0)
    hops = len(audio) // config.hop_samples
    padded = np.concatenate([np.zeros(config.window_samples), audio])
    ends = config.window_samples + config.hop_samples * np.arange(1, hops + 1)
    frames = padded[ends[:, None] + np.arange(-config.window_samples, 0)]  # [H, window]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(config.window_samples) / config.window_samples)
    spectrum = np.abs(np.fft.rfft(frames * window, config.fft_size))  # [H, bins]
    if config.spectrum == "power":
        spectrum = spectrum**2
    return np.log(np.maximum(spectrum @ filterbank(config).T, config.floor))


def running_level(frames: np.ndarray, config: MelConfig, level: LevelConfig) -> npt.NDArray[np.float64]:
    """The causal level estimate after each frame: log-mel [H, bands] -> [H] float64, nats."""
    hops_per_s = config.sample_rate_hz / config.hop_samples
    estimate, heard = level.start_level, level.start_s * hops_per_s
    memory = max(1.0, level.memory_s * hops_per_s)
    estimates = np.empty(len(frames))
    for i, frame in enumerate(frames):
        hop_level = frame.mean()
        if hop_level >= level.silence_level:
            weight = 1.0 if hop_level >= estimate - level.gate_below else 1.0 / level.gated_slowdown
            heard = min(heard + weight, memory)
            estimate += weight / max(heard, 1.0) * (hop_level - estimate)
        estimates[i] = estimate
    return estimates


def mel(audio: np.ndarray, config: MelConfig) -> npt.NDArray[np.float64]:
    """What the streaming operation yields over a whole clip: audio [T] -> [T // hop, bands] float64."""
    frames = log_mel(audio, config)
    if config.level is None:
        return frames
    return frames - running_level(frames, config, config.level)[:, None]
