"""rtgraph avatar: make, list, import and export heads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from rtgraph.errors import AssetError

from .file import load_head, save_head
from .glb import write_glb
from .head import Head, head_names
from .identity import PRESETS, Code, identity_code
from .import_model import import_model

app = typer.Typer(no_args_is_help=True, help="Make, list, import and export heads.", add_completion=False)

HeadOption = Annotated[str, typer.Option("--head", help="a bundled head's name, or a head's file")]
SeedOption = Annotated[int | None, typer.Option(min=0, help="a random person: the same seed, the same face")]
PresetOption = Annotated[str, typer.Option(help="a named person; `rtgraph avatar list` lists them")]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", help="one number, as noseWidth=0.5; may be repeated")
]


@app.command("list")
def list_() -> None:
    """The bundled heads, the named people, and the numbers of an identity."""
    typer.echo(f"heads    {', '.join(head_names())}")
    typer.echo(f"people   {', '.join(PRESETS)}")
    groups: dict[str, list[str]] = {}
    for number in load_head("default").card.identity:
        groups.setdefault(number.group, []).append(f"{number.name} {number.low:g}..{number.high:g}")
    for group, numbers in groups.items():
        typer.echo(f"{group:<10}{', '.join(numbers)}")


@app.command()
def new(
    output: Annotated[Path, typer.Option("-o", "--output", help="the file to write, .rthead")],
    seed: SeedOption = None,
    preset: PresetOption = "",
    set_: SetOption = None,
    head: HeadOption = "default",
) -> None:
    """Make a person: from a seed, a named one, or number by number."""
    _check_suffix(output, ".rthead", "for a GLB use `rtgraph avatar export`")
    made = _person(head, preset, seed, set_ or [])
    save_head(made, output)
    typer.echo(f"{output}  {output.stat().st_size / 1e6:.1f} MB")


@app.command()
def export(
    output: Annotated[Path, typer.Argument(help="the file to write, .glb")],
    seed: SeedOption = None,
    preset: PresetOption = "",
    set_: SetOption = None,
    head: HeadOption = "default",
) -> None:
    """Write a head as GLB with its 52 morph targets, for three.js, Blender and the like."""
    _check_suffix(output, ".glb", "other programs convert a GLB")
    write_glb(_person(head, preset, seed, set_ or []), output)
    typer.echo(f"{output}  {output.stat().st_size / 1e6:.1f} MB")


@app.command("import")
def import_(
    model: Annotated[Path, typer.Argument(help="a GLB or VRM with morph targets")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="the .rthead; beside the model")
    ] = None,
) -> None:
    """Make a head of a model with ARKit, viseme or VRM morph targets, and report what stands for what."""
    head, matches = import_model(model)
    output = output or model.with_suffix(".rthead")
    _check_suffix(output, ".rthead", "for a GLB use `rtgraph avatar export`")
    save_head(head, output)
    missing = [match.shape for match in matches if not match.target]
    for match in matches:
        if match.target and not match.exact:
            side = f", its {match.side.lower()} half" if match.side else ""
            typer.echo(f"{match.shape:<20} <- {match.target} x {match.weight:g}{side}")
    if missing:
        typer.echo(f"nothing moves: {', '.join(missing)}")
    exact = sum(match.exact for match in matches)
    typer.echo(
        f"{output}  {exact} of {len(matches)} shapes by name,"
        f" {len(matches) - exact - len(missing)} by a stand-in,"
        f" {len(missing)} missing; {len(head.neutral)} vertices"
    )


def _check_suffix(output: Path, suffix: str, otherwise: str) -> None:
    if output.suffix.lower() != suffix:
        raise AssetError(f"{output}: expected a name that ends in {suffix}; {otherwise}")


def _person(head: str, preset: str, seed: int | None, settings: list[str]) -> Head:
    base = load_head(head)
    code: Code = identity_code(preset, seed, base.identity_groups)
    limits = {number.name: number for number in base.card.identity}
    for setting in settings:
        name, _, value = setting.partition("=")
        try:
            code[name] = float(value)
        except ValueError:
            raise AssetError(f"--set {setting}: expected NAME=NUMBER, as noseWidth=0.5") from None
        number = limits.get(name)
        if number and not number.low <= code[name] <= number.high:
            raise AssetError(f"--set {setting}: expected {number.low:g} to {number.high:g}")
    name = preset or (f"seed {seed}" if seed is not None else base.card.name)
    made = base.with_identity(code)
    return replace(made, card=made.card.model_copy(update={"name": name}))
