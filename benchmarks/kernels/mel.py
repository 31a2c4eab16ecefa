"""The log-mel against kaldi-native-fbank: the same audio in the same hops, both called from Python."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import ModuleType

import numpy as np

from rtgraph.kernels.mel import MelConfig, MelState, mel

from ..report import Row, interleave

HOP = 160  # samples
PEER = "kaldi-native-fbank"


def rows(runs: int = 5, quick: bool = False) -> list[Row]:
    """Microseconds a hop: fed hop by hop, as a live stream is, and ten seconds at once, as a file is."""
    noise = np.random.default_rng(0).standard_normal(HOP * (1_000 if quick else 5_000))
    samples = (noise * 0.1).astype(np.float32)
    ours: dict[str, Callable[[], float]] = {
        "stream": lambda: _ours(samples, HOP),
        "clip": lambda: _ours(samples, HOP * 1_000),
    }
    try:
        import kaldi_native_fbank as kaldi
    except ImportError:
        medians = interleave(ours, runs)
        peer = f"{PEER} (absent: pip install {PEER})"
        theirs = dict.fromkeys(ours)
    else:
        peers = {
            "kaldi stream": lambda: _kaldi(kaldi, samples, HOP),
            "kaldi clip": lambda: _kaldi(kaldi, samples, HOP * 1_000),
        }
        medians = interleave({**ours, **peers}, runs)
        peer = PEER
        theirs = {name: medians[f"kaldi {name}"] for name in ours}
    what = {"stream": "mel, a hop of 10 ms at a time", "clip": "mel, 10 s at a time, a hop"}
    return [Row.compare(what[name], "us", medians[name], peer, theirs[name], "lower") for name in ours]


def _ours(samples: np.ndarray, chunk: int) -> float:
    state = MelState(MelConfig())
    out = np.empty((chunk // HOP, 80), np.float32)
    mel(state, samples[:chunk], out)
    start = time.perf_counter()
    for i in range(0, len(samples), chunk):
        mel(state, samples[i : i + chunk], out)
    return (time.perf_counter() - start) * 1e6 * HOP / len(samples)


def _kaldi(kaldi: ModuleType, samples: np.ndarray, chunk: int) -> float:
    options = kaldi.FbankOptions()
    options.frame_opts.dither = 0.0
    options.mel_opts.num_bins = 80
    fbank = kaldi.OnlineFbank(options)
    chunks = [
        samples[i : i + chunk].tolist() for i in range(0, len(samples), chunk)
    ]  # it reads lists fastest
    frames = 0
    start = time.perf_counter()
    for audio in chunks:
        fbank.accept_waveform(16_000, audio)
        while frames < fbank.num_frames_ready:
            fbank.get_frame(frames)
            frames += 1
    return (time.perf_counter() - start) * 1e6 * HOP / len(samples)
