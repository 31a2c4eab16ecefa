"""`python -m rtgraph.training.corpus.say`: sentences by Kokoro voices in a sound file, to watch a face by."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import soundfile

from .engines.kokoro import Kokoro
from .utterance import SAMPLE_RATE_HZ, CorpusError
from .voice import shout

_PAUSE_S = 0.5


def main() -> int:
    name = "python -m rtgraph.training.corpus.say"
    parser = argparse.ArgumentParser(prog=name, description=__doc__)
    parser.add_argument(
        "--line", action="append", nargs=3, required=True, metavar=("LANGUAGE", "VOICE", "TEXT"),
        help="may be repeated; LANGUAGE! is shouted, as en! am_michael 'Watch out!'",
    )  # fmt: skip
    parser.add_argument("-o", "--out", type=Path, required=True, help="WAV or FLAC, 16 kHz")
    given = parser.parse_args()
    try:
        engine = Kokoro()
        parts = [_said(engine, *line) for line in given.line]
    except CorpusError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    soundfile.write(given.out, np.concatenate(parts), SAMPLE_RATE_HZ)
    return 0


def _said(engine: Kokoro, language: str, voice: str, text: str) -> np.ndarray:
    audio = engine.speak(text, voice, language=language.rstrip("!")).audio
    audio = shout(audio) if language.endswith("!") else audio
    return np.pad(audio, round(_PAUSE_S / 2 * SAMPLE_RATE_HZ))


if __name__ == "__main__":
    sys.exit(main())
