"""face.avatar_decoder: a frame of expression into a head's vertices, normals and Gaussians."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

import numpy as np
from pydantic import Field

from rtgraph import Input, NativeNode, NodeConfig, Output, register
from rtgraph.models.avatar import Head, identity_code, load_head
from rtgraph.models.expression import INDEX
from rtgraph.nodes import _native
from rtgraph.nodes.device import DeviceConfig, on_cuda
from rtgraph.nodes.face.types import ExpressionFrame, Normals, Splats, Vertices


class AvatarConfig(NodeConfig):
    """Which head, which person, and what is wanted of it."""

    head: str = Field("default", description="a bundled head's name, or the path of a .rthead")
    identity: str = Field("", description="a preset of `rtgraph avatar list`; empty: the head as it is")
    seed: int | None = Field(None, ge=0, description="a random person instead; the same seed, the same face")
    output: Literal["mesh", "gaussians", "both"] = Field("both", description="what is computed and sent")

    @property
    def mesh(self) -> bool:
        """Whether vertices and normals are wanted."""
        return self.output != "gaussians"

    @property
    def gaussians(self) -> bool:
        """Whether Gaussians are wanted."""
        return self.output != "mesh"


@register("face.avatar_decoder")
class AvatarDecoder(NativeNode):
    """Shapes, correctives, neck and eyes, normals and Gaussians of a head in one call, without the GIL.

    A frame with NaN or infinity is replaced by the last good one (counted as `replaced_frames`), a weight
    outside 0..1 or an angle beyond what a neck or an eye can do by the nearest possible (`clamped_values`).
    `rtgraph.models.avatar.drive` says how eyes, lids and lips are made to agree.
    """

    class Config(AvatarConfig, DeviceConfig):
        pass

    frame = Input(ExpressionFrame)
    vertices = Output(Vertices, shape=lambda c: (len(_head(c).neutral), 3), doc="unless output is gaussians")
    normals = Output(Normals, shape=lambda c: (len(_head(c).neutral), 3), doc="with `vertices`")
    gaussians = Output(
        Splats, shape=lambda c: (len(_head(c).gaussians.triangle), 14), doc="unless output is mesh"
    )

    def native(self) -> object:
        c, head = self.config, _head(self.config)
        neutral = np.ascontiguousarray(head.neutral, np.float32)
        pivot = np.ascontiguousarray(head.joint_pivot, np.float32)
        correctives = [(INDEX[c.first], INDEX[c.second], c.inverted) for c in head.card.correctives]
        tint = np.ascontiguousarray(
            np.column_stack([head.gaussians.colour, head.gaussians.opacity]), np.float32
        )
        if c.device == "cpu":
            plan = _plan(c.head, c.gaussians)
            return _native.avatar_decoder(plan, neutral, pivot, correctives, tint, c.mesh, c.gaussians)

        def capture() -> Any:
            from rtgraph.nodes.face.captured import capture_avatar

            rig = _person(c.head, "", None).rig(gaussians=c.gaussians)
            return capture_avatar(rig, neutral, pivot, tint, c.mesh, c.gaussians)

        self.captured = on_cuda(self.name, capture)
        return _native.captured_avatar_decoder(
            self.captured, len(neutral), correctives, tint, c.mesh, c.gaussians
        )


def _head(config: Any) -> Head:
    return _person(config.head, config.identity, config.seed)


@lru_cache(maxsize=4)
def _person(name: str, identity: str, seed: int | None) -> Head:
    """The plan asks for the sizes several times; the file is read once."""
    head = load_head(name)
    code = identity_code(identity, seed, head.identity_groups)
    return head.with_identity(code) if code else head


@lru_cache(maxsize=4)
def _plan(name: str, gaussians: bool) -> Any:
    """The head packed, which all persons on it share: they differ in where it rests."""
    return _native.AvatarPlan(_person(name, "", None).rig(gaussians=gaussians))
