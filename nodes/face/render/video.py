"""Pictures and sound into a video file, by the machine's own ffmpeg program."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rtgraph import AssetError
from rtgraph.files import whole_file

Picture = NDArray[np.uint8]  # [H, W, 3] sRGB


def write_video(
    path: Path,
    pictures: Iterable[Picture],
    rate_hz: float,
    audio: Path | None = None,
    audio_start_s: float = 0.0,
) -> int:
    """Write the pictures, with the sound of `audio` from some moment, cut to the shorter of the two.

    The container follows the name: .mp4, .webm, .mkv, .gif or .webp. Returns how many pictures were written.
    The file appears, in place of an earlier one, when it is complete; until then a hidden one lies beside it.
    Raises AssetError where ffmpeg is missing or refuses.
    """
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        raise AssetError(
            "a video needs the program ffmpeg; install it (Debian: apt install ffmpeg), or write PNG"
        )
    still = iter(pictures)
    first = next(still, None)
    if first is None:
        raise AssetError(f"{path}: there is no picture to write")
    height, width = first.shape[:2]
    command = [ffmpeg, "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
    command += ["-r", f"{rate_hz:g}", "-i", "-"]
    if audio is not None and path.suffix not in (".gif", ".webp"):
        command += ["-ss", f"{audio_start_s:g}", "-i", str(audio), "-shortest"]
    command += _ENCODING.get(path.suffix, ())
    try:
        with whole_file(path) as part:  # its suffix tells ffmpeg the container
            count, complaint = _encode([*command, str(part)], itertools.chain([first], still))
            if complaint:
                raise AssetError(f"{path}: ffmpeg refused: {complaint.replace(str(part), str(path))}")
    except OSError as error:
        raise AssetError(f"{path} cannot be written: {error.strerror}; choose another -o") from None
    return count


def _encode(command: list[str], pictures: Iterable[Picture]) -> tuple[int, str]:
    """Feed ffmpeg. Returns how many pictures it took, and what it complained of where it failed."""
    count = 0
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        try:
            for picture in pictures:
                process.stdin.write(np.ascontiguousarray(picture).tobytes())
                count += 1
            process.stdin.close()
        except BrokenPipeError:
            pass  # what ffmpeg has to say about it comes next
        except BaseException:
            process.kill()
            raise
        complaint = process.stderr.read().decode(errors="replace").strip()
    return count, (complaint or f"exit code {process.returncode}") if process.returncode else ""


_ENCODING = {
    ".mp4": ("-pix_fmt", "yuv420p", "-movflags", "+faststart"),
    ".webm": ("-pix_fmt", "yuv420p", "-b:v", "0", "-crf", "32"),
    ".gif": ("-vf", "split[a][b];[a]palettegen[p];[b][p]paletteuse"),
    ".webp": ("-loop", "0", "-quality", "90"),
}
