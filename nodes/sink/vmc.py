"""sink.vmc: expressions, head and eyes over the Virtual Motion Capture protocol 3.1."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from rtgraph import register
from rtgraph.context import Context
from rtgraph.models.expression import ARKIT, INDEX, region
from rtgraph.nodes.sink.bones import BONES, bone_rotation, in_unity
from rtgraph.nodes.sink.face_frames import Frame, columns, selected
from rtgraph.nodes.sink.face_sender import UdpConfig, UdpSender
from rtgraph.nodes.sink.osc_bundle import BundleTemplate, Message
from rtgraph.nodes.sink.unified_expressions import gaze_vector
from rtgraph.nodes.sink.vrm import VRM0, VRM1, vrm_values

Metres = tuple[float, float, float]


@register("sink.vmc")
class VmcSender(UdpSender):
    """Sends to VSeeFace, VirtualMotionCapture, Warudo, VNyan and others that receive VMC.

    Each face is one set: OK, T, the root, the bones Head, LeftEye and RightEye (Unity's axes), the point
    looked at, then the blend shapes and Apply. `names` says which: vrm, the presets of VRM 0 and VRM 1, or
    the 52 ARKit names of "Perfect Sync" models. An avatar gets one of the two: both move the same mouth.
    """

    class Config(UdpConfig):
        port: int = Field(39539, ge=1, le=65535, description="UDP port: 39539 of most applications")
        names: Literal["vrm", "camelCase", "PascalCase"] = Field(
            "vrm", description="VRM 0 and 1 presets, or Perfect Sync: ARKit names like jawOpen or JawOpen"
        )
        bones: tuple[Literal["Head", "LeftEye", "RightEye"], ...] = Field(
            ("Head", "LeftEye", "RightEye"), description="the bones that are sent"
        )
        look_at: bool = Field(True, description="send the point looked at (/VMC/Ext/Set/Eye)")
        head_offset_m: Metres = Field(
            (0.0, 0.09, 0.0), description="of the head bone from the neck bone: x, y, z"
        )
        eye_offset_m: Metres = Field(
            (0.03, 0.06, 0.07), description="of the right eye from the head bone; the left has -x"
        )

    def prepare(self, ctx: Context) -> None:
        c = self.config
        chosen = selected(c.regions, c.leave_out)
        sent_regions = {region(name) for name, index in INDEX.items() if chosen[index]}
        self._bones = [b for b in c.bones if chosen[BONES[b] : BONES[b] + 3].any()]
        self._look_at = c.look_at and "gaze" in sent_regions
        x, y, z = c.eye_offset_m
        self._offsets: dict[str, Metres] = {
            "Head": c.head_offset_m, "LeftEye": (-x, y, z), "RightEye": (x, y, z)
        }  # fmt: skip
        if c.names == "vrm":
            shapes = [name for name, of in {**VRM0, **VRM1}.items() if of & sent_regions]
            self._rows = [i for i, name in enumerate((*VRM0, *VRM1)) if name in shapes]
        else:
            arkit = [name for name in ARKIT if chosen[INDEX[name]]]
            self._rows = columns(arkit).tolist()
            shapes = [name[0].upper() + name[1:] if c.names == "PascalCase" else name for name in arkit]
        messages = [
            Message("/VMC/Ext/OK", "i", (1,)),
            Message("/VMC/Ext/T", "f"),
            Message("/VMC/Ext/Root/Pos", "sfffffff", ("root",)),
            *(Message("/VMC/Ext/Bone/Pos", "sfffffff", (bone,)) for bone in self._bones),
        ]
        if self._look_at:
            messages.append(Message("/VMC/Ext/Set/Eye", "ifff", (1,)))
        messages += [Message("/VMC/Ext/Blend/Val", "sf", (name,)) for name in shapes]
        self._bundles = BundleTemplate([*messages, Message("/VMC/Ext/Blend/Apply", "")])
        self._start_ns: int | None = None

    def datagrams(self, frame: Frame, timestamp_ns: int) -> list[bytearray]:
        if self._start_ns is None:
            self._start_ns = timestamp_ns
        parts: list[float] = [(timestamp_ns - self._start_ns) * 1e-9, 0, 0, 0, 0, 0, 0, 1]
        for bone in self._bones:
            parts += [*self._offsets[bone], *in_unity(bone_rotation(frame, bone))]
        if self._look_at:
            parts += self._looked_at(frame)
        values = vrm_values(frame) if self.config.names == "vrm" else frame
        return self._bundles.fill(np.concatenate([parts, values[self._rows]]))

    def _looked_at(self, frame: Frame) -> list[float]:
        """A point one metre before the eyes, metres from the head bone in Unity's axes."""
        yaw = float(frame[INDEX["leftEyeYaw"]] + frame[INDEX["rightEyeYaw"]]) / 2
        pitch = float(frame[INDEX["leftEyePitch"]] + frame[INDEX["rightEyePitch"]]) / 2
        _, up, forward = self.config.eye_offset_m
        x, y, z = gaze_vector(yaw, pitch)
        return [x, up + y, forward + z]
