"""The tones of skin and hair that go with an identity code."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def tones(code: Mapping[str, float]) -> dict[str, tuple[float, float, float]]:
    """Factors on the default head's textures, linear RGB by material, that go with a code."""

    def share(name: str) -> float:
        return min(max(code.get(name, 0.0), 0.0), 1.0)

    dark, light, golden = share("african"), share("caucasian"), share("asian")
    grey = max(share("older") - 0.35, 0.0) / 0.65
    skin = (
        1.0
        - dark * np.array([0.62, 0.7, 0.75])
        + light * np.array([0.1, 0.1, 0.12])
        - golden * np.array([0, 0.01, 0.06])
    )
    hair = (1.0 - 0.6 * dark - 0.45 * golden) * np.array([1.0, 0.95, 0.9]) + grey * np.array([3.5, 4.2, 5.0])
    return {"skin": _rgb(skin), "hair": _rgb(hair), "brows": _rgb(0.5 + 0.5 * hair)}


def _rgb(values: np.ndarray) -> tuple[float, float, float]:
    r, g, b = (round(float(x), 3) for x in values)
    return r, g, b
