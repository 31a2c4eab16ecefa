"""Run in a process of its own by test_microphone_pulseaudio.py: records with audio.microphone into a .npz.

python record.py RESULT BACKEND CLOCK. Says `ready` when sound comes, and stops when its input ends.
"""

from __future__ import annotations

import sys
import threading

import numpy as np

from rtgraph import Input, Node, register
from rtgraph.nodes.audio import AudioChunk
from rtgraph.planner import plan_text
from rtgraph.scheduler import Runner

chunks: list[np.ndarray] = []
stamps: list[int] = []
ages: list[int] = []


@register("test.collect")
class Collect(Node):
    x = Input(AudioChunk)

    def process(self, x, ctx):
        if not chunks:
            print("ready", flush=True)
        chunks.append(x)
        stamps.append(ctx.timestamp_ns)
        ages.append(ctx.now_ns() - ctx.timestamp_ns)


def main(result: str, backend: str, clock: str) -> None:
    plan = plan_text(f"""
version: 1
clock: {clock}
nodes:
  mic: {{type: audio.microphone, config: {{backend: {backend}}}}}
  sink: {{type: test.collect, inputs: {{x: mic.audio}}}}
""")
    with Runner(plan) as runner:
        threading.Thread(target=lambda: (sys.stdin.read(), runner.stop()), daemon=True).start()
        runner.run()
        profile = runner.profile()
    np.savez(
        result,
        audio=np.concatenate(chunks),
        stamps=stamps,
        ages=ages,
        drift_ppm=profile.drift_ppm,
        counters=[f"{k}={v}" for k, v in profile.nodes["mic"].counters.items()],
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
