"""Files that are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtgraph.files import whole_file


def test_a_written_file_takes_the_old_ones_place(tmp_path: Path) -> None:
    path = tmp_path / "face.json"
    path.write_text("old")
    with whole_file(path) as part:
        assert part.suffix == ".json"
        part.write_text("new")
        assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["face.json"]
    assert path.read_text() == "new"


def test_what_was_there_stays_after_an_error(tmp_path: Path) -> None:
    path = tmp_path / "face.json"
    path.write_text("old")

    def fill_the_disk() -> None:
        with whole_file(path) as part:
            part.write_text("ne")
            raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        fill_the_disk()
    assert [p.name for p in tmp_path.iterdir()] == ["face.json"]
    assert path.read_text() == "old"
