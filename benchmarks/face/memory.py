"""How much memory a process has had at most."""

from __future__ import annotations

from pathlib import Path


def peak_memory_mb() -> float:
    """Of this process, in MB. Not getrusage's figure, which a child takes over from its parent."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise OSError("/proc/self/status names no VmHWM; this benchmark runs on Linux")
