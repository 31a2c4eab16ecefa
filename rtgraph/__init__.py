"""rtgraph: real-time dataflow graphs, declared in YAML, run by a lock-free C++ scheduler.

Names are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rtgraph.errors import AssetError, DeviceError, GraphError, NodeError, RtGraphError
    from rtgraph.files import InputFile, OutputFile
    from rtgraph.graph import Plan
    from rtgraph.node import EndOfStream, NativeNode, Node, NodeConfig, Source
    from rtgraph.packet import Packet
    from rtgraph.planner import load_plan
    from rtgraph.port import ANY_TENSOR, OBJECT, Input, Output, TensorType
    from rtgraph.registry import register
    from rtgraph.scheduler import Runner

_HOME = {
    "errors": ["AssetError", "DeviceError", "GraphError", "NodeError", "RtGraphError"],
    "files": ["InputFile", "OutputFile"],
    "graph": ["Plan"],
    "node": ["EndOfStream", "NativeNode", "Node", "NodeConfig", "Source"],
    "packet": ["Packet"],
    "planner": ["load_plan"],
    "port": ["ANY_TENSOR", "OBJECT", "Input", "Output", "TensorType"],
    "registry": ["register"],
    "scheduler": ["Runner"],
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "ANY_TENSOR",
    "OBJECT",
    "AssetError",
    "DeviceError",
    "EndOfStream",
    "GraphError",
    "Input",
    "InputFile",
    "NativeNode",
    "Node",
    "NodeConfig",
    "NodeError",
    "Output",
    "OutputFile",
    "Packet",
    "Plan",
    "RtGraphError",
    "Runner",
    "Source",
    "TensorType",
    "__version__",
    "load_plan",
    "register",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'rtgraph' has no attribute '{name}'")
    value: object = getattr(import_module(f"rtgraph.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
