"""The peer @met4citizen/headaudio 0.1.0 (npm, MIT) as a predictor: its visemes on our face.

Its own easing between visemes (a tenth of a second, a sigmoid, peaks of 0.65 and 0.75) is done here as its
headaudio.mjs does it for every frame shown; the mouth of a viseme is that of our articulatory model.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np

from rtgraph.errors import RtGraphError
from rtgraph.models.expression import ARKIT, FRAME
from rtgraph.training.corpus.articulation import CONTROLS, Mouth, shapes
from rtgraph.training.corpus.parameters import default
from rtgraph.training.corpus.style import Style
from rtgraph.training.evaluation.predictors import FloatArray, Predictor

#: Ours for aa E I O U PP SS TH DD FF kk nn RR CH sil.
_VISEMES = ("a", "ɛ", "i", "o", "u", "bilabial", "sibilant", "dental", "alveolar", "labiodental", "velar",
            "alveolar", "rhotic", "postalveolar", "silence")  # fmt: skip
_PEAKS = np.array([0.65] * 5 + [0.75] + [0.65] * 3 + [0.75] + [0.65] * 5)
_EASE = 5.0
_STEP = 20 / 100  # of the way, in a frame of 20 ms


def headaudio(package: Path) -> Predictor:
    """`package`: the unpacked npm package. RtGraphError where node cannot run it."""

    def predict(audio: FloatArray) -> FloatArray:
        mixed = _eased(_active(package, audio))
        p = default()
        targets = np.array([[getattr(p.visemes[v], name) for name in CONTROLS] for v in _VISEMES])
        shut = mixed[:, _VISEMES.index("bilabial")] / _PEAKS[_VISEMES.index("bilabial")]
        mouth = Mouth((mixed / _PEAKS.min() @ targets).astype(np.float32), shut.astype(np.float32))
        frames = np.zeros((len(mixed), len(FRAME)), np.float32)
        frames[:, : len(ARKIT)] = shapes(mouth, p.emotions["neutral"], 0.0, Style(), p)
        return frames

    return predict


def _active(package: Path, audio: FloatArray) -> list[int]:
    command = ["node", str(Path(__file__).with_suffix(".mjs")), str(package)]
    try:
        ran = subprocess.run(command, input=audio.astype("<f4").tobytes(), capture_output=True, check=True)
    except FileNotFoundError as error:
        raise RtGraphError("headaudio runs in node; install Node.js 20 or newer") from error
    except subprocess.CalledProcessError as error:
        raise RtGraphError(
            f"node could not run headaudio in {package}: {error.stderr.decode()[-500:]}; "
            "unpack it there: npm pack @met4citizen/headaudio@0.1.0 && tar xzf *.tgz"
        ) from error
    said: list[int] = json.loads(ran.stdout)
    return said


def _eased(active: list[int]) -> np.ndarray:
    """[F, 15] weight of every viseme."""
    way = np.zeros(len(_VISEMES))
    out = np.zeros((len(active), len(_VISEMES)))
    edge = 1 / (1 + np.exp(-_EASE)) - 0.5
    for frame, chosen in enumerate(active):
        up = np.arange(len(way)) == chosen
        way = np.clip(np.where(up, way + _STEP, way - _STEP), 0, 1)
        out[frame] = _PEAKS * ((1 / (1 + np.exp(-_EASE * (2 * way - 1))) - 0.5) * 0.5 / edge + 0.5)
    return out
