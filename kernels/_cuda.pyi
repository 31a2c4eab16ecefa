"""The compiled CUDA module, there where it was built with nvcc: one submodule an operation."""

from typing import Any

mel: Any
decode: Any
