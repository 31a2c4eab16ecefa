"""A contact sheet: wearers down, looks across, labels written beneath each picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .look import Look
from .rig import SIDE_PX
from .sitting import begin

_LOOKS = (
    ("open", Look()),
    ("half open", Look(lid=0.5)),
    ("closed", Look(lid=0.0)),
    ("down, left", Look(yaw=0.45, pitch=0.3, pupil_mm=3.0)),
    ("up, right", Look(yaw=-0.45, pitch=-0.35, pupil_mm=7.0)),
    ("squint", Look(squint=1.0)),
    ("wide", Look(wide=1.0, pupil_mm=2.0)),
)


def draw(path: Path, wearers: int = 8, seed: int = 7) -> None:
    """Writes a PNG; needs matplotlib (the extra [plot])."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(wearers, len(_LOOKS), figsize=(len(_LOOKS) * 1.5, wearers * 1.72))
    for row, number in zip(axes, range(wearers), strict=True):
        sitting = begin(seed, number)
        for axis, (name, look) in zip(row, _LOOKS, strict=True):
            picture = sitting.picture(look)
            # As an eye looks to a person: the sheet is brightened, the corpus is not.
            top = float(np.percentile(picture, 99))
            axis.imshow(picture, cmap="gray", vmin=0, vmax=top, interpolation="bilinear")
            yaw, pitch = np.rad2deg([look.yaw, look.pitch])
            text = f"{yaw:+.0f}° {pitch:+.0f}°  lid {look.lid:.1f}  {look.pupil_mm:.0f} mm"
            axis.set_xlabel(text, fontsize=6, labelpad=2)
            axis.set_xticks([])
            axis.set_yticks([])
            axis.set_xlim(-0.5, SIDE_PX - 0.5)
            if number == 0:
                axis.set_title(name, fontsize=8)
    figure.tight_layout(pad=0.4)
    figure.savefig(path, dpi=110)
    plt.close(figure)
