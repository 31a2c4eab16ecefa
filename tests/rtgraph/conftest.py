"""Fixtures of the runtime's tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from cli_graph import GRAPH, NODE


@pytest.fixture
def graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A graph file in the working directory, and a module there for `--import`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    Path("g.yaml").write_text(GRAPH)
    Path("clitest.py").write_text(NODE)
    return "g.yaml"
