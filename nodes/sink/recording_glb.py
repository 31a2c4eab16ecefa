"""Recording as GLB: a head that does what was recorded, for Blender, three.js and game engines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rtgraph.files import whole_file
from rtgraph.models.avatar import Head, load_head
from rtgraph.models.avatar.glb import Animation, glb_bytes
from rtgraph.models.expression import ARKIT, FRAME, INDEX
from rtgraph.nodes.sink.bones import quaternions
from rtgraph.nodes.sink.recording import CsvRecording

#: The joints of a head that a frame turns, and where their yaw, pitch, roll begin.
_JOINTS = {"head": INDEX["headYaw"], "leftEye": INDEX["leftEyeYaw"], "rightEye": INDEX["rightEyeYaw"]}


class GlbRecording(CsvRecording):
    """While it runs a hidden table lies beside, `.NAME.frames.part`, which a crash leaves readable; the end
    makes the GLB of it."""

    def __init__(self, path: Path, head: str = "default") -> None:
        """head: a bundled head's name, or a .rthead. Raises AssetError where it cannot be read."""
        self._head = load_head(head)
        self._path = path
        super().__init__(path.with_name(f"{path.name}.frames"))

    def finish(self) -> None:
        table = self._table.close()
        rows = np.zeros((0, 1 + len(FRAME)))
        if self._table.rows:
            with open(table) as lines:
                rows = np.loadtxt(lines, delimiter=",", skiprows=1, ndmin=2)
        with whole_file(self._path) as part:
            part.write_bytes(face_animation(self._head, rows[:, 0], rows[:, 1:]))
        self.discard()


def face_animation(head: Head, times_s: NDArray[np.float64], frames: NDArray[np.float64]) -> bytes:
    """A GLB (glTF 2.0) of a head with the animation "face". times_s: [N], frames: [N, 61].

    Frames that are not later than the one before are left out, as glTF demands.
    """
    frames = frames.reshape(-1, len(FRAME))
    kept = np.ones(len(times_s), np.bool_)
    if len(times_s):
        times = times_s.astype(np.float32)
        kept[1:] = times[1:] > np.maximum.accumulate(times)[:-1]
    frames = frames[kept]
    turns = {name: quaternions(frames[:, first : first + 3]) for name, first in _JOINTS.items()}
    return glb_bytes(head, Animation(times_s[kept], frames[:, : len(ARKIT)], turns))
