"""What nodes that run on a CPU or on a GPU share: the option, and the answer where there is no GPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

from pydantic import Field

from rtgraph import AssetError, NodeConfig

T = TypeVar("T")


class DeviceConfig(NodeConfig):
    """The option of a node that has both."""

    device: Literal["cpu", "cuda"] = Field(
        "cpu", description="cuda: captured once as a CUDA graph, launched without Python; needs rtgraph[cuda]"
    )


def on_cuda(node: str, capture: Callable[[], T]) -> T:
    """What `capture`, which imports torch, gives; AssetError with the remedy where this machine cannot."""
    try:
        return capture()
    except ImportError as error:
        if "_cuda" in str(error):
            raise AssetError(
                f"{node}.device: cuda: rtgraph was built without CUDA's compiler; build it where nvcc is, or "
                "use device: cpu"
            ) from error
        raise AssetError(
            f"{node}.device: cuda needs torch and triton ({error}); pip install 'rtgraph[cuda]'"
        ) from error
    except RuntimeError as error:
        raise AssetError(f"{node}.device: cuda: {error}; use device: cpu") from error
