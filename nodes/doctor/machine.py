"""What the doctor says of the machine: system, processor, timer, kernels, GPU, packages."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rtgraph import __version__
from rtgraph.nodes.doctor.finding import Finding

#: What the kernels make use of, in the names of /proc/cpuinfo.
_FEATURES = ("avx2", "fma", "f16c", "avx512f", "avx512_bf16", "avx512_vnni", "avx_vnni", "amx_bf16", "asimd")

#: Packages of extras: module, what it is for, how to get it.
_PACKAGES = (
    ("pyaudio", "microphones, portable", "pip install 'rtgraph[audio]'; needs portaudio19-dev"),
    ("cv2", "cameras and video", "pip install 'rtgraph[eye]'"),
    ("aiohttp", "sink.viewer", "pip install 'rtgraph[vr]'"),
    ("websockets", "sink.websocket", "pip install 'rtgraph[vr]'"),
    ("mcap", "sink.recorder to .mcap", "pip install 'rtgraph[vr]'"),
    ("pythonosc", "eye.osc", "pip install 'rtgraph[vr]'"),
    ("zeroconf", "sink.vrchat with oscquery", "pip install 'rtgraph[oscquery]'"),
    ("moderngl", "rtgraph render", "pip install 'rtgraph[render]'"),
    ("torch", "training and GPUs; no graph on a CPU needs it", "pip install 'rtgraph[train]'"),
)

_LATENESS_GOOD_MS = 1.0
_LATENESS_BAD_MS = 5.0


def machine() -> Iterator[Finding]:
    section = "machine"
    yield Finding(
        section, "rtgraph", "ok", f"{__version__}, Python {platform.python_version()}, {platform.platform()}"
    )
    flags = _cpu_info("flags", "Features").split()
    features = [name for name in _FEATURES if name in flags]
    model = _cpu_info("model name", "CPU part") or platform.machine()
    cores = len(os.sched_getaffinity(0))
    text = f"{model}, {cores} cores to use; {' '.join(features) or 'no vector features known'}"
    yield Finding(section, "processor", "ok", text)
    yield _memory(section)
    yield _timer(section)


def kernels() -> Iterator[Finding]:
    section = "kernels"
    try:
        from rtgraph.kernels import linear
    except ImportError as error:
        yield Finding(
            section, "CPU", "problem", f"the compiled kernels cannot be loaded: {error}",
            "install rtgraph again where a C++20 compiler is",
        )  # fmt: skip
    else:
        sets = linear.instruction_sets()
        yield Finding(section, "CPU", "ok", f"{sets[-1]} in use; this machine runs {', '.join(sets)}")
    yield from _gpu(section)


def packages() -> Iterator[Finding]:
    for module, purpose, remedy in _PACKAGES:
        if find_spec(module) is None:
            yield Finding("packages", module, "missing", f"for {purpose}", remedy)
        else:
            yield Finding("packages", module, "ok", f"for {purpose}")


def timer_lateness_ms(sleeps: int = 100, sleep_s: float = 0.002) -> NDArray[np.float64]:
    """[sleeps] how much later than asked the system wakes a thread."""
    late = np.empty(sleeps)
    for i in range(sleeps):
        start = time.perf_counter()
        time.sleep(sleep_s)
        late[i] = time.perf_counter() - start - sleep_s
    return late * 1e3


def _timer(section: str) -> Finding:
    late = timer_lateness_ms()
    p50, p99 = np.quantile(late, [0.5, 0.99])
    text = f"a sleep ends {p50:.2f} ms late (p50), {p99:.2f} ms (p99), {late.max():.2f} ms at worst"
    if p99 > _LATENESS_BAD_MS:
        return Finding(
            section,
            "timer",
            "problem",
            text,
            "the machine is busy, or a loaded virtual one; deadlines will be missed",
        )
    remedy = "deadlines may be missed now and then; close other programs" if p99 > _LATENESS_GOOD_MS else ""
    return Finding(section, "timer", "ok", text, remedy)


def _memory(section: str) -> Finding:
    fields = {}
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, _, value = line.partition(":")
        fields[name] = int(value.split()[0]) / 1e6 if value.split() else 0.0
    free, total = fields.get("MemAvailable", 0.0), fields.get("MemTotal", 0.0)
    text = f"{free:.1f} of {total:.1f} GB free; load {os.getloadavg()[0]:.1f}"
    if free < 0.5:
        return Finding(section, "memory", "problem", text, "a face needs about 0.4 GB; close other programs")
    return Finding(section, "memory", "ok", text)


def _gpu(section: str) -> Iterator[Finding]:
    built = find_spec("rtgraph.kernels._cuda") is not None
    names = _nvidia_names()
    if not names:
        yield Finding(section, "GPU", "missing", "no NVIDIA GPU answers; the CPU does everything")
    elif not built:
        yield Finding(
            section, "GPU", "missing", f"{', '.join(names)}; the CUDA kernels are not built",
            "install rtgraph again where nvcc is on the PATH",
        )  # fmt: skip
    else:
        yield Finding(section, "GPU", "ok", f"{', '.join(names)}; CUDA kernels are built")


def _nvidia_names() -> list[str]:
    """Name, memory and driver of each GPU that nvidia-smi lists."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    command = [tool, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in answer.splitlines() if line.strip()]


def _cpu_info(*names: str) -> str:
    """The first of these fields in /proc/cpuinfo: x86's name, then ARM's."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    for name in names:
        for line in lines:
            if line.partition(":")[0].strip() == name:
                return line.partition(":")[2].strip()
    return ""
