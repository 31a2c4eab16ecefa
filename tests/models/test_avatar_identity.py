"""Identities: presets, seeds, numbers, and the command that makes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from rtgraph.errors import AssetError
from rtgraph.models.avatar import PRESETS, Head, identity_code, load_head, random_person
from rtgraph.models.avatar.command import app
from rtgraph.models.avatar.identity import preset


@pytest.fixture(scope="module")
def head() -> Head:
    return load_head("default")


def test_the_basis_has_about_forty_numbers_in_all_groups(head: Head) -> None:
    numbers = head.card.identity
    assert 36 <= len(numbers) <= 60
    assert {"age", "sex", "ethnicity", "face", "eyes", "nose", "mouth", "ears"} == {n.group for n in numbers}
    for number, moves in zip(numbers, head.identity_basis, strict=True):
        assert number.low <= 0 < number.high
        assert np.abs(moves).max() > 0.0005, number.name


@pytest.mark.parametrize("name", list(PRESETS))
def test_every_preset_is_another_face(head: Head, name: str) -> None:
    other = head.with_identity(identity_code(name, None, head.identity_groups))
    skin = slice(*head.parts["skin"].vertices)
    change = np.linalg.norm(other.neutral - head.neutral, axis=1)[skin]
    assert 0.001 < np.median(change) < 0.03
    assert other.joint_pivot.shape == (4, 3)


def test_a_seed_is_a_person(head: Head) -> None:
    assert random_person(7, head.identity_groups) == random_person(7, head.identity_groups)
    faces = [head.with_identity(random_person(seed, head.identity_groups)).neutral for seed in range(6)]
    for i, a in enumerate(faces):
        assert np.isfinite(a).all()
        for b in faces[:i]:
            assert np.abs(a - b).max() > 0.003


def test_eyes_stay_in_their_sockets(head: Head) -> None:
    for seed in range(8):
        made = head.with_identity(random_person(seed, head.identity_groups))
        for joint, name in ((2, "eye_left"), (3, "eye_right")):
            ball = made.neutral[slice(*made.parts[name].vertices)]
            away = np.linalg.norm(ball - made.joint_pivot[joint], axis=1)
            assert away.std() < 0.0012, "the ball stays round about its pivot"


def test_numbers_beyond_their_limits_are_taken_to_them(head: Head) -> None:
    at_limit = head.with_identity({"noseWidth": 1.0}).neutral
    np.testing.assert_array_equal(head.with_identity({"noseWidth": 50.0}).neutral, at_limit)


def test_mistakes_are_answered(head: Head) -> None:
    with pytest.raises(AssetError, match="did you mean 'noseWidth'"):
        head.with_identity({"nosewidth": 0.2})
    with pytest.raises(AssetError, match="expected a finite number"):
        head.with_identity({"noseWidth": float("nan")})
    with pytest.raises(AssetError, match="did you mean 'elena'"):
        identity_code("elenna", None, head.identity_groups)
    with pytest.raises(AssetError, match="expected one of them"):
        identity_code("elena", 3, head.identity_groups)


def test_the_command_makes_lists_exports_and_imports(tmp_path: Path) -> None:
    runner = CliRunner()

    def run(*arguments: str) -> str:
        result = runner.invoke(app, list(arguments))
        assert result.exit_code == 0, result.output
        return result.output

    assert "elena" in run("list")
    me, glb = tmp_path / "me.rthead", tmp_path / "me.glb"
    run("new", "--seed", "7", "--set", "noseWidth=0.5", "-o", str(me))
    made = load_head(me)
    assert made.card.name == "seed 7"
    run("export", str(glb), "--head", str(me))
    assert "52 of 52 shapes by name" in run("import", str(glb), "-o", str(tmp_path / "again.rthead"))
    again = load_head(tmp_path / "again.rthead")
    assert len(again.neutral) == len(made.neutral)


def test_gaussians_take_the_tint_of_their_material(head: Head) -> None:
    """Hairs stand on triangles of the skin, but have the tint of hair, and those of the brows theirs."""
    person = head.with_identity(preset("viktor"))
    tints, g = person.card.tints, head.gaussians
    factor = person.gaussians.colour / np.maximum(g.colour, 1e-6)  # some are black
    brows = g.opacity == np.float32(0.62)  # as training.head.gaussians bakes them
    hair = np.isin(g.opacity, np.float32([0.9, 0.6])) & (g.scale[:, 0] > 3 * g.scale[:, 1:].max(axis=1))
    first, last = head.parts["skin"].triangles
    discs = (g.triangle >= first) & (g.triangle < last) & ~brows & ~hair
    assert min(brows.sum(), hair.sum(), discs.sum()) > 500
    for which, material in ((brows, "brows"), (hair, "hair"), (discs, "skin")):
        unclipped = which & (person.gaussians.colour < 1).all(axis=1)
        np.testing.assert_allclose(factor[unclipped], [tints[material]] * unclipped.sum(), rtol=1e-5)
