"""rtgraph: real-time dataflow graphs, declared in YAML, run by a lock-free C++ scheduler."""

from __future__ import annotations

from rtgraph.errors import AssetError, DeviceError, GraphError, NodeError, RtGraphError
from rtgraph.node import EndOfStream, NativeNode, Node, NodeConfig, Source
from rtgraph.packet import Packet
from rtgraph.port import ANY_TENSOR, OBJECT, Input, Output, TensorType
from rtgraph.registry import register

__all__ = [
    "ANY_TENSOR",
    "OBJECT",
    "AssetError",
    "DeviceError",
    "EndOfStream",
    "GraphError",
    "Input",
    "NativeNode",
    "Node",
    "NodeConfig",
    "NodeError",
    "Output",
    "Packet",
    "RtGraphError",
    "Source",
    "TensorType",
    "__version__",
    "register",
]
__version__ = "0.1.0"
