"""What hibari and Kokoro share: one alphabet of tokens and a model that tells how many frames each token
lasts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..phones import segments, shares
from ..utterance import Phone
from . import EngineMissing

RATE_HZ = 24_000
FRAME_S = 0.025  # one duration frame: 600 samples at 24 kHz
_SHORTEST_PAUSE_S = 0.1


def open_with_output(engine: str, model: Path, output: str) -> Any:
    """An ONNX Runtime session (one thread) that answers the inner tensor `output` too, as its last."""
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise EngineMissing(
            engine, f"the package {error.name}", "install it: pip install onnx onnxruntime"
        ) from error
    graph = onnx.load(str(model))
    graph.graph.output.append(onnx.helper.make_empty_tensor_value_info(output))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        graph.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def phones_of(letters: Sequence[str], frames: NDArray[Any]) -> list[Phone]:
    """Phones from letters and their durations in frames ([len(letters) + 2]: a pad stands on either side).

    Marks that are no sound of their own (stress, length, tone) lend their time to the sound before them,
    stress marks to the one after; punctuation is silence, and so is a blank that lasts: between most words
    nobody pauses.
    """
    ends_s = np.cumsum(np.asarray(frames, np.float64)) * FRAME_S
    pieces: list[tuple[list[str], float]] = [([""], float(ends_s[0]))]  # bases, end
    for letter, end_s in zip(letters, ends_s[1:-1], strict=True):
        bases = segments(letter)
        if letter in "ˈˌ":
            continue  # a piece begins where the one before ended, so the mark's time goes to the next sound
        pause = letter in ".,;:!?—…" or (letter.isspace() and end_s - pieces[-1][1] >= _SHORTEST_PAUSE_S)
        if bases or pause:
            pieces.append((bases or [""], float(end_s)))
        else:
            pieces[-1] = (pieces[-1][0], float(end_s))
    pieces.append(([""], float(ends_s[-1])))
    return _split(pieces)


def _split(pieces: Iterable[tuple[list[str], float]]) -> list[Phone]:
    phones: list[Phone] = []
    start_s = 0.0
    for bases, end_s in pieces:
        duration_s = end_s - start_s
        for base, share in zip(bases, shares(bases), strict=True):
            phones.append(Phone(base, start_s, start_s := start_s + share * duration_s))
        start_s = end_s
    return phones
