"""Identity codes: named presets, and random people by seed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rtgraph.errors import AssetError, suggest

Code = dict[str, float]

#: What a person is called, and the numbers of the default head's identity basis (HeadCard.identity).
PRESETS: Mapping[str, Code] = {
    "amara": {"african": 0.8, "masculine": -0.7, "upperLip": 0.2, "cheekBones": 0.4, "eyeSize": 0.2},
    "daniel": {"caucasian": 0.8, "masculine": 0.8, "chinWidth": 0.4, "noseHump": 0.3, "faceRectangular": 0.4},
    "elena": {"caucasian": 0.7, "masculine": -0.8, "faceOval": 0.5, "upperLip": 0.3, "eyeSize": 0.2},
    "hiro": {"asian": 0.9, "masculine": 0.6, "faceSquare": 0.3, "browHeight": -0.2, "noseLength": -0.1},
    "ines": {"caucasian": 0.4, "african": 0.2, "masculine": -0.5, "older": 0.6, "faceRound": 0.3},
    "kofi": {"african": 0.9, "masculine": 0.8, "faceSquare": 0.4, "neckWidth": 0.4, "weight": 0.2},
    "mei": {"asian": 0.8, "masculine": -0.8, "faceOval": 0.4, "younger": 0.15, "cupidsBow": 0.3},
    "viktor": {"caucasian": 0.9, "masculine": 0.9, "older": 0.8, "weight": 0.4, "noseDepth": 0.4},
}  # fmt: skip

# Standard deviations of a random person's numbers, by group; ages and peoples are drawn apart.
_SPREAD = {"face": 0.35, "eyes": 0.35, "nose": 0.35, "mouth": 0.3, "ears": 0.4}


def preset(name: str) -> Code:
    """The code of a preset. Raises AssetError for an unknown name."""
    if name not in PRESETS:
        near = suggest(name, list(PRESETS))
        raise AssetError(
            f"there is no identity '{name}'; expected one of {', '.join(PRESETS)}"
            + (f"; did you mean '{near}'?" if near else "")
        )
    return dict(PRESETS[name])


def random_person(seed: int, groups: Mapping[str, str]) -> Code:
    """A plausible person: the same seed gives the same one. groups: as Head.identity_groups."""
    rng = np.random.default_rng(seed)
    code: Code = {}
    shares = dict(zip(("african", "asian", "caucasian"), rng.dirichlet([0.5] * 3), strict=True))
    age = rng.beta(1.2, 2.5)
    face_shapes = [
        name for name in groups if name.startswith("face") and name not in ("faceWidth", "faceHeight")
    ]
    likely = rng.choice(face_shapes) if face_shapes else ""
    for name, group in groups.items():
        draw = float(rng.standard_normal())
        if name in shares:
            code[name] = float(shares[name])
        elif name == "older":
            code[name] = float(age)
        elif name == "masculine":
            code[name] = float(np.clip(np.sign(draw) * (0.45 + 0.3 * abs(draw)), -1, 1))
        elif name in face_shapes:
            code[name] = min(0.5 * abs(draw), 0.8) if name == likely else 0.0
        elif name != "younger" and group in _SPREAD:
            code[name] = float(np.clip(_SPREAD[group] * draw, -0.8, 0.8))
    return {name: round(value, 3) for name, value in code.items() if value}


def identity_code(identity: str, seed: int | None, groups: Mapping[str, str]) -> Code:
    """The code that a user asked for: a preset's, a random person's, or none.

    Raises AssetError for an unknown preset, and where both are given.
    """
    if identity and seed is not None:
        raise AssetError(f"identity '{identity}' and seed {seed}: expected one of them, got both")
    if seed is not None:
        return random_person(seed, groups)
    return preset(identity) if identity else {}
