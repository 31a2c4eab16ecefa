"""`python -m rtgraph.benchmarks.quality`: all figures of docs/quality.md about one weights file."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from rtgraph.errors import RtGraphError
from rtgraph.models.weights import Weights
from rtgraph.training.corpus import Clip, CorpusError
from rtgraph.training.corpus import read_all as read_corpus
from rtgraph.training.corpus.engines.kokoro import cache_folder
from rtgraph.training.evaluation.baselines import energy_to_jaw
from rtgraph.training.evaluation.predictors import face_from_sound, load, shipped
from rtgraph.training.evaluation.recordings import read_recordings
from rtgraph.training.evaluation.report import as_json, comparison, table
from rtgraph.training.evaluation.score import score

from . import held_out, long_stream, networks
from .headaudio import headaudio

_BLOCK_S = 300  # of speech that the hour repeats


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m rtgraph.benchmarks.quality", description=__doc__)
    parser.add_argument("--weights", default="tiny", help="a bundled size or a file (default: tiny)")
    parser.add_argument("--run", type=Path, help="folder of its run: the teacher and the regression, too")
    parser.add_argument("--data", type=Path, help="recordings, as for rtgraph eval")
    parser.add_argument("--headaudio", type=Path, help="the unpacked npm package, with --data: a peer")
    parser.add_argument("--corpus", type=Path, help="folder of synthesised speech (default: in the cache)")
    parser.add_argument("--hours", type=float, default=1.0, help="of the drift (default: 1)")
    parser.add_argument("--json", type=Path, help="every figure")
    given = parser.parse_args()
    console = Console(width=160, soft_wrap=True)
    figures: dict[str, Any] = {}
    try:
        loaded = load(given.weights)
        if given.data is not None:
            figures["recordings"] = _recordings(
                given.data, given.weights, given.run, given.headaudio, console
            )
        clips = [c for c in read_corpus(given.corpus or cache_folder() / "corpus", "valid") if _is_speech(c)]
        figures["held_out"] = _held_out(loaded, clips, console)
        figures["stream"] = _stream(loaded, clips, given.hours, console)
    except (RtGraphError, CorpusError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if given.json is not None:
        given.json.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    return 0


def _recordings(
    data: Path, weights: str, run: Path | None, peer: Path | None, console: Console
) -> dict[str, Any]:
    recordings = read_recordings(data)
    predictors = {"student": shipped(weights)}
    if run is not None:
        predictors |= {"teacher": networks.teacher(run), "regression": networks.regression(run)}
    if peer is not None:
        predictors["headaudio"] = headaudio(peer)
    predictors["energy to jaw"] = energy_to_jaw
    methods = {name: score(recordings, face_from_sound(p)) for name, p in predictors.items()}
    console.print(table(methods))
    for other in list(methods)[1:]:
        console.print(comparison("student", other, methods))
    return as_json(methods, {})


def _held_out(loaded: Weights, clips: list[Clip], console: Console) -> dict[str, Any]:
    found = list(held_out.measure(loaded, clips))
    languages = held_out.by_language(found)
    english = languages.get("en", held_out.Language(float("nan"), float("nan"), 0))
    for name, of in languages.items():
        own, average = of.aperture_r / english.aperture_r, of.average_r / english.average_r
        console.print(
            f"{name}: aperture r {of.aperture_r:.3f} ({own:.2f} of English), "
            f"of an average speaker {of.average_r:.3f} ({average:.2f}), {of.clips} clips"
        )
    hits, misses, wrong = (sum(getattr(f, n) for f in found) for n in ("hits", "misses", "false_alarms"))
    figures = {
        "f1_pbm": held_out.f1(found),
        "gaze_r": float(np.mean([f.gaze_r for f in found])),
        "lid_r": float(np.mean([f.lid_r for f in found])),
        "head_sd_rad": float(np.mean([f.head_sd for f in found])),
        "true_head_sd_rad": float(np.mean([f.true_head_sd for f in found])),
    }
    console.print(
        f"p b m: {hits} met, {misses} missed, {wrong} closures too many: F1 {figures['f1_pbm']:.3f}"
    )
    for name, value in figures.items():
        console.print(f"{name} {value:.4f}")
    return figures | {"languages": {name: of._asdict() for name, of in languages.items()}}


def _stream(loaded: Weights, clips: list[Clip], hours: float, console: Console) -> dict[str, Any]:
    block = _joined(clips, _BLOCK_S)
    began = time.monotonic()
    drifted = long_stream.drift(loaded, block.audio, hours)
    console.print(f"{hours:g} h of stream in {time.monotonic() - began:.0f} s: {drifted}")
    seam = long_stream.seam(loaded, block.audio, block.motion)
    console.print(f"{seam}, excess {seam.excess:+.3f} of the reference's change")
    return {"drift": drifted._asdict(), "seam": seam._asdict() | {"excess": seam.excess}}


def _joined(clips: list[Clip], seconds: float) -> Clip:
    chosen: list[Clip] = []
    for clip in clips:
        if sum(len(c.motion) for c in chosen) < seconds * 50:
            chosen.append(clip)
    said = replace(chosen[0].recording.said, audio=np.concatenate([c.audio for c in chosen]))
    motion = np.concatenate([c.motion for c in chosen])
    return Clip(replace(chosen[0].recording, said=said), motion)


def _is_speech(clip: Clip) -> bool:
    return clip.recording.about["kind"] == "speech"


if __name__ == "__main__":
    sys.exit(main())
