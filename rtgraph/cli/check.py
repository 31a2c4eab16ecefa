"""`rtgraph check`: is a graph right? Nothing is opened and nothing runs."""

from __future__ import annotations

import typer

from rtgraph.cli.options import GraphArgument, ImportOption, SetOption, SwapOption, VarOption, plan_of


def check(
    graph: GraphArgument,
    sets: SetOption = None,
    swaps: SwapOption = None,
    variables: VarOption = None,
    modules: ImportOption = None,
) -> None:
    """Check a graph and list its segments: the nodes that run on one thread."""
    plan = plan_of(graph, sets, swaps, variables, modules)
    nodes, segments = len(plan.nodes), len(plan.segments)
    typer.echo(f"ok: {nodes} node{'s'[: nodes != 1]} in {segments} segment{'s'[: segments != 1]}")
    for segment in plan.segments:
        typer.echo(f"  {segment.name}: {', '.join(node.name for node in segment.nodes)}")
