"""A head that a viewer takes, and as little of it as will do."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def head(tmp_path) -> Path:
    """A GLB with the names of the 52 shapes."""
    from viewer_page import glb

    path = tmp_path / "head.glb"
    path.write_bytes(glb())
    return path
