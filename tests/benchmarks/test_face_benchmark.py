"""The face benchmark counts as a frame what was done for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rtgraph.benchmarks.face.ours import frame_times_us


def test_a_frame_is_its_two_hops_and_what_follows():
    def event(node: str, start_us: float, us: float) -> tuple[str, str, int, int, int]:
        return ("face", node, 0, round(start_us * 1000), round(us * 1000))

    def frame(start_us: float) -> list[tuple[str, str, int, int, int]]:
        """First hop 4 us, then 10 ms of nothing, then 3 + 2 + 50 + 10 us with 1 us between."""
        second = start_us + 10_000
        return [
            event("mel", start_us, 3),
            event("encoder", start_us + 3, 1),
            event("mel", second, 3),
            event("encoder", second + 3, 50),
            event("denoiser", second + 54, 10),
            event("avatar", second + 65, 20),
        ]

    events = frame(0) + frame(20_000)
    assert frame_times_us(events[::-1]) == pytest.approx([89, 89])
    assert frame_times_us([*events, event("mel", 40_000, 3)]) == pytest.approx([89, 89])
    assert frame_times_us([]) == []


def test_memory_is_that_of_a_process_of_its_own():
    # What the parent once took does not count.
    code = "from rtgraph.benchmarks.face.memory import peak_memory_mb as mb; {} print(mb())"

    def peak(before: str) -> float:
        ran = subprocess.run(
            [sys.executable, "-c", code.format(before)], check=True, capture_output=True, text=True
        )
        return float(ran.stdout)

    large = bytearray(b"x") * (96 << 20)
    small, larger = peak(""), peak("x = bytearray(b'x') * (64 << 20);")
    assert len(large) == 96 << 20
    assert small < 96
    assert larger - small == pytest.approx(64, abs=8)
