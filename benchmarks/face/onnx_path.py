"""The same frame with ONNX Runtime between our mel and our decoder; arguments MODEL SECONDS."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np
import onnxruntime
import soundfile

from rtgraph.files import bundled
from rtgraph.kernels.decode import DecodeState, Frame, decode
from rtgraph.kernels.mel import MelState, mel
from rtgraph.models.avatar import load_head, rig_inputs
from rtgraph.models.config import SIZES

from .memory import peak_memory_mb

CONFIG = SIZES["base"]
STATE = ("mel_tail", "stem_tail", "keys", "values")
Array = np.ndarray[Any, np.dtype[np.float32]]


class Step:
    """The network's step with its state kept in ONNX Runtime's own memory, two sets of it that take turns."""

    def __init__(self, model: str) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

        def values(nodes: Any) -> dict[str, Any]:
            zeros = {n.name: np.zeros([int(d) for d in n.shape], np.float32) for n in nodes}
            return {name: onnxruntime.OrtValue.ortvalue_from_numpy(x) for name, x in zeros.items()}

        self.inputs, self.outputs = values(self.session.get_inputs()), values(self.session.get_outputs())
        spare = values(n for n in self.session.get_inputs() if n.name in STATE)
        self.bindings = []
        for come, go in ((self.inputs, spare), (spare, self.inputs)):
            binding = self.session.io_binding()
            for name, value in self.inputs.items():
                binding.bind_ortvalue_input(name, come[name] if name in STATE else value)
            for name, value in self.outputs.items():
                state = name.removeprefix("new_")
                binding.bind_ortvalue_output(name, go[state] if state in STATE else value)
            self.bindings.append(binding)
        self.frames = 0
        c = CONFIG.encoder
        self.frequency = c.rotary_base ** (-np.arange(0, c.head_size, 2) / c.head_size)

    def __call__(self, hops: Array, noise: Array) -> Array:
        """hops [1, 2, 80], noise [1, 64] -> frame [61]."""
        angle = self.frames * self.frequency
        given = {"mel": hops, "noise": noise, "cosine": np.cos(angle), "sine": np.sin(angle)}
        if self.frames:
            given["previous"] = self.outputs["latent"].numpy()
        for name, x in given.items():
            self.inputs[name].update_inplace(
                np.ascontiguousarray(x, np.float32).reshape(self.inputs[name].shape())
            )
        self.session.run_with_iobinding(self.bindings[self.frames % 2])
        self.frames += 1
        frame: Array = self.outputs["frame"].numpy()[0]
        return frame


def main(model: str, seconds: str) -> None:
    step, head = Step(model), load_head("default")
    decoder, mel_state = DecodeState(head.rig(gaussians=False)), MelState()
    out = Frame.empty(decoder.rig, gaussians=False)
    audio, _ = soundfile.read(bundled("assets") / "clips/hello.flac", dtype="float32")
    rng, times = np.random.default_rng(0), []
    frames = min(int(float(seconds) * 50), len(audio) // 320)
    noise = rng.standard_normal((frames, 1, 64)).astype(np.float32)
    for t in range(frames):
        start = time.perf_counter_ns()
        hops = [mel(mel_state, audio[320 * t + 160 * i : 320 * t + 160 * (i + 1)]) for i in range(2)]
        frame = step(np.stack(hops, axis=1), noise[t])
        networked = time.perf_counter_ns()
        inputs = rig_inputs(frame, head.card.correctives)  # plain Python here, native in ours: not counted
        driven = time.perf_counter_ns()
        decode(decoder, inputs, out)
        times.append((time.perf_counter_ns() - driven + networked - start) / 1e3)
    print(json.dumps({"us": times[25:], "peak_mb": peak_memory_mb()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
