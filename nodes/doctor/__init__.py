"""`rtgraph doctor`: is everything there that a face needs, and does it work?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from rtgraph.cli.options import ImportOption, SetOption, SwapOption, VarOption, import_modules, plan_of
from rtgraph.graph import Plan
from rtgraph.nodes.doctor.finding import Finding


def doctor(
    graph: Annotated[
        str | None,
        typer.Argument(
            metavar="[GRAPH]",
            help="Look at the sensors and ports that this graph uses; without it at the usual ports.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    sets: SetOption = None,
    swaps: SwapOption = None,
    variables: VarOption = None,
    modules: ImportOption = None,
) -> None:
    """Look at devices, kernels, weights, ports and packets; exit code 1 where something will not work."""
    from rtgraph.nodes.doctor.finding import as_json as to_json
    from rtgraph.nodes.doctor.finding import as_text, healthy

    if graph is None:
        import_modules(modules)
        plan = None
    else:
        plan = plan_of(graph, sets, swaps, variables, modules)
    findings = list(examine(plan))
    typer.echo(to_json(findings) if as_json else as_text(findings))
    if not healthy(findings):
        raise typer.Exit(1)


def examine(plan: Plan | None) -> Iterator[Finding]:
    """Everything, in the order of the report."""
    from rtgraph.nodes.doctor import devices, machine, network, sensors

    yield from machine.machine()
    yield from machine.kernels()
    yield from machine.packages()
    yield from devices.assets()
    yield from devices.microphones()
    yield from devices.cameras()
    yield from sensors.sensors(plan)
    yield network.loopback()
    yield from network.targets(plan)
    yield from network.vrchat()
    yield from network.servers(plan)
