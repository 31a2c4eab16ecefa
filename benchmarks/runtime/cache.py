"""Where the runtime benchmark keeps what it builds and installs between runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_folder(name: str) -> Path:
    """The folder rtgraph/`name` in $XDG_CACHE_HOME or the platform's own cache, made if need be."""
    if "XDG_CACHE_HOME" in os.environ:
        base = Path(os.environ["XDG_CACHE_HOME"])
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        base = Path(os.environ["LOCALAPPDATA"])
    else:
        base = Path.home() / ".cache"
    folder = base / "rtgraph" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder
