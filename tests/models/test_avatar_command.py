"""`rtgraph avatar`: what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtgraph.errors import AssetError
from rtgraph.models.avatar import command


@pytest.mark.parametrize(
    ("made", "name", "said"),
    [
        (command.new, "me.glb", r"me\.glb: expected a name that ends in \.rthead; .*avatar export"),
        (command.export, "me.fbx", r"me\.fbx: expected a name that ends in \.glb"),
    ],
)
def test_a_name_of_another_kind_of_file_is_refused(made, name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(AssetError, match=said):
        made(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("noseWidth=40", "expected -1 to 1"),
        ("noseWidth=nan", "expected -1 to 1"),
        ("noseWidth", "expected NAME=NUMBER"),
        ("noseWdth=1", "did you mean 'noseWidth'"),
    ],
)
def test_numbers_of_no_person_are_refused(setting: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(AssetError, match=said):
        command.new(tmp_path / "me.rthead", set_=[setting])
    assert not list(tmp_path.iterdir())
