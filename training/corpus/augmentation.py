"""What rooms, microphones and networks do to sound on its way; the face does not change, so labels stay as
they are.

Everything here is causal or symmetric to within two milliseconds: no augmentation may move the sound against
the face.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

from .nonspeech import coloured_noise
from .utterance import FRAME_SAMPLES, SAMPLE_RATE_HZ, FloatArray


@dataclass(frozen=True)
class Chances:
    """How often each happens (0..1); they are drawn independently and applied in this order."""

    two_talkers: float = 0.08
    playback_echo: float = 0.10
    reverberation: float = 0.35
    noise: float = 0.45
    equaliser: float = 0.5
    band_limit: float = 0.2
    gain: float = 0.9
    packet_loss: float = 0.08


def augment(
    audio: FloatArray,
    rng: np.random.Generator,
    others: Sequence[FloatArray] = (),
    chances: Chances | None = None,
) -> FloatArray:
    """[T] -> [T] float32 in -1..1; `others` are other people's recordings (without them nobody else is
    heard).
    """
    chances = chances or Chances()
    sound = audio.astype(np.float32)
    for field in fields(chances):
        wanted = rng.random() < getattr(chances, field.name)
        if field.name in _WITH_OTHERS:
            if wanted and len(others):
                sound = _WITH_OTHERS[field.name](sound, others[int(rng.integers(len(others)))], rng)
        elif wanted:
            sound = _ALONE[field.name](sound, rng)
    return np.clip(sound, -1, 1).astype(np.float32)


def two_talkers(audio: FloatArray, other: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Somebody else in the room, 5 to 25 dB softer: the nearer talker owns the face."""
    return audio + _as_loud(_fit(other, len(audio), rng), audio, float(rng.uniform(-25, -5)))


def playback_echo(audio: FloatArray, other: FloatArray, rng: np.random.Generator) -> FloatArray:
    """The far end from the own loudspeaker: filtered, reverberant, 12 to 35 dB softer."""
    played = sosfilt(
        butter(2, [300, 5000], "bandpass", fs=SAMPLE_RATE_HZ, output="sos"), _fit(other, len(audio), rng)
    )
    echo = reverberation(played.astype(np.float32), rng)
    return audio + _as_loud(echo, audio, float(rng.uniform(-35, -12)))


def reverberation(audio: FloatArray, rng: np.random.Generator) -> FloatArray:
    """The direct sound and an exponentially decaying noise tail, RT60 0.15 to 0.9 s (Polack's model)."""
    decay_s = float(rng.uniform(0.15, 0.9))
    samples = int(decay_s * SAMPLE_RATE_HZ)
    times = np.arange(samples) / SAMPLE_RATE_HZ
    tail = rng.standard_normal(samples) * 10 ** (-3 * times / decay_s)
    tail[: int(rng.uniform(0.001, 0.01) * SAMPLE_RATE_HZ)] = 0
    tail = lfilter([1.0], [1.0, -float(rng.uniform(0.0, 0.6))], tail)
    tail *= 10 ** (float(rng.uniform(-14, 2)) / 20) / (np.sqrt(np.sum(tail**2)) + 1e-9)
    tail[0] = 1.0
    return fftconvolve(audio, tail)[: len(audio)].astype(np.float32)


def noise(audio: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Steady noise of any colour, 5 to 45 dB under the speech."""
    background = coloured_noise(len(audio), float(rng.uniform(-6, 0)), rng)
    return audio + _as_loud(background, audio, float(rng.uniform(-45, -5)))


def equaliser(audio: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Three random peaks or dips of up to 8 dB (second-order sections of the RBJ cookbook)."""
    sound: np.ndarray = audio
    for _ in range(3):
        centre, gain_db, width = (
            np.exp(rng.uniform(np.log(80), np.log(7000))),
            rng.uniform(-8, 8),
            rng.uniform(0.5, 2),
        )
        turn = 2 * np.pi * centre / SAMPLE_RATE_HZ
        amount, alpha = 10 ** (gain_db / 40), np.sin(turn) / (2 * width)
        above = [1 + alpha * amount, -2 * np.cos(turn), 1 - alpha * amount]
        below = [1 + alpha / amount, -2 * np.cos(turn), 1 - alpha / amount]
        sound = lfilter(above, below, sound)
    return sound.astype(np.float32)


def band_limit(audio: FloatArray, rng: np.random.Generator) -> FloatArray:
    """A telephone (300-3400 Hz, mu-law), a Bluetooth headset (to 3.6 or 7 kHz) or a cheap microphone."""
    kind = rng.integers(3)
    if kind == 0:
        sound = sosfilt(butter(3, [300, 3400], "bandpass", fs=SAMPLE_RATE_HZ, output="sos"), audio)
        peak = float(np.abs(sound).max()) + 1e-9
        folded = np.sign(sound) * np.log1p(255 * np.abs(sound) / peak) / np.log(256)
        coarse = np.round(folded * 127) / 127
        sound = peak * np.sign(coarse) * (256 ** np.abs(coarse) - 1) / 255
    elif kind == 1:
        sound = sosfilt(butter(4, float(rng.choice([3600, 7000])), fs=SAMPLE_RATE_HZ, output="sos"), audio)
    else:
        sound = sosfilt(
            butter(1, float(rng.uniform(80, 350)), "highpass", fs=SAMPLE_RATE_HZ, output="sos"), audio
        )
    return np.asarray(sound, np.float32)


def gain(audio: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Peak between -36 and +4 dB of full scale: quiet microphones, and clipping ones."""
    peak = float(np.abs(audio).max())
    return audio if peak < 1e-6 else audio * np.float32(10 ** (rng.uniform(-36, 4) / 20) / peak)


def packet_loss(audio: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Lost 20 ms packets in bursts (Gilbert 1960), silent or filled with the packet before, fading."""
    sound: FloatArray = audio.copy()
    lost, level = False, 1.0
    enter, leave, repeats = rng.uniform(0.005, 0.05), rng.uniform(0.2, 0.7), bool(rng.integers(2))
    for start in range(FRAME_SAMPLES, len(sound) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        lost = rng.random() < (1 - leave if lost else enter)
        level = level * 0.6 if lost else 1.0
        if lost:
            before = sound[start - FRAME_SAMPLES : start]
            sound[start : start + FRAME_SAMPLES] = level * before if repeats else 0
    return sound


def _fit(other: FloatArray, samples: int, rng: np.random.Generator) -> FloatArray:
    """`other` from a random place, repeated as often as needed."""
    start = int(rng.integers(max(len(other), 1)))
    return np.resize(np.roll(other, -start), samples).astype(np.float32)


def _as_loud(sound: FloatArray, reference: FloatArray, relative_db: float) -> FloatArray:
    """`sound` scaled to the reference's speech level (its loudest tenth) plus `relative_db`; -40 dBFS under
    silence.
    """

    def level(x: FloatArray) -> float:
        frames = x[: len(x) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
        return (
            float(np.sqrt(np.percentile(np.mean(frames.astype(np.float64) ** 2, axis=1), 90)))
            if len(frames)
            else 0.0
        )

    wanted = level(reference) or 0.01
    return (sound * (wanted * 10 ** (relative_db / 20) / (level(sound) + 1e-9))).astype(np.float32)


_ALONE: dict[str, Callable[[FloatArray, np.random.Generator], FloatArray]] = {
    "reverberation": reverberation,
    "noise": noise,
    "equaliser": equaliser,
    "band_limit": band_limit,
    "gain": gain,
    "packet_loss": packet_loss,
}
_WITH_OTHERS: dict[str, Callable[[FloatArray, FloatArray, np.random.Generator], FloatArray]] = {
    "two_talkers": two_talkers,
    "playback_echo": playback_echo,
}
