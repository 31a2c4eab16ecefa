"""Mistakes in a node's Config: pydantic's findings in plain words, at their places."""

from __future__ import annotations

from typing import Literal

import pytest
from graph_text import node
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rtgraph.plain_words import config_diagnostics
from rtgraph.spec import parse_graph


class Band(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: Literal["band"]
    centre_hz: float = Field(gt=0)


class Shelf(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: Literal["shelf"]
    slope: float


class Config(BaseModel):
    model_config = ConfigDict(extra="forbid")
    path: str = Field(description="a sound file")
    device: int | str = "default"
    gain: float = 1.0
    filters: list[Band | Shelf] = []
    eq: Band | Shelf | None = Field(default=None, discriminator="kind")


@pytest.mark.parametrize(
    ("config", "marked", "message", "expected", "hint"),
    [
        ("{gain: 2}", "config", "the config of node 'a' has no 'path'", "path: a sound file", None),
        (
            "{path: a, gian: 2}",
            "gian",
            "the config of node 'a' has no field 'gian'",
            "path, device, gain, filters, eq",
            "gain",
        ),
        ("{path: a, gain: loud}", "loud", "'gain' cannot be 'loud'", "a number", None),
        ("{path: a, device: [1]}", "[1]", "'device' cannot be a list", "a whole number or text", None),
        ("{path: a, eq: {kind: band, centre_hz: -1}}", "-1", "'centre_hz' cannot be -1", "more than 0", None),
        (
            "{path: a, eq: {kind: shelf, slop: 1, slope: 2}}",
            "slop",
            "'eq' has no field 'slop'",
            "kind, slope",
            "slope",
        ),
        (
            "{path: a, eq: {kind: bend}}",
            "{kind: bend}",
            "'eq' cannot be of kind 'bend'",
            "band, shelf",
            "band",
        ),
    ],
)
def test_mistake_in_a_config(config: str, marked: str, message: str, expected: str, hint: str | None) -> None:
    _, source = parse_graph(node(f"config: {config}"), "g.yaml")
    prefix = ("nodes", "a", "config")
    with pytest.raises(ValidationError) as caught:
        Config.model_validate(source.value(prefix))
    (found,) = config_diagnostics(source, prefix, caught.value, Config)
    assert found.source[found.column - 1 : found.end_column - 1] == marked
    assert (found.message, found.expected, found.hint) == (message, expected, hint)


def test_a_config_that_is_not_written_is_shown_at_its_node() -> None:
    _, source = parse_graph("version: 1\nnodes:\n  a:\n    type: x.y\n", "g.yaml")
    with pytest.raises(ValidationError) as caught:
        Config.model_validate({})
    (found,) = config_diagnostics(source, ("nodes", "a", "config"), caught.value, Config)
    assert (found.line, found.column) == (3, 3)


class Listed(BaseModel):
    names: tuple[int, ...] = Field(min_length=1)
    index: int | tuple[int, ...] | None = None


@pytest.mark.parametrize(
    ("config", "messages"),
    [
        ("{names: [a]}", ["item 1 of 'names' cannot be 'a'"]),
        ("{names: []}", ["'names' is empty"]),
        ("{names: [a, 2, b]}", ["item 1 of 'names' cannot be 'a'", "item 3 of 'names' cannot be 'b'"]),
    ],
)
def test_a_list_is_not_called_short_for_its_wrong_items(config: str, messages: list[str]) -> None:
    _, source = parse_graph(node(f"config: {config}"), "g.yaml")
    prefix = ("nodes", "a", "config")
    with pytest.raises(ValidationError) as caught:
        Listed.model_validate(source.value(prefix))
    assert [d.message for d in config_diagnostics(source, prefix, caught.value, Listed)] == messages
