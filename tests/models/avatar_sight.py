"""What is seen of a head from the front: parallel rays through a grid, each named by the part it meets first."""

from __future__ import annotations

import numpy as np

from rtgraph.kernels.decode import reference
from rtgraph.models.avatar import Head, rig_inputs
from rtgraph.models.expression import FRAME


def posed(head: Head, **values: float) -> np.ndarray:
    """The vertices [V, 3] of the head under an expression given by names of FRAME."""
    assert not values.keys() - set(FRAME)
    frame = np.array([values.get(name, 0.0) for name in FRAME], np.float32)
    rig, inputs = head.rig(gaussians=False), rig_inputs(frame, head.card.correctives).astype(np.float64)
    return reference.skin(rig, reference.blend(rig, inputs), reference.joint_transforms(rig, inputs))


def seen(
    head: Head, vertices: np.ndarray, middle: tuple[float, ...], size_m: float, steps: int = 40
) -> list[str]:
    """The names of the parts that steps x steps rays along -Z, about `middle` (x, y), meet first."""
    at = vertices.copy()
    at[:, :2] = (vertices[:, :2] - middle + size_m / 2) * (steps / size_m)  # rays stand at 0.5, 1.5, ...
    depth, name = np.full((steps, steps), -np.inf), np.full((steps, steps), "", dtype=object)
    for part in head.card.parts:
        if part.material in ("hair", "lashes"):
            continue
        corners = at[head.triangles[slice(*part.triangles)]]
        low = np.ceil(corners[..., :2].min(axis=1) - 0.5).clip(0).astype(int)
        high = np.floor(corners[..., :2].max(axis=1) + 0.5).clip(None, steps).astype(int)
        for i in np.flatnonzero((low < high).all(axis=1)):
            (ax, ay, az), (bx, by, bz), (cx, cy, cz) = corners[i]
            area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
            if area == 0:
                continue
            (x0, y0), (x1, y1) = low[i], high[i]
            x, y = np.meshgrid(np.arange(x0, x1) + 0.5, np.arange(y0, y1) + 0.5)
            u = ((bx - x) * (cy - y) - (by - y) * (cx - x)) / area
            v = ((cx - x) * (ay - y) - (cy - y) * (ax - x)) / area
            z = u * az + v * bz + (1 - u - v) * cz
            nearer = (u >= 0) & (v >= 0) & (u + v <= 1) & (z > depth[y0:y1, x0:x1])
            depth[y0:y1, x0:x1][nearer] = z[nearer]
            name[y0:y1, x0:x1][nearer] = part.name
    return name.ravel().tolist()
