"""flite: small English voices whose segment times are exact (a separate program, BSD-like licence)."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
import soxr

from ..phones import from_arpabet, shares
from ..utterance import SAMPLE_RATE_HZ, Phone, Utterance
from . import EngineMissing, Unspoken


class Flite:
    name = "flite"
    label_offset_s = 0.0

    def __init__(self) -> None:
        if shutil.which("flite") is None:
            raise EngineMissing(self.name, "the program flite", "install it: apt-get install flite")

    def languages(self) -> Sequence[str]:
        return ("en",)

    def voices(self, language: str) -> Sequence[str]:
        return ("slt", "rms", "awb", "kal16") if language == "en" else ()

    def speak(
        self,
        text: str,
        voice: str,
        *,
        language: str = "en",
        rate: float = 1.0,
        pitch: float = 0.0,
        seed: int = 0,
    ) -> Utterance:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "speech.wav"
            command = ["flite", "-voice", voice, "--setf", f"duration_stretch={1 / rate:.4f}"]
            # a leading blank: flite takes a text without one for a file name
            done = subprocess.run(
                [*command, "-psdur", "-t", " " + text, "-o", str(path)],
                capture_output=True,
                text=True,
                timeout=120,
            )
            if done.returncode or not path.exists():
                raise Unspoken(
                    f"flite, voice {voice}: no speech came for {text!r}: {done.stderr.strip()[-200:]}"
                )
            sound, rate_hz = soundfile.read(path, dtype="float32")
        audio = soxr.resample(sound, rate_hz, SAMPLE_RATE_HZ).astype(np.float32)
        phones: list[Phone] = []
        start_s = 0.0
        for item in done.stdout.split():
            label, _, end = item.rpartition(":")
            bases, end_s = from_arpabet(label), float(end)
            for base, share in zip(bases, shares(bases), strict=True):
                phones.append(Phone(base, start_s, start_s := start_s + share * (end_s - start_s)))
            start_s = end_s
        return Utterance(audio, tuple(phones)).shifted(self.label_offset_s)
