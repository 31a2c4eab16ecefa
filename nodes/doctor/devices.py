"""What the doctor says of sensors and files: microphones, cameras, weights, heads, clips."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rtgraph import RtGraphError
from rtgraph.files import bundled
from rtgraph.nodes.doctor.finding import Finding


def microphones() -> Iterator[Finding]:
    from rtgraph.nodes.audio.capture import Device, open_backend, quiet_drivers

    section = "microphones"
    try:
        with quiet_drivers():
            backend = open_backend("auto")
            try:
                found = [Device(*entry) for entry in backend.devices()]
                default = backend.default_device()
            finally:
                backend.close()
    except (RtGraphError, OSError, RuntimeError, ImportError) as error:
        yield Finding(
            section, "driver", "missing", str(error), "without a microphone graphs play a bundled clip"
        )
        return
    if not found:
        yield Finding(section, "devices", "missing", "none", "connect one, or use audio.file")
    for device in found:
        text = f"{device.name} ({device.host}, {device.channels} channels, {device.rate:.0f} Hz)"
        is_default = " default" if device.index == default else ""
        yield Finding(section, f"{device.index}{is_default}", "ok", text)


def cameras() -> Iterator[Finding]:
    """Video devices by the names that the kernel gives them; none is opened."""
    section = "cameras"
    found = sorted(Path("/sys/class/video4linux").glob("video*"), key=lambda p: (len(p.name), p.name))
    if not found:
        yield Finding(
            section, "devices", "missing", "none", "connect eye cameras, or let gaze be synthesised"
        )
    for entry in found:
        device = Path("/dev") / entry.name
        name = (entry / "name").read_text().strip() if (entry / "name").is_file() else "?"
        try:
            device.open("rb").close()
        except OSError as error:
            yield Finding(
                section, str(device), "problem", f"{name}: {error.strerror}",
                "another program may have it, or your user is not in the group video",
            )  # fmt: skip
        else:
            yield Finding(section, str(device), "ok", name)


def assets() -> Iterator[Finding]:
    section = "bundled files"
    for folder, pattern, without in (
        ("weights", "*.safetensors", "a face needs weights: install a release, or train some"),
        ("heads", "*.safetensors", "the viewer has no head to show"),
        ("clips", "*.[fm][lp]*", "there are no sound and no eyes to fall back to"),
    ):
        files = sorted((bundled("assets") / folder).rglob(pattern))
        if files:
            sizes = ", ".join(f"{file.name} ({_size(file.stat().st_size)})" for file in files)
            yield Finding(section, folder, "ok", sizes)
        else:
            yield Finding(section, folder, "problem", "none found", without)


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.1f} kB"
