"""A captured graph whose kernels are functions of a test, launched through a stand-in for CUDA's driver."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


def build_driver(folder: Path) -> str:
    """Where the stand-in for the driver lies, once it is compiled into a folder."""
    library = folder / "libdriver.so"
    source = Path(__file__).with_name("driver_stand_in.c")
    subprocess.run(["cc", "-shared", "-fPIC", source, "-o", library], check=True)
    return str(library)


class StandIn:
    """Has what rtgraph.kernels.common.captured.Captured has; `work` reads and writes `arrays`. Fails from
    launch `broken_from` on.
    """

    stream = 0x51

    def __init__(
        self,
        work: Callable[[dict[str, Any]], None],
        arrays: dict[str, np.ndarray],
        driver: str,
        broken_from: int = 10**9,
    ) -> None:
        self.work, self.arrays, self.driver, self.broken_from = work, arrays, driver, broken_from
        self.launches = 0
        self.host = {name: (x.ctypes.data, x.nbytes) for name, x in arrays.items()}
        self.callback = ctypes.CFUNCTYPE(ctypes.c_int)(self.launch)
        self.exec = ctypes.cast(self.callback, ctypes.c_void_p).value

    def launch(self) -> int:
        self.launches += 1
        if self.launches > self.broken_from:
            return 700
        self.work(self.arrays)
        return 0
