"""What a page may ask of sink.viewer, as JSON text: sliders, identity and light, which all pages share."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from rtgraph.errors import suggest
from rtgraph.models.expression import ARKIT

#: A page's message is a few kilobytes; one that is larger closes its connection.
MAX_MESSAGE_BYTES = 65536


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Light(_Strict):
    """The studio's light. Intensities are relative to the default."""

    exposure: float = Field(default=1.0, ge=0, le=4)
    key: float = Field(default=1.0, ge=0, le=4)
    fill: float = Field(default=1.0, ge=0, le=4)
    rim: float = Field(default=1.0, ge=0, le=4)
    environment: float = Field(default=1.0, ge=0, le=4)
    azimuth_deg: float = Field(default=35.0, ge=-180, le=180)
    elevation_deg: float = Field(default=30.0, ge=-90, le=90)
    warmth: float = Field(default=0.0, ge=-1, le=1)


class Settings(_Strict):
    """What all pages of one viewer show alike."""

    weights: dict[str, Annotated[float, Field(ge=0, le=1)]] = {}  # these replace the graph's
    identity: dict[str, Annotated[float, Field(ge=-3, le=3)]] = {}
    light: Light = Field(default_factory=Light)

    @field_validator("weights")
    @classmethod
    def _are_shapes(cls, weights: dict[str, float]) -> dict[str, float]:
        for name in weights:
            if name not in ARKIT:
                near = suggest(name, ARKIT)
                raise ValueError(
                    f"there is no shape '{name}'" + (f"; did you mean '{near}'?" if near else "")
                )
        return weights


class Change(_Strict):
    """{"type": "settings", "settings": ...}: these are the settings from now on."""

    type: Literal["settings"]
    settings: Settings


class Ack(_Strict):
    """{"type": "ack", "seq": n}: message n has been taken in."""

    type: Literal["ack"]
    seq: int = Field(ge=0, lt=2**32)


class Ping(_Strict):
    """{"type": "ping", "at_ms": t}: answered with t and the graph's time, which tell the latency."""

    type: Literal["ping"]
    at_ms: float


class Show(_Strict):
    """{"type": "show", "surface": s}: what the page draws. Vertices and Gaussians are sent on demand."""

    type: Literal["show"]
    surface: Literal["morphs", "vertices", "gaussians"]


class Calibrate(_Strict):
    """{"type": "calibrate", "step": s}: begin, give up, or end with a file of what was seen."""

    type: Literal["calibrate"]
    step: Literal["begin", "cancel", "end"]


class LookAt(_Strict):
    """{"type": "look_at", "yaw_deg": y, "pitch_deg": p}: where the eyes look from now on, if it is known."""

    type: Literal["look_at"]
    yaw_deg: float | None = Field(default=None, ge=-60, le=60)
    pitch_deg: float | None = Field(default=None, ge=-60, le=60)

    @property
    def target(self) -> tuple[float, float] | None:
        """Yaw and pitch, degrees."""
        return None if self.yaw_deg is None or self.pitch_deg is None else (self.yaw_deg, self.pitch_deg)


Request = Change | Ack | Ping | Show | Calibrate | LookAt
_REQUEST: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="type")])


def parse(text: str) -> Request:
    """A page's message. Raises ValueError in words for its author."""
    try:
        return _REQUEST.validate_json(text)
    except ValidationError as error:
        first: Any = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{place}: {first['msg']}" if place else first["msg"]) from None
