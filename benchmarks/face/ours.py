"""Runs the frame path, prints what each frame took; arguments WEIGHTS PRECISION SECONDS [--live]."""

from __future__ import annotations

import json
import sys

from rtgraph import Runner
from rtgraph.planner import plan_text

from .memory import peak_memory_mb

GRAPH = """
version: 1
clock: {clock}
frame: avatar.vertices
nodes:
  mic: {{type: audio.file}}
  mel: {{type: audio.mel, thread: face, inputs: {{audio: mic.audio}}}}
  encoder:
    type: face.online_encoder
    config: {{weights: "{weights}", precision: {precision}}}
    inputs: {{mel: mel.mel, previous: previous.previous}}
  denoiser:
    type: face.one_step_denoiser
    config: {{weights: "{weights}", precision: {precision}}}
    inputs: {{hidden: encoder.hidden}}
  previous: {{type: face.previous_latent, inputs: {{latent: denoiser.latent}}}}
  avatar: {{type: face.avatar_decoder, config: {{output: mesh}}, inputs: {{frame: denoiser.frame}}}}
"""


def frame_times_us(events: list[tuple[str, str, int, int, int]]) -> list[float]:
    """Microseconds of each frame: all that was done for it, from its first hop to its vertices.

    events: of one segment, as `Runner.trace_events` gives them. A stretch of work begins with `mel`.
    """
    times: list[float] = []
    spent_ns = begun_ns = ended_ns = 0
    for _, node, _, start_ns, duration_ns in sorted(events, key=lambda e: e[3]):
        if node == "mel":
            spent_ns += ended_ns - begun_ns
            begun_ns = start_ns
        ended_ns = start_ns + duration_ns
        if node == "avatar":
            times.append((spent_ns + ended_ns - begun_ns) / 1e3)
            spent_ns, begun_ns = 0, ended_ns
    return times


def main(weights: str, precision: str, seconds: str, *live: str) -> None:
    clock = "system" if live else "manual"
    plan = plan_text(GRAPH.format(clock=clock, weights=weights, precision=precision))
    with Runner(plan, trace=True) as runner:
        runner.run(duration_s=float(seconds))
        times = frame_times_us([e for e in runner.trace_events() if e[0] == "face"])
    print(json.dumps({"us": times[25:], "peak_mb": peak_memory_mb()}))  # the first half second warms up


if __name__ == "__main__":
    main(*sys.argv[1:])
