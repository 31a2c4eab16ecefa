"""The pictures on a head's surfaces, taken from its GLB by material."""

from __future__ import annotations

import io
import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtgraph import AssetError


@dataclass(frozen=True)
class Texture:
    """Pixels as the file has them: sRGB colour, or a normal map."""

    pixels: NDArray[np.uint8]  # [H, W, 3 or 4], first row at v = 0, as glTF has it


def head_textures(path: Path) -> dict[str, Texture]:
    """A GLB's base colours by "<material>", its normal maps and roughness by "<material> normal" and
    "<material> roughness". Raises AssetError."""
    gltf, binary = _read_glb(path)
    found: dict[str, Texture] = {}
    for material in gltf.get("materials", []):
        surface = material.get("pbrMetallicRoughness", {})
        for suffix, texture in (
            ("", surface.get("baseColorTexture")),
            (" normal", material.get("normalTexture")),
            (" roughness", surface.get("metallicRoughnessTexture")),
        ):
            if texture is not None:
                found[material["name"] + suffix] = _picture(path, gltf, binary, texture["index"])
    return found


def _read_glb(path: Path) -> tuple[dict[str, Any], bytes]:
    """The JSON and the binary chunk (glTF 2.0, section 4)."""
    data = path.read_bytes()
    if data[:4] != b"glTF" or len(data) < 20:
        raise AssetError(f"{path}: not a GLB file")
    length = struct.unpack_from("<I", data, 12)[0]
    return json.loads(data[20 : 20 + length]), data[28 + length :]


def _picture(path: Path, gltf: dict[str, Any], binary: bytes, texture: int) -> Texture:
    try:
        from PIL import Image
    except ModuleNotFoundError:
        raise AssetError(
            "textures need the package pillow; install it: pip install 'rtgraph[render]'"
        ) from None
    try:
        image = gltf["images"][gltf["textures"][texture]["source"]]
        view = gltf["bufferViews"][image["bufferView"]]
        start = view.get("byteOffset", 0)
        opened = Image.open(io.BytesIO(binary[start : start + view["byteLength"]]))
        return Texture(np.asarray(opened.convert("RGBA")))
    except (KeyError, IndexError, OSError) as error:
        raise AssetError(f"{path}: texture {texture} cannot be read ({error})") from error
