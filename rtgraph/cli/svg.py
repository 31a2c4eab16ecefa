"""A graph as an SVG picture, readable on a light and on a dark page."""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

from rtgraph.cli.layout import Box, Lane, Point, Wire, lay_out
from rtgraph.cli.times import NodeTime
from rtgraph.graph import Plan

_STYLE = """
  text { font: 12px ui-monospace, Menlo, Consolas, monospace; fill: #1b1f24 }
  .name { font-weight: bold } .dim { fill: #57606a } .label { font-size: 10px; fill: #57606a }
  .lane { fill: #8c959f; fill-opacity: .12 }
  .box { fill: #ffffff; stroke: #57606a } .heat { fill: #e8590c } .frame { fill: none; stroke: #e8590c;
  stroke-width: 3 }
  .wire { fill: none; stroke: #57606a; stroke-width: 1.3 } .queue { stroke-width: 2.4 } .latest {
  stroke-dasharray: 5 4 } marker path { fill: #57606a }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .dim, .label { fill: #9da7b3 }
    .box { fill: #161b22; stroke: #9da7b3 } .wire { stroke: #9da7b3 } marker path { fill: #9da7b3 }
  }
"""


def svg(plan: Plan, times: Mapping[str, NodeTime] | None = None) -> str:
    """A lane for each segment; thin edges are calls, thick ones queues, dashed ones hold the newest value.

    With times, the depth of a node's fill is its share of the median time, that of its frame of the p99.
    """
    layout = lay_out(plan, {name: str(time) for name, time in (times or {}).items()})
    width, height = f"{layout.width:.0f}", f"{layout.height:.0f}"
    title = escape(plan.spec.name or plan.source.path)
    lines = [
        '<svg xmlns="http://www.w3.org/2000/svg"'
        f' width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
        f"<title>{title}</title>",
        f"<style>{_STYLE}</style>",
        '<marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8"'
        ' markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z"/></marker>',
    ]
    lines += [_lane(lane, layout.width) for lane in layout.lanes]
    lines += [_wire(wire) for wire in layout.wires]
    for box in layout.boxes:
        lines += _box(box, times[box.node.name] if times else None)
    lines += [_label(wire) for wire in layout.wires if wire.label]
    return "\n".join([*lines, "</svg>"]) + "\n"


def _lane(lane: Lane, width: float) -> str:
    place = f'x="8" y="{lane.y:.1f}" width="{width - 16:.1f}" height="{lane.height:.1f}" rx="8"'
    return (
        f'<rect class="lane" {place}/>'
        + f'<text class="dim" x="16" y="{lane.y + 15:.1f}">{escape(lane.name)}</text>'
    )


def _box(box: Box, time: NodeTime | None) -> list[str]:
    place = f'x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="6"'
    parts = [f"<g id={quoteattr('node-' + box.node.name)}>", f'<rect class="box" {place}/>']
    if time is not None:
        parts.append(f'<rect class="heat" {place} fill-opacity="{0.75 * time.p50_share:.3f}"/>')
        parts.append(f'<rect class="frame" {place} stroke-opacity="{time.p99_share:.3f}"/>')
    middle = box.x + box.width / 2
    top = box.y + (box.height - 17 * len(box.rows)) / 2 + 13
    for i, row in enumerate(box.rows):
        kind = ("name", "dim", "")[i]
        place = f'x="{middle:.1f}" y="{top + 17 * i:.1f}" text-anchor="middle"'
        parts.append(f'<text class="{kind}" {place}>{escape(row)}</text>')
    return [*parts, "</g>"]


def _wire(wire: Wire) -> str:
    kind = "" if wire.edge.inline else "latest" if wire.edge.kind == "latest" else "queue"
    path = f"M{wire.points[0][0]:.1f} {wire.points[0][1]:.1f}"
    for start, end in zip(wire.points, wire.points[1:], strict=False):
        path += _hop(start, end)
    title = f"<title>{escape(wire.edge.name)}</title>"
    return f'<path class="wire {kind}" d="{path}" marker-end="url(#tip)">{title}</path>'


def _hop(start: Point, end: Point) -> str:
    (x1, y1), (x2, y2) = start, end
    if x2 < x1:  # back round a cycle: below the boxes between
        low = max(y1, y2) + 70
        return f"C{x1 + 60:.1f} {low:.1f} {x2 - 60:.1f} {low:.1f} {x2:.1f} {y2:.1f}"
    middle = (x1 + x2) / 2
    return f"C{middle:.1f} {y1:.1f} {middle:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"


def _label(wire: Wire) -> str:
    x, y = wire.points[-1]
    return (
        f'<text class="label" x="{x - 10:.1f}" y="{y - 4:.1f}" text-anchor="end">{escape(wire.label)}</text>'
    )
