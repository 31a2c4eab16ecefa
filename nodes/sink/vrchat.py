"""sink.vrchat: face and eyes to VRChat over OSC."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field, field_validator

from rtgraph import register
from rtgraph.context import Context
from rtgraph.models.expression import INDEX, region
from rtgraph.nodes.sink.face_frames import Frame, check_names, selected
from rtgraph.nodes.sink.face_sender import UdpConfig, UdpSender
from rtgraph.nodes.sink.osc_bundle import BundleTemplate, Message
from rtgraph.nodes.sink.oscquery import VRChat, VRChatFinder, browse_network
from rtgraph.nodes.sink.unified_expressions import PARAMETERS, gaze_vector, needs
from rtgraph.nodes.sink.vrchat_layout import ROOT, Layout, LayoutValues, layout_by_avatar, layout_by_config

#: What is on while faces come: avatars switch their own blinking and lip sync off by these.
_ACTIVE = {
    "EyeTrackingActive": {"gaze", "lids"},
    "ExpressionTrackingActive": {"mouth", "jaw", "brows"},
    "LipTrackingActive": {"mouth", "jaw"},
}


@register("sink.vrchat")
class VRChatSender(UdpSender):
    """Sends VRChat its own eye tracking, and the Unified Expressions v2 of face-tracked avatars.

    Eyes: /tracking/eye/..., degrees, positive down and to the right, or vectors. VRChat goes back to its own
    eyes ten seconds after the last packet. Face: /avatar/parameters/<prefix>v2/<Name>, as VRCFaceTracking
    sends it; an avatar ignores what it does not have. In VRChat switch OSC on (radial menu, Options, OSC).

    With `oscquery` VRChat is looked for on the network and asked which parameters the avatar has: those alone
    are sent, as floats or bits as the avatar has them, to where VRChat listens. Until it is found `host`,
    `port` and `format` hold.
    """

    class Config(UdpConfig):
        port: int = Field(9000, ge=1, le=65535, description="UDP port of VRChat's OSC input")
        eyes: Literal["none", "LeftRightPitchYaw", "CenterPitchYaw", "LeftRightVec", "CenterVec"] = Field(
            "LeftRightPitchYaw", description="the form of VRChat's own eye tracking"
        )
        parameters: tuple[str, ...] | None = Field(
            None, description="Unified Expressions to send, such as JawOpen; without it all there are"
        )
        prefix: str = Field("", pattern=r"^([\w-]+/)*$", description="before v2/, such as FT/")
        format: Literal["float", "binary", "both"] = Field(
            "float",
            description="binary: booleans Name1, Name2, Name4, ... and NameNegative, as many avatars use",
        )
        binary_bits: int = Field(
            4, ge=1, le=7, description="booleans of a binary parameter, without the sign"
        )

        oscquery: bool = Field(False, description="find VRChat and the avatar's parameters (OSCQuery)")

        @field_validator("parameters")
        @classmethod
        def _known(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
            if names is not None:
                check_names(names, tuple(PARAMETERS), "Unified Expressions parameter")
            return names

    _finder: VRChatFinder | None
    _found: VRChat | None

    def connect(self, ctx: Context) -> None:
        super().connect(ctx)
        if self.config.oscquery:
            self._finder = VRChatFinder(browse_network)

    def prepare(self, ctx: Context) -> None:
        c = self.config
        self._finder = self._found = None
        chosen = selected(c.regions, c.leave_out)
        self._names = [
            name
            for name in (PARAMETERS if c.parameters is None else c.parameters)
            if any(chosen[INDEX[part]] for part in needs(name))
        ]
        self._sent_regions = {region(name) for name, index in INDEX.items() if chosen[index]}
        self._lids = "lids" in self._sent_regions and c.eyes != "none"
        self._gaze = c.eyes if "gaze" in self._sent_regions else "none"
        self._lay_out(layout_by_config(self._names, c.prefix, c.format, c.binary_bits), c.prefix)

    def datagrams(self, frame: Frame, timestamp_ns: int) -> list[bytearray]:
        if self._finder is not None and self._finder.found is not self._found:
            self._follow(self._finder.found)
        parts: list[float] = []
        if self._lids:
            parts.append(float(frame[INDEX["eyeBlinkLeft"]] + frame[INDEX["eyeBlinkRight"]]) / 2)
        if self._gaze != "none":
            parts += eye_numbers(self._gaze, frame)
        numbers, bits = self._values(frame)
        return self._bundles.fill(np.concatenate([parts, numbers]), np.concatenate([self._active, bits]))

    def disconnect(self) -> None:
        finder = getattr(self, "_finder", None)
        if finder is not None:
            finder.close()
        super().disconnect()

    def _lay_out(self, layout: Layout, prefix: str) -> None:
        """Build the bundles: eyes, then what is active, then the parameters."""
        messages = []
        if self._lids:
            messages.append(Message("/tracking/eye/EyesClosedAmount", "f"))
        if self._gaze != "none":
            messages.append(Message(f"/tracking/eye/{self._gaze}", "f" * _SIZES[self._gaze]))
        active = [name for name, of in _ACTIVE.items() if of & self._sent_regions and self._names]
        messages += [Message(f"{ROOT}{prefix}{name}", "B") for name in active]
        self._active = np.ones(len(active), np.bool_)
        self._values = LayoutValues(layout)
        self._bundles = BundleTemplate([*messages, *layout.messages()])

    def _follow(self, found: VRChat | None) -> None:
        """VRChat has come, gone, moved, or another avatar is worn. On the sending thread."""
        c = self.config
        before, self._found = self._found, found
        if found is None:
            self._lay_out(layout_by_config(self._names, c.prefix, c.format, c.binary_bits), c.prefix)
        else:
            self._lay_out(layout_by_avatar(found.types, self._names), c.prefix)
        place = found.osc if found else (c.host, c.port)
        if place != (before.osc if before else (c.host, c.port)):
            self._send_to(*place)


_SIZES = {"LeftRightPitchYaw": 4, "CenterPitchYaw": 2, "LeftRightVec": 6, "CenterVec": 3}


def eye_numbers(form: str, frame: Frame) -> list[float]:
    """The arguments of /tracking/eye/<form> for a frame."""
    left = float(frame[INDEX["leftEyeYaw"]]), float(frame[INDEX["leftEyePitch"]])
    right = float(frame[INDEX["rightEyeYaw"]]), float(frame[INDEX["rightEyePitch"]])
    center = (left[0] + right[0]) / 2, (left[1] + right[1]) / 2
    eyes = [center] if form.startswith("Center") else [left, right]
    if form.endswith("PitchYaw"):
        # A face frame's yaw is positive to the person's left, VRChat's to the right; pitch agrees.
        return [degrees for yaw, pitch in eyes for degrees in (np.degrees(pitch), -np.degrees(yaw))]
    return [part for yaw, pitch in eyes for part in gaze_vector(yaw, pitch)]
