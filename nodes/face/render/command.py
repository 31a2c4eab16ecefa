"""`rtgraph render`: a recorded face to a video or to pictures, without a display."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import typer
from rich.progress import track

from rtgraph import AssetError
from rtgraph.files import find_file, whole_file
from rtgraph.kernels.decode import DecodeState, decode
from rtgraph.models.avatar import Head, identity_code, load_head
from rtgraph.models.avatar.drive import rig_inputs
from rtgraph.models.avatar.head import find_head
from rtgraph.nodes.face.face_csv import FaceClip, read_face_csv

from .camera import Camera
from .scene import Picture, Scene
from .video import write_video

#: Where there is no terminal, how often it says how far it is.
_TELL_EVERY_S = 5.0


def render(
    face: Annotated[
        Path, typer.Argument(help="A CSV of `rtgraph animate`, of a recorder or of Live Link Face.")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="A video (.mp4, .webm, .gif, .webp), or .png: one picture.")
    ] = Path("out.mp4"),
    audio: Annotated[
        Path | None, typer.Option(help="The sound that belongs to it, put into the video.")
    ] = None,
    head: Annotated[str, typer.Option(help="A bundled head's name, or a .rthead file.")] = "default",
    identity: Annotated[str, typer.Option(help="A preset of `rtgraph avatar list`.")] = "",
    seed: Annotated[
        int | None, typer.Option(min=0, help="A random person; the same seed, the same face.")
    ] = None,
    mode: Annotated[Literal["mesh", "gaussians"], typer.Option(help="What is drawn.")] = "mesh",
    size: Annotated[str, typer.Option(help="Width x height, pixels.")] = "720x720",
    fps: Annotated[float, typer.Option(min=1, max=240, help="Pictures a second.")] = 30.0,
    at: Annotated[
        float, typer.Option(min=0, help="The moment to begin with, in seconds; of a .png its own.")
    ] = 0.0,
    duration: Annotated[
        float | None, typer.Option(min=0, help="How many seconds.", show_default="to the end")
    ] = None,
    yaw: Annotated[float, typer.Option(help="Where the camera stands, degrees to the person's left.")] = 0.0,
    sway: Annotated[float, typer.Option(min=0, help="How far it goes to and fro about it, degrees.")] = 0.0,
    distance: Annotated[float, typer.Option(min=0.15, max=3, help="How far away it is, metres.")] = 0.92,
    mark: Annotated[str, typer.Option(help="Words written into every picture; '' for none.")] = "",
) -> None:
    """Render a recorded face. Consider `--mark "synthetic"` for anything that others will see."""
    width, height = _size(size)
    clip = read_face_csv(face)
    audio = audio and find_file(audio, Path.cwd())
    person = load_head(head)
    if code := identity_code(identity, seed, {number.name: number.group for number in person.card.identity}):
        person = person.with_identity(code)
    glb = find_head(head).with_suffix(".glb")
    camera = Camera(yaw=math.radians(yaw), distance_m=distance)
    scene = Scene(person, glb if glb.is_file() else None, width, height, camera)
    still = output.suffix == ".png"
    last_s = float(clip.times_s[-1])
    if at > last_s:
        raise typer.BadParameter(f"the face ends at {last_s:g} s", param_hint="--at")
    end_s = last_s if duration is None else min(at + duration, last_s)
    times_s = np.array([at]) if still else np.arange(at, end_s + 1e-9, 1 / fps)
    pictures = (_marked(p, mark) for p in _pictures(scene, person, clip, times_s, mode, math.radians(sway)))
    if still:
        _write_png(output, next(pictures))
    else:
        write_video(output, _followed(pictures, output.name, len(times_s)), fps, audio, at)
    typer.echo(
        f"{output}: {'1 picture' if still else f'{len(times_s)} pictures, {len(times_s) / fps:.1f} s'}"
    )


def _followed(pictures: Iterator[Picture], name: str, count: int) -> Iterator[Picture]:
    """Shows how far it is: a bar on a terminal, elsewhere a line now and then."""
    if sys.stdout.isatty():
        yield from track(pictures, name, count, transient=True)
        return
    told_s = time.monotonic()
    for done, picture in enumerate(pictures):
        if time.monotonic() - told_s > _TELL_EVERY_S:
            typer.echo(f"{name}: {done} of {count} pictures", err=True)
            told_s = time.monotonic()
        yield picture


def _pictures(
    scene: Scene,
    head: Head,
    clip: FaceClip,
    times_s: np.ndarray,
    mode: Literal["mesh", "gaussians"],
    sway: float,
) -> Iterator[Picture]:
    """sway: radians. The camera ends where it began, so that a loop has no seam."""
    state = DecodeState(head.rig(gaussians=mode == "gaussians"))
    still = scene.camera
    for share, time_s in zip(np.linspace(0, 1, len(times_s)), times_s, strict=True):
        if sway:
            scene.look(replace(still, yaw=still.yaw + sway * math.sin(2 * math.pi * share)))
        frame = decode(state, rig_inputs(clip.at(float(time_s)), head.card.correctives))
        yield scene.draw_mesh(frame) if mode == "mesh" else scene.draw_gaussians(frame)


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and 16 <= min(int(width), int(height)) <= 8192):
        raise typer.BadParameter(
            f"'{text}' is no size; expected 720x720, at least 16x16", param_hint="--size"
        )
    if int(width) % 2 or int(height) % 2:
        raise typer.BadParameter("videos want an even width and height", param_hint="--size")
    return int(width), int(height)


def _marked(picture: Picture, words: str) -> Picture:
    """The picture with words in its lower right corner."""
    if not words:
        return picture
    from PIL import Image, ImageDraw, ImageFont

    image = Image.fromarray(picture)
    font = ImageFont.load_default(size=max(12, picture.shape[0] // 28))
    margin = picture.shape[0] // 36
    corner = (picture.shape[1] - margin, picture.shape[0] - margin)
    ImageDraw.Draw(image).text(
        corner, words, font=font, fill="white", anchor="rs", stroke_width=1, stroke_fill="black"
    )
    return np.asarray(image)


def _write_png(path: Path, picture: Picture) -> None:
    from PIL import Image

    try:
        with whole_file(path) as part:
            Image.fromarray(picture).save(part)
    except OSError as error:
        raise AssetError(f"{path} cannot be written ({error}); choose another -o") from None
