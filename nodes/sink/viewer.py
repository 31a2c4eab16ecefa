"""sink.viewer: shows a face in the browser, live."""

from __future__ import annotations

import importlib.util
import json
import webbrowser
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from rtgraph import Input, InputFile, Node, NodeConfig, RtGraphError, TensorType, register
from rtgraph.context import Context
from rtgraph.files import bundled
from rtgraph.models.expression import ARKIT, EYE_STATE, FRAME, REGIONS
from rtgraph.models.eye_calibration import NINE_POINTS
from rtgraph.nodes.audio.types import AudioChunk
from rtgraph.nodes.face.types import (
    Confidence,
    ExpressionFrame,
    EyeImage,
    EyeState,
    Normals,
    Splats,
    Vertices,
)
from rtgraph.nodes.sink._web_looks import Looks
from rtgraph.nodes.sink._web_message import LARGE, VERSION, Kind
from rtgraph.nodes.sink._web_newest import Newest
from rtgraph.nodes.sink._web_timing import timing
from rtgraph.nodes.sink.address import host_port, is_loopback


def _newest(type: TensorType, doc: str, capacity: int = 4, sample_rate_hz: float | None = None) -> Input:
    return Input(
        type,
        capacity=capacity,
        overflow="drop_oldest",
        optional=True,
        sample_rate_hz=sample_rate_hz,
        doc=doc,
    )


@register("sink.viewer")
class Viewer(Node):
    """Serves a page with a living head: open http://127.0.0.1:8040 in a browser or a headset.

    Any number of pages may be connected. Each gets the newest there is, when it has room for it, so a slow
    one never holds the graph up. Without `vertices` the page moves the head itself, by its morph targets.

    Counts `bad_frames`: with NaN or infinite numbers, not shown; `clamped`: frames with weights outside
    0..1; `bad_requests`: messages of pages that meant nothing.
    """

    class Config(NodeConfig):
        host: str = Field(
            "127.0.0.1", min_length=1, description="address to serve on; others than loopback need a `token`"
        )
        port: int = Field(8040, ge=0, le=65535, description="0: any that is free")
        token: str = Field(
            "",
            pattern=r"^[A-Za-z0-9_.~-]*$",
            description="a secret of at least 16 letters that pages must know",
        )
        fps: float = Field(120.0, gt=0, le=1000, description="at most so many messages a second and page")
        head: InputFile = Field(
            "asset:heads/default.glb",
            min_length=1,
            description="a GLB with ARKit morph targets, or a .rthead of `rtgraph avatar`",
        )
        identity: str = Field("", description="a preset of `rtgraph avatar list`; empty: the head as it is")
        seed: int | None = Field(None, ge=0, description="a random person instead; same seed, same face")
        looks: str = Field(
            "looks.npz",
            pattern=r"(?i)\.npz$",
            description='the file that "Calibrate eyes" writes, for `rtgraph calibrate eyes --looks`;'
            " relative to the working directory",
        )
        open_browser: bool = Field(False, description="open the page when the run starts")

        @model_validator(mode="after")
        def _check(self) -> Viewer.Config:
            if not is_loopback(self.host) and not self.token:
                raise ValueError(
                    f"host {self.host} lets other machines in, which needs a `token` of at least 16 letters"
                )
            if self.token and len(self.token) < 16:
                raise ValueError(f"a token of {len(self.token)} letters can be guessed; it needs at least 16")
            return self

    frame = Input(ExpressionFrame, capacity=4, overflow="drop_oldest", doc="what the face does")
    confidence = _newest(Confidence, "how sure the frame is, by region")
    vertices = _newest(Vertices, "of the head that `head` names, in place of its morph targets")
    normals = _newest(Normals, "with `vertices`")
    gaussians = _newest(Splats, "what the splat mode shows")
    audio = _newest(AudioChunk, "for the waveform", capacity=64, sample_rate_hz=16000)
    left = _newest(EyeImage, "the left eye's camera")
    right = _newest(EyeImage, "the right eye's camera")
    state = _newest(EyeState, "gaze and lids")

    blocking = True
    fires = "any"

    def open(self, ctx: Context) -> None:
        if importlib.util.find_spec("aiohttp") is None:
            raise RtGraphError(
                f"sink.viewer ('{self.name}') serves with aiohttp, which is not installed: "
                "pip install 'rtgraph[vr]'"
            )
        from rtgraph.nodes.sink._web_head import ShownHead
        from rtgraph.nodes.sink._web_server import ViewerServer

        c = self.config
        self._head = ShownHead(ctx.find_file(c.head), c.identity, c.seed)
        if missing := [name for name in ARKIT if name not in self._head.shapes]:
            ctx.warn(f"{c.head} has no morph targets {', '.join(missing)}: these do not show")
        self._ctx = ctx
        self._newest = Newest()
        self._looks = Looks(Path(c.looks).absolute())
        self._told = 0
        self._server = ViewerServer(
            self._newest,
            self._looks,
            page=bundled("viewer") / "dist",
            head=self._head,
            host=c.host,
            port=c.port,
            token=c.token,
            fps=c.fps,
            now_ns=ctx.now_ns,
            hello=self._hello(ctx),
            every_second=self._measure,
        )
        port = self._server.start()
        self.url = f"http://{host_port(c.host, port)}/" + (f"?token={c.token}" if c.token else "")
        print(f"{self.name}: open {self.url}", flush=True)
        if c.open_browser:
            webbrowser.open(self.url)

    def process(
        self,
        frame: NDArray[np.float32] | None,
        confidence: NDArray[np.float32] | None,
        vertices: NDArray[np.float32] | None,
        normals: NDArray[np.float32] | None,
        gaussians: NDArray[np.float32] | None,
        audio: NDArray[np.float32] | None,
        left: NDArray[np.uint8] | None,
        right: NDArray[np.uint8] | None,
        state: NDArray[np.float32] | None,
        ctx: Context,
    ) -> None:
        for kind, value in (
            (Kind.CONFIDENCE, confidence),
            (Kind.VERTICES, vertices),
            (Kind.NORMALS, normals),
            (Kind.GAUSSIANS, gaussians),
            (Kind.LEFT_EYE, left),
            (Kind.RIGHT_EYE, right),
            (Kind.EYE_STATE, state),
        ):
            if value is None or (kind in LARGE and kind not in self._server.wanted):
                continue
            if self._finite(value, ctx):
                self._newest.put(kind, value, ctx.timestamp_ns)
        if left is not None:
            self._looks.see("left", left, ctx.timestamp_ns)
        if right is not None:
            self._looks.see("right", right, ctx.timestamp_ns)
        if audio is not None and self._finite(audio, ctx):
            self._newest.put_sound(audio, ctx.timestamp_ns)
        if frame is not None and self._finite(frame, ctx):
            self._newest.put(Kind.FRAME, self._clamped(frame, ctx), ctx.timestamp_ns)
            self._server.wake()
        if self._server.nonsense > self._told:
            ctx.count("bad_requests", self._server.nonsense - self._told)
            self._told = self._server.nonsense

    def reset(self) -> None:
        """Pages keep what they show until the next frame."""

    def close(self) -> None:
        if hasattr(self, "_server"):
            self._server.stop()
        if hasattr(self, "_head"):
            self._head.close()

    def _finite(self, value: NDArray[Any], ctx: Context) -> bool:
        if value.dtype != np.float32 or np.isfinite(value).all():
            return True
        ctx.count("bad_frames")
        ctx.warn("packets with NaN or infinite numbers are not shown")
        return False

    def _clamped(self, frame: NDArray[np.float32], ctx: Context) -> NDArray[np.float32]:
        weights = frame[: len(ARKIT)]
        if weights.min() >= 0 and weights.max() <= 1:
            return frame
        ctx.count("clamped")
        frame = frame.copy()
        np.clip(weights, 0, 1, out=frame[: len(ARKIT)])
        return frame

    def _hello(self, ctx: Context) -> dict[str, Any]:
        return {
            "type": "hello",
            "version": VERSION,
            "live": ctx.live,
            "frame": FRAME,
            "shapes": len(ARKIT),
            "regions": REGIONS,
            "eye_state": EYE_STATE,
            "head": self._head.checksum,
            "identity": self._head.numbers,
            "look_points": NINE_POINTS,
        }

    def _measure(self) -> None:
        """The profile so far, for the timing strip. On the server's thread."""
        figures = self._ctx.profile()
        if figures is None:
            return
        data = json.dumps(timing(figures), separators=(",", ":")).encode()
        self._newest.put(Kind.TIMING, np.frombuffer(data, np.uint8), self._ctx.now_ns())
