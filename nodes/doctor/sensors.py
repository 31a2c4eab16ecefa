"""What the doctor says of a graph's own sensors: whether each will find the device that it asks for."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rtgraph import RtGraphError
from rtgraph.graph import Plan
from rtgraph.nodes.doctor.finding import Finding, Status

_SECTION = "sensors of the graph"
_STREAM_WAIT_S = 2.0

#: What is found of a sensor: its status, what there is, what to do.
Answer = tuple[Status, str, str]


def sensors(plan: Plan | None) -> Iterator[Finding]:
    """Nothing without a graph, and nothing of nodes that read no device."""
    for node in plan.nodes if plan is not None else ():
        kind = type(node.node).type_name
        look = _LOOKS.get(kind)
        if look is not None:
            yield Finding(_SECTION, f"{node.name} ({kind})", *look(node.node.config))


def _microphone(c: Any) -> Answer:
    from rtgraph.nodes.audio.capture import choose_format, find_device, open_backend, quiet_drivers

    try:
        with quiet_drivers():
            backend = open_backend(c.backend)
            try:
                device = find_device(backend, c.device)
                chosen = choose_format(backend, device, c.sample_rate, c.hop_ns, c.channel)
            finally:
                backend.close()
    except (RtGraphError, OSError, RuntimeError) as error:
        trouble = str(error).splitlines()[0].partition("; connect")[0]  # the remedy is told by us
        return _or_fallback(trouble, c.fallback, "connect it, or choose another `device`")
    resampled = "" if chosen.rate == c.sample_rate else f", resampled to {c.sample_rate}"
    return "ok", f"will record from {device.name} at {chosen.rate} Hz{resampled}", ""


def _camera_pair(c: Any) -> Answer:
    there, troubles = [], []
    for device in c.devices.values():
        path = Path(f"/dev/video{device}" if isinstance(device, int) else device)
        try:
            path.open("rb").close()
            there.append(str(path))
        except OSError as error:
            troubles.append(f"{path}: {error.strerror}")
    if there:
        lost = f"; {'; '.join(troubles)}: that eye follows the other" if troubles else ""
        return "ok", f"will read {' and '.join(there)}{lost}", ""
    stand_in = "rendered eyes" if c.fallback else None
    return _or_fallback("; ".join(troubles), stand_in, "connect them, or set `left` and `right`")


def _mjpeg(c: Any) -> Answer:
    from rtgraph.nodes.eye.mjpeg_stream import MjpegStream

    there, troubles = [], []
    for url in (c.left, c.right, c.both):
        if url is None:
            continue
        try:
            stream = MjpegStream(url, min(c.timeout_s, _STREAM_WAIT_S))
            try:
                got = stream.read()
            finally:
                stream.close()
        except (RtGraphError, OSError) as error:
            troubles.append(f"{url}: {error}")
        else:
            size = "a damaged image" if got is None else "images of {1} x {0}".format(*got[0].shape)
            there.append(f"{url} sends {size}")
    text = "; ".join(there + troubles)
    if not troubles:
        return "ok", text, ""
    return "missing", text, "open the address in a browser; until it is there, eyes are made up"


def _osc(c: Any) -> Answer:
    place = f"{c.host}:{c.port}"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        try:
            listener.bind((c.host, c.port))
        except OSError as error:
            return (
                "problem",
                f"cannot listen at {place}: {error.strerror}",
                "set `port` to that of the sender",
            )
        listener.settimeout(0.3)
        try:
            listener.recv(65536)
        except TimeoutError:
            return "missing", f"{place}: nothing comes", "start the program that tracks the eyes"
    return "ok", f"{place}: something sends", ""


def _or_fallback(trouble: str, fallback: str | None, remedy: str) -> Answer:
    if fallback is None:
        return "problem", trouble, remedy
    return "missing", f"{trouble}; instead, {fallback} will play", remedy


_LOOKS: dict[str, Callable[[Any], Answer]] = {
    "audio.microphone": _microphone,
    "eye.camera_pair": _camera_pair,
    "eye.mjpeg": _mjpeg,
    "eye.osc": _osc,
}
