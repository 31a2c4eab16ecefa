"""Pictures of a head without a display: OpenGL on whatever runs it, a GPU or Mesa's software."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtgraph import AssetError
from rtgraph.models.avatar import Head

from .camera import Camera, Floats, look_at, orthographic
from .materials import MATERIALS, PLAIN
from .textures import Texture, head_textures

Picture = NDArray[np.uint8]  # [H, W, 3] sRGB

_SHADERS = Path(__file__).parent
_SHADOW_SIZE = 1024
# Key from the left and above, a dim cool fill, a rim from behind: towards the light, and linear colour.
_LIGHT_DIRECTIONS = ((0.55, 0.62, 0.72), (-0.8, 0.15, 0.6), (-0.45, 0.5, -0.85))
_LIGHT_COLOURS = ((1.75, 1.6, 1.45), (0.34, 0.4, 0.5), (1.5, 1.6, 1.8))
_SKY, _GROUND = (0.2, 0.22, 0.26), (0.1, 0.08, 0.07)
_BACKGROUND = (0.045, 0.05, 0.06)  # sRGB


class Scene:
    """One head before one camera. Belongs to the thread that made it; `close` frees the graphics memory."""

    def __init__(self, head: Head, textures: Path | None, width: int, height: int, camera: Camera) -> None:
        """textures: the head's GLB, whose pictures are used; without one the card's colours.

        Raises AssetError where moderngl or OpenGL is missing.
        """
        self._head, self._camera, self.size = head, camera, (width, height)
        self._gl = _context()
        self._target = self._gl.framebuffer(
            [self._gl.renderbuffer(self.size, samples=4)], self._gl.depth_renderbuffer(self.size, samples=4)
        )
        self._resolved = self._gl.simple_framebuffer(self.size)
        self._shadow = self._gl.depth_texture((_SHADOW_SIZE, _SHADOW_SIZE))
        self._shadow.compare_func = "<="
        self._shadow_target = self._gl.framebuffer(depth_attachment=self._shadow)
        self._lit, self._depth, self._splat = (self._program(*names) for names in _PROGRAMS)
        self._vertices = self._gl.buffer(reserve=len(head.neutral) * 8 * 4, dynamic=True)
        indices = self._gl.buffer(np.ascontiguousarray(head.triangles).tobytes())
        layout = [(self._vertices, "3f 3f 2f", "in_position", "in_normal", "in_uv")]
        self._mesh = self._gl.vertex_array(self._lit, layout, indices)
        self._casters = self._gl.vertex_array(
            self._depth, [(self._vertices, "3f 20x", "in_position")], indices
        )
        self._textures = {
            name: self._upload(texture)
            for name, texture in (head_textures(textures) if textures else {}).items()
        }
        self._white = self._upload(Texture(np.full((1, 1, 4), 255, np.uint8)))
        self._rows = np.empty((len(head.neutral), 8), np.float32)
        self._rows[:, 6:] = head.uv
        self._set_lights()

    def close(self) -> None:
        """Give back what the graphics memory holds."""
        self._gl.release()

    def draw_mesh(self, vertices: Floats, normals: Floats) -> Picture:
        """vertices [V, 3] metres, normals [V, 3] unit -> [H, W, 3] uint8 sRGB."""
        self._rows[:, :3], self._rows[:, 3:6] = vertices, normals
        self._vertices.write(self._rows.tobytes())
        self._gl.enable(self._gl.DEPTH_TEST)
        self._shadow_target.use()
        self._shadow_target.clear(depth=1.0)
        self._casters.render()
        self._target.use()
        self._target.clear(*_BACKGROUND)
        self._gl.blend_func = self._gl.SRC_ALPHA, self._gl.ONE_MINUS_SRC_ALPHA
        self._shadow.use(2)
        parts = sorted(self._head.card.parts, key=lambda part: MATERIALS.get(part.material, PLAIN).sheer)
        for part in parts:
            self._use(part.material)
            first, last = part.triangles
            self._mesh.render(first=3 * first, vertices=3 * (last - first))
        self._gl.disable(self._gl.BLEND)
        self._target.depth_mask = True
        return self._read()

    def draw_gaussians(self, mean: Floats, rotation: Floats, scale: Floats) -> Picture:
        """mean [G, 3] metres, rotation [G, 4] w x y z, scale [G, 3] metres -> [H, W, 3] uint8 sRGB."""
        gaussians = self._head.gaussians
        depth = mean @ self._camera.view()[2, :3]
        far_first = np.argsort(depth, kind="stable")
        tint = np.concatenate([gaussians.colour, gaussians.opacity[:, None]], axis=1)
        rows = np.concatenate([mean, rotation[:, [1, 2, 3, 0]], scale, tint], axis=1)[far_first]
        instances = self._gl.buffer(np.ascontiguousarray(rows, np.float32).tobytes())
        corners = self._gl.buffer(np.array([-1, -1, 1, -1, -1, 1, 1, 1], np.float32).tobytes())
        array = self._gl.vertex_array(
            self._splat,
            [(corners, "2f", "corner"), (instances, "3f 4f 3f 4f/i", "mean", "rotation", "scale", "tint")],
        )
        self._target.use()
        self._target.clear(*_BACKGROUND)
        self._gl.disable(self._gl.DEPTH_TEST)
        self._gl.enable(self._gl.BLEND)
        self._gl.blend_func = self._gl.ONE, self._gl.ONE_MINUS_SRC_ALPHA
        array.render(self._gl.TRIANGLE_STRIP, instances=len(rows))
        self._gl.disable(self._gl.BLEND)
        for held in (array, instances, corners):
            held.release()
        return self._read()

    def _program(self, vertex: str, fragment: str) -> Any:
        return self._gl.program(
            vertex_shader=(_SHADERS / vertex).read_text("utf-8"),
            fragment_shader=(_SHADERS / fragment).read_text("utf-8"),
        )

    def _upload(self, texture: Texture) -> Any:
        rows, columns, channels = texture.pixels.shape
        uploaded = self._gl.texture((columns, rows), channels, np.ascontiguousarray(texture.pixels).tobytes())
        uploaded.build_mipmaps()
        uploaded.anisotropy = 8.0
        return uploaded

    def _use(self, name: str) -> None:
        material = MATERIALS.get(name, PLAIN)
        base, bend = self._textures.get(name), self._textures.get(f"{name} normal")
        (base or self._white).use(0)
        (bend or self._white).use(1)
        card = self._head.card
        colour = card.tints.get(name, (1.0, 1.0, 1.0)) if base else card.colours.get(name, (0.6, 0.6, 0.6))
        _set(self._lit, "base_colour", (*colour, 1.0))
        _set(self._lit, "normal_scale", material.normal_scale if bend else 0.0)
        _set(self._lit, "roughness", material.roughness)
        _set(self._lit, "specular", material.specular)
        _set(self._lit, "bleeding", material.bleeding)
        _set(self._lit, "sheer", material.sheer)
        if material.sheer:  # soft edges over what is there already, and none hides another
            self._gl.enable(self._gl.BLEND)
            self._target.depth_mask = False

    def _set_lights(self) -> None:
        directions = np.array(_LIGHT_DIRECTIONS, np.float32)
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        target = np.array(self._camera.target, np.float32)
        shadow = orthographic(0.22, 1.2) @ look_at(target + 0.6 * directions[0], target)
        width, height = self.size
        view, projection = self._camera.view(), self._camera.projection(width, height)
        for program in (self._lit, self._depth):
            _set(program, "shadow_projection", shadow)
        _set(self._lit, "view_projection", projection @ view)
        _set(self._lit, "eye_position", self._camera.position)
        _set(self._lit, "light_direction", directions)
        _set(self._lit, "light_colour", np.array(_LIGHT_COLOURS, np.float32))
        _set(self._lit, "sky_colour", _SKY)
        _set(self._lit, "ground_colour", _GROUND)
        for unit, name in enumerate(("base_texture", "normal_texture", "shadow_map")):
            _set(self._lit, name, unit)
        _set(self._splat, "view", view)
        _set(self._splat, "projection", projection)
        _set(self._splat, "focal", (projection[0, 0] * width / 2, projection[1, 1] * height / 2))
        _set(self._splat, "size", (width, height))

    def _read(self) -> Picture:
        self._gl.copy_framebuffer(self._resolved, self._target)
        width, height = self.size
        pixels = np.frombuffer(self._resolved.read(components=3, alignment=1), np.uint8)
        return pixels.reshape(height, width, 3)[::-1]


_PROGRAMS = (("mesh.vert", "mesh.frag"), ("depth.vert", "depth.frag"), ("splat.vert", "splat.frag"))


def _set(program: Any, name: str, value: Any) -> None:
    """A uniform, unless the compiler has found that nothing depends on it. Matrices are [row, column]."""
    if name not in program:
        return
    if isinstance(value, np.ndarray) and value.shape == (4, 4):
        program[name].write(np.ascontiguousarray(value.T).tobytes())
    elif isinstance(value, np.ndarray):
        program[name].write(np.ascontiguousarray(value, np.float32).tobytes())
    else:
        program[name].value = value


def _context() -> Any:
    try:
        import moderngl
    except ModuleNotFoundError:
        raise AssetError(
            "pictures need the package moderngl; install it: pip install 'rtgraph[render]'"
        ) from None
    complaints = []
    for options in ({"backend": "egl"}, {}):  # EGL needs no display; other systems have their own way
        try:
            return moderngl.create_standalone_context(require=330, **options)
        except Exception as error:  # moderngl raises what its backend raises
            complaints.append(str(error))
    raise AssetError(
        f"OpenGL 3.3 cannot be started ({'; '.join(complaints)}); install a driver"
        " (Debian, in software: apt install libegl1 libgl1-mesa-dri)"
    )
