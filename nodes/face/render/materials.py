"""How each material of a head takes light: numbers for mesh.frag, by the material names of a head's parts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Material:
    """roughness 0..1; specular: reflectance head-on; bleeding: how far diffuse light wraps, by colour."""

    roughness: float
    specular: float = 0.028  # skin, at a refractive index of 1.4
    bleeding: tuple[float, float, float] = (0.0, 0.0, 0.0)
    normal_scale: float = 0.0
    sheer: bool = False  # the texture's alpha counts: drawn last
    hair: bool = False  # strands that run along the texture's v
    casts: bool = True  # a shadow
    inside: bool = False  # the mouth, where no light comes from behind


MATERIALS = {
    "skin": Material(0.46, bleeding=(0.32, 0.14, 0.09), normal_scale=0.7),
    "eye": Material(0.08, specular=0.035, bleeding=(0.1, 0.06, 0.05)),
    "teeth": Material(0.2, specular=0.05, bleeding=(0.2, 0.17, 0.12), inside=True),
    "mouth": Material(0.3, specular=0.04, bleeding=(0.3, 0.1, 0.1), inside=True),
    "hair": Material(0.5, sheer=True, hair=True),
    "brows": Material(0.6, sheer=True, casts=False),
    "lashes": Material(0.6, sheer=True, casts=False),
}
#: For a material that a head brings and the table does not know.
PLAIN = Material(0.6)
