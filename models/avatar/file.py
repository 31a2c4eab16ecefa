"""The file of a head: safetensors with its card, a bundled one by name or any by path.

The card (JSON of `HeadCard`) stands in the file's metadata under "card"; the bundled heads have it in a .json
beside them, too. Tensors, in the words of head.py:

    neutral [V, 3] float32      triangles [T, 3] int32, counter-clockwise from outside
    uv [V, 2] float32           glTF: the origin is the upper left corner; one atlas per material
    weld [V] int32              the first vertex at the same point: seams of the UVs split vertices
    shape_start [S + 1] int32, shape_vertex [N] int32, shape_delta [N, 3] float32: as kernels.decode.Rig
    joint_parent [J] int32, joint_pivot [J, 3] float32, skin_joint [V, 2] int32, skin_weight [V, 2] float32
    identity_basis [K, V, 3] float16, identity_pivot [K, J, 3] float32: metres per unit of each number
    gaussian_triangle [G] int32; float32: gaussian_mean [G, 3], gaussian_rotation [G, 4] (w x y z),
    gaussian_scale [G, 3], gaussian_colour [G, 3] (linear RGB, unlit), gaussian_opacity [G]
    image_NAME uint8            a JPEG or PNG: a material's colour (NAME is the material), its NAME_normal,
                                its NAME_roughness (green; occlusion in red); each may be missing
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_bytes

from rtgraph.errors import AssetError
from rtgraph.models.expression import ARKIT

from .head import JOINTS, Gaussians, Head, HeadCard, Ints, find_head


def load_head(name_or_path: str | Path) -> Head:
    """A bundled head by name ("default"), or any head's file. Raises AssetError, naming the file."""
    path = find_head(name_or_path)
    try:
        with safe_open(path, "numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, not a dict
        card = HeadCard.model_validate_json(metadata["card"])
    except (SafetensorError, KeyError, ValidationError, OSError) as error:
        raise AssetError(
            f"{path}: not a head's file ({error}); make it again with `rtgraph avatar`"
        ) from error
    return _checked(path, card, tensors)


def save_head(head: Head, path: Path) -> None:
    """Writes a head's file. Raises AssetError where it cannot be written."""
    tensors = {name: np.ascontiguousarray(getattr(head, name)) for name in _SHAPES}
    tensors |= {f"gaussian_{name}": np.ascontiguousarray(getattr(head.gaussians, name)) for name in _GAUSSIAN}
    tensors |= {_IMAGE + name: np.frombuffer(data, np.uint8) for name, data in head.images.items()}
    try:
        path.write_bytes(to_bytes(tensors, {"card": head.card.model_dump_json()}))
    except (SafetensorError, OSError) as error:
        raise AssetError(f"{path}: cannot be written ({error})") from error


_SHAPES: dict[str, tuple[type[Any], tuple[str | int, ...]]] = {
    "neutral": (np.float32, ("V", 3)),
    "triangles": (np.int32, ("T", 3)),
    "uv": (np.float32, ("V", 2)),
    "weld": (np.int32, ("V",)),
    "shape_start": (np.int32, ("S+1",)),
    "shape_vertex": (np.int32, ("N",)),
    "shape_delta": (np.float32, ("N", 3)),
    "joint_parent": (np.int32, ("J",)),
    "joint_pivot": (np.float32, ("J", 3)),
    "skin_joint": (np.int32, ("V", 2)),
    "skin_weight": (np.float32, ("V", 2)),
    "identity_basis": (np.float16, ("K", "V", 3)),
    "identity_pivot": (np.float32, ("K", "J", 3)),
}
_IMAGE = "image_"
_GAUSSIAN: dict[str, tuple[type[Any], tuple[str | int, ...]]] = {
    "triangle": (np.int32, ("G",)),
    "mean": (np.float32, ("G", 3)),
    "rotation": (np.float32, ("G", 4)),
    "scale": (np.float32, ("G", 3)),
    "colour": (np.float32, ("G", 3)),
    "opacity": (np.float32, ("G",)),
}


def _checked(path: Path, card: HeadCard, tensors: dict[str, npt.NDArray[Any]]) -> Head:
    sizes: dict[str | int, int] = {
        "J": len(JOINTS),
        "S+1": len(ARKIT) + len(card.correctives) + 1,
        "K": len(card.identity),
    }

    def take(name: str, dtype: type[Any], shape: tuple[str | int, ...]) -> npt.NDArray[Any]:
        array = tensors.get(name)
        if array is None:
            raise AssetError(f"{path}: the head has no tensor '{name}'; make it again with `rtgraph avatar`")
        for size, length in zip(shape, array.shape, strict=False):
            if isinstance(size, str):
                sizes.setdefault(size, length)
        expected = tuple(sizes[size] if isinstance(size, str) and size in sizes else size for size in shape)
        if array.dtype != dtype or array.shape != expected:
            raise AssetError(
                f"{path}: tensor '{name}': expected {np.dtype(dtype)} {list(expected)},"
                f" got {array.dtype} {list(array.shape)}"
            )
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise AssetError(f"{path}: tensor '{name}': expected finite numbers, got NaN or Inf")
        return array

    arrays = {name: take(name, *kind) for name, kind in _SHAPES.items()}
    gaussians = {name: take(f"gaussian_{name}", *kind) for name, kind in _GAUSSIAN.items()}
    for name, limit in (("triangles", "V"), ("weld", "V"), ("shape_vertex", "V"), ("skin_joint", "J")):
        _check_indices(path, name, arrays[name], sizes[limit])
    _check_indices(path, "gaussian_triangle", gaussians["triangle"], sizes["T"])
    images = {
        name[len(_IMAGE) :]: data.tobytes() for name, data in tensors.items() if name.startswith(_IMAGE)
    }
    return Head(card=card, gaussians=Gaussians(**gaussians), images=images, **arrays)


def _check_indices(path: Path, name: str, indices: Ints, limit: int) -> None:
    if indices.size and (indices.min() < 0 or indices.max() >= limit):
        raise AssetError(
            f"{path}: tensor '{name}': expected 0 to {limit - 1}, got {indices.min()} to {indices.max()}"
        )
