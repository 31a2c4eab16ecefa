"""The soak: what its verdict sees and does not, and a short one of a real graph."""

from __future__ import annotations

import re
import struct

import numpy as np
import pytest

from rtgraph.benchmarks.soak import startup
from rtgraph.benchmarks.soak.__main__ import soak, summary
from rtgraph.benchmarks.soak.client import Client
from rtgraph.benchmarks.soak.verdict import faults, growth


def samples(count=100, **changed):
    """A clean run with some noise; `changed` are functions of the sample's number."""
    rng = np.random.default_rng(3)
    clean = {
        "rss_mb": lambda k: 150 + rng.normal(0, 0.3),
        "p50_ms": lambda k: 2 + rng.normal(0, 0.4),
        "threads": lambda k: 12,
        "files": lambda k: 20,
        "faces": lambda k: 500,
        "gap_ms": lambda k: 30 + 5 * (k % 3),
        "edges": lambda k: {"a.x -> b.y": {"passed": 1000 * k, "superseded": k, "orphaned": 1, "oldest": 3}},
    }
    return [{name: value(k) for name, value in {**clean, **changed}.items()} for k in range(count)]


def test_a_clean_run():
    assert faults(samples()) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"rss_mb": lambda k: 150 + 0.2 * k}, r"memory grew by 1\d"),
        ({"p50_ms": lambda k: 2 + 0.08 * k}, r"median latency grew by 6\.\d ms"),
        ({"threads": lambda k: 12 + k // 40}, r"threads: 12 at first, 14 at the end"),
        ({"files": lambda k: 20 + k}, r"files: 35 at first, 119 at the end"),
        ({"faces": lambda k: 0 if k == 60 else 500}, r"1 times no face came"),
        ({"gap_ms": lambda k: 1500 if k > 97 else 30}, r"2 times no face came"),
        ({"edges": lambda k: {"a.x -> b.y": {"passed": 1000, "oldest": 3}}}, r"a\.x -> b\.y lost 3 of 1000"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(changed, said):
    [fault] = faults(samples(**changed))
    assert re.search(said, fault), fault


def test_warming_up_and_outliers_are_no_growth():
    def memory(k):
        return 100 + 10 * min(k, 10) + (40 if k % 17 == 0 else 0)

    assert faults(samples(rss_mb=memory)) == []


def test_growth_is_that_of_the_line():
    assert growth([1, 2, 3, 4, 5]) == pytest.approx(4)
    assert growth([6, np.nan, 4, 3, 2, 100, 0]) == pytest.approx(-6)
    assert growth([7]) == 0


def test_too_short_a_run_says_so():
    assert "too few" in faults(samples(3))[0]


def test_the_client_reads_messages_and_nothing_else():
    client = Client()
    frame = struct.pack("<HHIIIq", 1, 1, 61, 1, 244, 5_000_000) + bytes(248)
    other = struct.pack("<HHIIIq", 9, 1, 1, 1, 4, 0) + bytes(8)
    message = struct.pack("<4sHHIIq", b"RTGV", 1, 2, 7, 3, 0) + other + frame
    assert client.take(message, 7_000_000) == 7
    assert client.take(message, 27_000_000) == 7
    assert (client.skipped, client.window.latency_ms) == (3, [2.0, 22.0])
    assert client.window.gap_ms == 20
    with pytest.raises(ValueError, match="expected RTGV version 1"):
        client.take(b"HTTP" + message[4:], 0)


def test_a_short_one_of_the_main_job():
    report = soak("vr_audio_eye", [], seconds=5.5, every_s=1.0)
    assert len(report["samples"]) == 5
    settled = report["samples"][2:]
    assert all(s["faces"] > 20 and s["datagrams"] > 100 and 0 < s["p50_ms"] < 1000 for s in settled)
    assert 50 < report["peak_mb"] < 350
    assert not report["torch"]
    assert report["profile"]["deadline"]["frames"] > 200
    assert any("peak memory" in line for line in summary(report))


def test_a_start_is_timed_from_outside(monkeypatch):
    monkeypatch.setattr(startup, "_RUN_S", 0.2)
    took_s, rss_mb, torch = startup.start("vr_audio_only")
    assert 0.1 < took_s < 30
    assert 50 < rss_mb < 350
    assert not torch
