"""Avatar decoder: an expression and a rig in; vertices, normals and mesh-carried Gaussians out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from .. import _cpu
from .rig import Rig, arkit_drive, sparse_shapes

__all__ = ["DecodeState", "Frame", "Rig", "arkit_drive", "decode", "identity", "sparse_shapes"]

Floats = npt.NDArray[np.float32]
Isa = Literal["baseline", "avx2", "avx512"]


@dataclass(frozen=True)
class Frame:
    """The arrays that a decoded frame is written to; None for an output not wanted, nor computed.

    Metres, glTF axes. The three of the Gaussians go together.
    """

    vertices: Floats | None = None  # [V, 3]
    normals: Floats | None = None  # [V, 3] unit
    gaussian_mean: Floats | None = None  # [G, 3]
    gaussian_rotation: Floats | None = None  # [G, 4] unit quaternion w x y z
    gaussian_scale: Floats | None = None  # [G, 3]

    @classmethod
    def empty(cls, rig: Rig, normals: bool = True, gaussians: bool = True) -> Frame:
        """A frame for this rig, with vertices and what is asked for."""
        v, g = rig.vertices, rig.gaussians

        def array(wanted: bool, *shape: int) -> Floats | None:
            return np.empty(shape, np.float32) if wanted else None

        return cls(
            array(True, v, 3),
            array(normals, v, 3),
            array(gaussians, g, 3),
            array(gaussians, g, 4),
            array(gaussians, g, 3),
        )


class DecodeState:
    """One session's state: the rig packed for speed, the person's neutral head, the last good expression.

    Belongs to one thread at a time. `isa` picks an instruction set for tests; None takes the best that the
    machine runs. Raises ValueError, naming the array and the entry, where the rig holds a wrong index or
    number.
    """

    def __init__(self, rig: Rig, isa: Isa | None = None) -> None:
        self.rig = rig
        self._plan = _cpu.decode.Plan(rig, isa)
        self._decoder = _cpu.decode.Decoder(self._plan)

    def set_identity(self, neutral: Floats, joint_pivot: Floats) -> None:
        """Take a person's neutral head [V, 3] and joint pivots [J, 3], metres, in place of the rig's."""
        for name, value, rows in (
            ("neutral", neutral, self.rig.vertices),
            ("joint_pivot", joint_pivot, self.rig.joints),
        ):
            _check(name, value, (rows, 3))
            if not np.isfinite(value).all():
                raise ValueError(
                    f"decode: {name}: expected finite numbers, got NaN or Inf; check the identity code"
                )
        self._decoder.set_identity(neutral, joint_pivot)

    def reset(self) -> None:
        """Forget the last good expression and the count; the identity stays."""
        self._decoder.reset()

    @property
    def replaced_frames(self) -> int:
        """Expressions since the start or reset that were not finite (or beyond 1000): the last good one
        stood in.
        """
        return int(self._decoder.replaced_frames)

    @property
    def delta_bytes(self) -> int:
        """Bytes of packed shape deltas that every frame reads."""
        return int(self._plan.delta_bytes)


def decode(state: DecodeState, expression: Floats, out: Frame | None = None) -> Frame:
    """Decode one expression [E] float32 (an ExpressionFrame, for a rig driven by one) into `out` or a new
    frame.

    Always finite. Raises TypeError or ValueError, naming the array, where one does not fit.
    """
    rig = state.rig
    _check("expression", expression, (rig.inputs,))
    if out is None:
        out = Frame.empty(rig)
    else:
        _check_output("vertices", out.vertices, (rig.vertices, 3))
        _check_output("normals", out.normals, (rig.vertices, 3))
        _check_output("gaussian_mean", out.gaussian_mean, (rig.gaussians, 3))
        _check_output("gaussian_rotation", out.gaussian_rotation, (rig.gaussians, 4))
        _check_output("gaussian_scale", out.gaussian_scale, (rig.gaussians, 3))
        parts = (out.gaussian_mean, out.gaussian_rotation, out.gaussian_scale)
        if len({part is None for part in parts}) > 1:
            raise ValueError("decode: out: expected all three Gaussian arrays or none, got some")
    state._decoder.step(
        expression, out.vertices, out.normals, out.gaussian_mean, out.gaussian_rotation, out.gaussian_scale
    )
    return out


def identity(mean: Floats, basis: Floats, code: Floats) -> Floats:
    """A person's points: mean [N, 3] + code [K] x basis [K, N, 3] -> [N, 3]; for vertices and for joint
    pivots.

    Raises TypeError or ValueError, naming the array, where one does not fit.
    """
    _check("mean", mean, (len(mean), 3))
    _check("code", code, (len(code),))
    _check("basis", basis, (len(code), len(mean), 3))
    out = np.empty_like(mean)
    _cpu.decode.blend_identity(mean, basis, code, out)
    return out


def _check(name: str, value: object, shape: tuple[int, ...]) -> None:
    if type(value) is not np.ndarray or value.dtype != np.float32:
        got = f"{list(value.shape)} {value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__
        raise TypeError(
            f"decode: {name}: expected a float32 numpy array, got {got}; use np.asarray(x, np.float32)"
        )
    if value.shape != shape or not value.flags.c_contiguous:
        layout = "" if value.flags.c_contiguous else ", not contiguous"
        raise ValueError(
            f"decode: {name}: expected a contiguous {list(shape)}, got {list(value.shape)}{layout}"
        )


def _check_output(name: str, value: object, shape: tuple[int, ...]) -> None:
    if value is None:
        return
    _check(name, value, shape)
    if isinstance(value, np.ndarray) and not value.flags.writeable:
        raise ValueError(f"decode: {name}: expected a writeable array, got a read-only one")
