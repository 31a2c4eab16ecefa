"""Mapping files of sink.osc: which OSC messages there are, and which numbers of the face go into them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StrictInt,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)

from rtgraph.errors import GraphError
from rtgraph.models.expression import FRAME, INDEX
from rtgraph.nodes.sink.face_frames import Frame, check_names
from rtgraph.nodes.sink.osc_bundle import BundleTemplate, Message
from rtgraph.plain_words import config_diagnostics
from rtgraph.yaml_source import read_source

#: What OSC's 32 bits hold; a float32 of more is infinite.
Float = Annotated[float, Field(ge=-3.0e38, le=3.0e38, allow_inf_nan=False)]
Int = Annotated[StrictInt, Field(ge=-(2**31), le=2**31 - 1)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Value(_Model):
    """A float argument: the sum of weight x number over `of`, times `scale`, plus `offset`, in min..max."""

    of: dict[str, Float] = Field(min_length=1)
    scale: Float = 1.0
    offset: Float = 0.0
    min: Float = -3.0e38
    max: Float = 3.0e38

    @field_validator("of", mode="before")
    @classmethod
    def _from_name(cls, value: object) -> object:
        return {value: 1.0} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _check(self) -> Value:
        check_names(tuple(self.of), FRAME, "number of a face frame")
        if not self.min <= self.max:
            raise ValueError(f"min ({self.min:g}) lies above max ({self.max:g})")
        return self


class Constant(_Model):
    """An argument that is always the same: text or a whole number of 32 bits."""

    constant: str | Int


def _kind(argument: object) -> str:
    """Which of the two is meant, so that a mistake in one is not told as what it lacks to be the other."""
    if isinstance(argument, Constant) or (isinstance(argument, dict) and "constant" in argument):
        return "Constant"
    return "Value"


Argument = Annotated[
    Annotated[Value, Tag("Value")] | Annotated[Constant, Tag("Constant")], Discriminator(_kind)
]


class OscMessage(_Model):
    """One message: its address, and its arguments in order."""

    address: str = Field(pattern=r"^(/[^\s#*,/?\[\]{}]+)+$")
    args: tuple[Argument, ...] = Field(min_length=1)

    @field_validator("args", mode="before")
    @classmethod
    def _from_names(cls, values: object) -> object:
        if not isinstance(values, list | tuple):
            return values
        return [{"of": value} if isinstance(value, str) else value for value in values]


class OscMapping(_Model):
    """A mapping file: version 1 and the messages, which are sent in this order."""

    version: int = Field(ge=1, le=1)
    messages: tuple[OscMessage, ...] = Field(min_length=1)


def read_mapping(path: Path) -> OscMapping:
    """The mapping in a YAML file. Raises GraphError with file, line and column of every mistake."""
    source = read_source(path)
    try:
        mapping = OscMapping.model_validate(source.data)
    except ValidationError as error:
        raise GraphError([*source.problems, *config_diagnostics(source, (), error, OscMapping)]) from None
    if source.problems:
        raise GraphError(source.problems)
    return mapping


class MappedMessages:
    """A mapping made ready: the bundles of a face."""

    def __init__(self, mapping: OscMapping, chosen: NDArray[np.bool_]) -> None:
        """chosen: [61]; a message whose numbers are all left out is not sent."""
        messages, values = [], []
        for message in mapping.messages:
            own = [arg for arg in message.args if isinstance(arg, Value)]
            if own and not any(chosen[INDEX[name]] for value in own for name in value.of):
                continue
            tags = "".join(
                "f" if isinstance(arg, Value) else "s" if isinstance(arg.constant, str) else "i"
                for arg in message.args
            )
            constants = tuple(arg.constant for arg in message.args if isinstance(arg, Constant))
            messages.append(Message(message.address, tags, constants))
            values += own
        self._weights = np.zeros((len(values), len(FRAME)))
        for row, value in enumerate(values):
            for name, weight in value.of.items():
                self._weights[row, INDEX[name]] = weight * value.scale
        self._offset = np.array([v.offset for v in values])
        self._min = np.array([v.min for v in values])
        self._max = np.array([v.max for v in values])
        self._bundles = BundleTemplate(messages)

    def __call__(self, frame: Frame) -> list[bytearray]:
        numbers = self._weights @ frame + self._offset
        return self._bundles.fill(np.clip(numbers, self._min, self._max))
