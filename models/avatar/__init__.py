"""Avatar heads: a mesh that 52 ARKit shapes move, identities, Gaussians, and their files; needs no torch."""

from .drive import rig_inputs
from .file import load_head, save_head
from .head import Corrective, Gaussians, Head, HeadCard, Part, find_head, head_names
from .identity import PRESETS, identity_code, random_person

__all__ = [
    "PRESETS",
    "Corrective",
    "Gaussians",
    "Head",
    "HeadCard",
    "Part",
    "find_head",
    "head_names",
    "identity_code",
    "load_head",
    "random_person",
    "rig_inputs",
    "save_head",
]
