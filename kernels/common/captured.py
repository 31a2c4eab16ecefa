"""Captured: a chain of kernels as one CUDA graph that anybody can launch; its inputs, outputs on the host."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor


def need_device() -> None:
    """RuntimeError where there is no CUDA device."""
    if not torch.cuda.is_available():
        raise RuntimeError("no CUDA device is available")


class Captured:
    """Inputs are copied from page-locked memory to the device, `launch` runs, outputs are copied back: one
    graph.

    launch: puts the kernels on the current stream, the same ones at every call. It runs once before it is
    captured, so state that it keeps has moved on: begin with a reset. inputs, outputs: tensors of the device
    by name.

    exec, stream: the CUDA handles of the graph and of the stream to launch it on. host: {name: (address,
    bytes)} of the page-locked copies. They are valid while this object lives. driver: the library that
    launches it.

    Raises RuntimeError where CUDA does.
    """

    driver = "libcuda.so.1"

    def __init__(
        self, launch: Callable[[], None], inputs: Mapping[str, Tensor], outputs: Mapping[str, Tensor]
    ) -> None:
        self._launch = launch  # and all that the kernels read and write
        device = next(iter(outputs.values())).device
        self._host = {
            name: torch.zeros(tensor.shape, dtype=tensor.dtype, pin_memory=True)
            for name, tensor in {**inputs, **outputs}.items()
        }
        self._stream = torch.cuda.Stream(device)
        self._graph = torch.cuda.CUDAGraph()

        def run() -> None:
            for name, tensor in inputs.items():
                tensor.copy_(self._host[name], non_blocking=True)
            launch()
            for name, tensor in outputs.items():
                self._host[name].copy_(tensor, non_blocking=True)

        self._stream.wait_stream(torch.cuda.current_stream(device))  # where the buffers were filled
        with torch.cuda.stream(self._stream):
            run()  # compiles what is compiled at the first call
        self._stream.synchronize()
        with torch.cuda.graph(self._graph, stream=self._stream):
            run()
        self.exec = int(self._graph.raw_cuda_graph_exec())
        self.stream = int(self._stream.cuda_stream)
        self.host = {name: (t.data_ptr(), t.numel() * t.element_size()) for name, t in self._host.items()}
