"""Pictures of a head without a display: OpenGL on whatever runs it, a GPU or Mesa's software."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtgraph import AssetError
from rtgraph.kernels.decode import Frame
from rtgraph.models.avatar import Head

from .camera import Camera, look_at, orthographic
from .materials import MATERIALS, PLAIN
from .textures import Texture, head_textures

Picture = NDArray[np.uint8]  # [H, W, 3] sRGB

_SHADERS = Path(__file__).parent
_LIGHTS = ("key", "fill", "rim")
_SHADOW_SIZES = {"key": 2048, "rim": 1024}  # of those that throw shadows, texels
_SHADOW_UNIT = 3  # of the first shadow; the units before it are the materials'
_SOLID = 0.6  # hair of so much alpha hides what is behind
# Key from the left and above, a dim cool fill, a rim from behind: towards the light, and linear colour.
_LIGHT_DIRECTIONS = ((0.55, 0.62, 0.72), (-0.8, 0.15, 0.6), (-0.45, 0.5, -0.85))
_LIGHT_COLOURS = ((1.25, 1.15, 1.03), (0.22, 0.26, 0.33), (1.3, 1.4, 1.6))
_SKY, _GROUND = (0.20, 0.22, 0.26), (0.10, 0.085, 0.075)


class Scene:
    """One head before one camera. Belongs to the thread that made it; `close` frees the graphics memory."""

    def __init__(self, head: Head, textures: Path | None, width: int, height: int, camera: Camera) -> None:
        """textures: the head's GLB, whose pictures are used; without one the card's colours.

        Raises AssetError where moderngl or OpenGL is missing.
        """
        self._head, self.size = head, (width, height)
        self._gl = _context()
        self._target = self._gl.framebuffer(
            [self._gl.renderbuffer(self.size, samples=4)], self._gl.depth_renderbuffer(self.size, samples=4)
        )
        self._resolved = self._gl.simple_framebuffer(self.size)
        self._shadows = {light: _Shadow(self._gl, size) for light, size in _SHADOW_SIZES.items()}
        self._lit, self._depth, self._splat, self._wall = (self._program(name) for name in _PROGRAMS)
        self._backdrop = self._gl.vertex_array(self._wall, [])
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
        self.look(camera)

    def close(self) -> None:
        """Give back what the graphics memory holds."""
        self._gl.release()

    def look(self, camera: Camera) -> None:
        """From now on from there."""
        self.camera = camera
        self._set_uniforms()

    def draw_mesh(self, frame: Frame) -> Picture:
        """The head's surface in a decoded frame -> [H, W, 3] uint8 sRGB."""
        self._begin(frame)
        self._gl.enable(self._gl.DEPTH_TEST)
        self._gl.blend_func = self._gl.SRC_ALPHA, self._gl.ONE_MINUS_SRC_ALPHA
        parts = sorted(self._head.card.parts, key=lambda part: MATERIALS.get(part.material, PLAIN).sheer)
        for part in parts:
            first, last = part.triangles
            for soft in self._use(part.material):
                _set(self._lit, "least_alpha", 0.01 if soft else _SOLID)
                if soft:  # over what is there already, and none hides another
                    self._gl.enable(self._gl.BLEND)
                self._target.depth_mask = not soft
                self._mesh.render(first=3 * first, vertices=3 * (last - first))
        self._gl.disable(self._gl.BLEND)
        self._target.depth_mask = True
        return self._read()

    def draw_gaussians(self, frame: Frame) -> Picture:
        """The Gaussians of a decoded frame -> [H, W, 3] uint8 sRGB. The surface gives their shadows."""
        mean, rotation, scale = frame.gaussian_mean, frame.gaussian_rotation, frame.gaussian_scale
        assert mean is not None
        assert rotation is not None
        assert scale is not None
        self._begin(frame)
        gaussians = self._head.gaussians
        depth = mean @ self.camera.view()[2, :3]
        far_first = np.argsort(depth, kind="stable")
        tint = np.concatenate([gaussians.colour, gaussians.opacity[:, None]], axis=1)
        rows = np.concatenate([mean, rotation[:, [1, 2, 3, 0]], scale, tint], axis=1)[far_first]
        instances = self._gl.buffer(np.ascontiguousarray(rows, np.float32).tobytes())
        corners = self._gl.buffer(np.array([-1, -1, 1, -1, -1, 1, 1, 1], np.float32).tobytes())
        array = self._gl.vertex_array(
            self._splat,
            [(corners, "2f", "corner"), (instances, "3f 4f 3f 4f/i", "mean", "rotation", "scale", "tint")],
        )
        self._gl.disable(self._gl.DEPTH_TEST)
        self._gl.enable(self._gl.BLEND)
        self._gl.blend_func = self._gl.ONE, self._gl.ONE_MINUS_SRC_ALPHA
        array.render(self._gl.TRIANGLE_STRIP, instances=len(rows))
        self._gl.disable(self._gl.BLEND)
        for held in (array, instances, corners):
            held.release()
        return self._read()

    def _begin(self, frame: Frame) -> None:
        """The shadows that the surface throws, and the wall behind it."""
        assert frame.vertices is not None
        assert frame.normals is not None
        self._rows[:, :3], self._rows[:, 3:6] = frame.vertices, frame.normals
        self._vertices.write(self._rows.tobytes())
        self._gl.enable(self._gl.DEPTH_TEST)
        for shadow in self._shadows.values():
            shadow.target.use()
            shadow.target.clear(depth=1.0)
            _set(self._depth, "shadow_projection", shadow.projection)
            for part in self._head.card.parts:
                if MATERIALS.get(part.material, PLAIN).casts:
                    first, last = part.triangles
                    self._casters.render(first=3 * first, vertices=3 * (last - first))
        self._target.use()
        self._target.clear()
        self._gl.disable(self._gl.DEPTH_TEST)
        self._backdrop.render(vertices=3)
        for unit, shadow in enumerate(self._shadows.values()):
            shadow.texture.use(_SHADOW_UNIT + unit)

    def _program(self, name: str) -> Any:
        """NAME.vert and NAME.frag, each after the words that all know."""
        common = "#version 330\n" + (_SHADERS / "light.glsl").read_text("utf-8")
        vertex, fragment = ((_SHADERS / f"{name}.{kind}").read_text("utf-8") for kind in ("vert", "frag"))
        return self._gl.program(vertex_shader=common + vertex, fragment_shader=common + fragment)

    def _upload(self, texture: Texture) -> Any:
        rows, columns, channels = texture.pixels.shape
        uploaded = self._gl.texture((columns, rows), channels, np.ascontiguousarray(texture.pixels).tobytes())
        uploaded.build_mipmaps()  # not anisotropic: in software, strands seen end on would take seconds
        return uploaded

    def _use(self, name: str) -> tuple[bool, ...]:
        """Takes a material up; returns how its parts are drawn, one after the other: solid, or soft."""
        material = MATERIALS.get(name, PLAIN)
        base, bend, rough = (self._textures.get(name + suffix) for suffix in ("", " normal", " roughness"))
        for unit, texture in enumerate((base, bend, rough)):
            (texture or self._white).use(unit)
        card = self._head.card
        colour = card.tints.get(name, (1.0, 1.0, 1.0)) if base else card.colours.get(name, (0.6, 0.6, 0.6))
        _set(self._lit, "base_colour", (*colour, 1.0))
        _set(self._lit, "normal_scale", material.normal_scale if bend else 0.0)
        _set(self._lit, "roughness", 1.0 if rough else material.roughness)
        _set(self._lit, "specular", material.specular)
        _set(self._lit, "bleeding", material.bleeding)
        _set(self._lit, "sheer", material.sheer)
        _set(self._lit, "hair", material.hair)
        _set(self._lit, "lights", 2 if material.inside else 3)
        # Hair hides hair: first what is dense, then the soft edges of it.
        return (False, True) if material.hair else (material.sheer,)

    def _set_uniforms(self) -> None:
        directions = np.array(_LIGHT_DIRECTIONS, np.float32)
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        target = np.array(self.camera.target, np.float32)
        width, height = self.size
        view, projection = self.camera.view(), self.camera.projection(width, height)
        for name, shadow in self._shadows.items():
            towards = directions[_LIGHTS.index(name)]
            shadow.projection = orthographic(0.22, 1.2) @ look_at(target + 0.6 * towards, target)
        for program in (self._lit, self._splat):
            for unit, (name, shadow) in enumerate(self._shadows.items()):
                _set(program, f"{name}_projection", shadow.projection)
                _set(program, f"{name}_shadow", _SHADOW_UNIT + unit)
            _set(program, "eye_position", self.camera.position)
            _set(program, "light_direction", directions)
            _set(program, "light_colour", np.array(_LIGHT_COLOURS, np.float32))
            _set(program, "sky_colour", _SKY)
            _set(program, "ground_colour", _GROUND)
        _set(self._lit, "view_projection", projection @ view)
        for unit, name in enumerate(("base_texture", "normal_texture", "roughness_texture")):
            _set(self._lit, name, unit)
        _set(self._wall, "aspect", width / height)
        _set(self._splat, "view", view)
        _set(self._splat, "projection", projection)
        _set(self._splat, "focal", (projection[0, 0] * width / 2, projection[1, 1] * height / 2))
        _set(self._splat, "size", (width, height))

    def _read(self) -> Picture:
        self._gl.copy_framebuffer(self._resolved, self._target)
        width, height = self.size
        pixels = np.frombuffer(self._resolved.read(components=3, alignment=1), np.uint8)
        return pixels.reshape(height, width, 3)[::-1]


_PROGRAMS = ("mesh", "depth", "splat", "backdrop")


class _Shadow:
    """What one light sees: the nearest surface in each direction."""

    def __init__(self, gl: Any, size: int) -> None:
        self.texture = gl.depth_texture((size, size))
        self.texture.compare_func = "<="
        self.target = gl.framebuffer(depth_attachment=self.texture)
        self.projection = np.eye(4, dtype=np.float32)


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
