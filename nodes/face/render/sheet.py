"""The sheets of docs/avatar.md: python -m rtgraph.nodes.face.render.sheet FOLDER."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from math import radians
from pathlib import Path

import numpy as np

from rtgraph.kernels.decode import DecodeState, decode
from rtgraph.models.avatar import Head, identity_code, load_head, rig_inputs
from rtgraph.models.avatar.head import find_head
from rtgraph.models.expression import FRAME, INDEX, both

from .camera import Camera
from .scene import Picture, Scene

POSES: Mapping[str, Mapping[str, float]] = {
    "neutral": {},
    "smile": {"mouthSmile": 0.8, "cheekSquint": 0.55, "eyeSquint": 0.3, "jawOpen": 0.13, "mouthUpperUp": 0.1},
    "ah": {"jawOpen": 0.55, "mouthLowerDown": 0.15, "mouthUpperUp": 0.1},
    "oo": {"mouthPucker": 0.75, "mouthFunnel": 0.35, "jawOpen": 0.12},
    "blink": {"eyeBlink": 1.0},
    "look": {"leftEyeYaw": 0.4, "rightEyeYaw": 0.4, "headYaw": 0.3, "headPitch": -0.05},
    "frown": {"browDown": 0.8, "mouthFrown": 0.7, "mouthPress": 0.3, "noseSneer": 0.25, "headPitch": 0.06},
    "surprise": {"browInnerUp": 0.7, "browOuterUp": 0.8, "eyeWide": 0.7, "jawOpen": 0.3},
}
PEOPLE = ("amara", "mei", "viktor", "kofi")
CAMERA = Camera(yaw=radians(9))
#: What close-ups look at: metres from the head's origin, and how far away the camera is.
CLOSE_UPS = {
    "eye": ((0.034, 0.046, 0.085), 0.24, 15),
    "hair": ((0.03, 0.10, 0.06), 0.32, 30),
    "mouth": ((0.0, -0.03, 0.09), 0.26, 12),
}
_SIDE = 360  # pixels of one picture


def main() -> None:
    """Writes avatar_poses, avatar_gaussians, avatar_people and avatar_closeups .jpg into a folder."""
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m rtgraph.nodes.face.render.sheet FOLDER")
    folder, head = Path(sys.argv[1]), load_head("default")
    folder.mkdir(parents=True, exist_ok=True)
    poses = list(POSES.values())
    _save(folder / "avatar_poses.jpg", _pictures(head, poses, CAMERA, "mesh"), columns=4)
    some = [POSES[name] for name in ("neutral", "smile", "ah", "look")]
    _save(folder / "avatar_gaussians.jpg", _pictures(head, some, CAMERA, "gaussians"), columns=4)
    people = [head.with_identity(identity_code(name, None, head.identity_groups)) for name in PEOPLE]
    rows = [_pictures(p, [{}], CAMERA, mode)[0] for mode in ("mesh", "gaussians") for p in people]
    _save(folder / "avatar_people.jpg", rows, columns=len(PEOPLE))
    _save(folder / "avatar_closeups.jpg", _close_ups(head), columns=len(CLOSE_UPS))


def _close_ups(head: Head) -> list[Picture]:
    rows = []
    for mode in ("mesh", "gaussians"):
        for name, (target, distance_m, yaw_deg) in CLOSE_UPS.items():
            camera = replace(CAMERA, target=target, distance_m=distance_m, yaw=radians(yaw_deg))
            rows += _pictures(head, [POSES["smile" if name == "mouth" else "neutral"]], camera, mode)
    return rows


def _pictures(head: Head, poses: list[Mapping[str, float]], camera: Camera, mode: str) -> list[Picture]:
    scene = Scene(head, find_head("default").with_suffix(".glb"), _SIDE, _SIDE, camera)
    state = DecodeState(head.rig(gaussians=mode == "gaussians"))
    draw = scene.draw_mesh if mode == "mesh" else scene.draw_gaussians
    pictures = [draw(decode(state, rig_inputs(_frame(pose), head.card.correctives))) for pose in poses]
    scene.close()
    return pictures


def _frame(pose: Mapping[str, float]) -> np.ndarray:
    """An ExpressionFrame [61] of a pose's names, each of one side or of both."""
    frame = np.zeros(len(FRAME), np.float32)
    for name, value in pose.items():
        for full in both(name):
            frame[INDEX[full]] = value
    return frame


def _save(path: Path, pictures: list[Picture], columns: int) -> None:
    from PIL import Image

    rows = [np.concatenate(pictures[i : i + columns], axis=1) for i in range(0, len(pictures), columns)]
    Image.fromarray(np.concatenate(rows)).save(path, quality=90)
    print(path, flush=True)


if __name__ == "__main__":
    main()
